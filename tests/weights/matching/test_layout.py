import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import symmetry
from equijax.weights.matching.ascent import inner_product
from equijax.weights.matching.layout import Layout, inner_products

CASES = ["u-net", "vit", "scanned layers", "lstm"]


@pytest.fixture(scope="module", params=CASES)
def drawn(request, models):
    case = models.CASES[request.param]()
    heads = "wreath" if request.param == "vit" else "product"
    group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False, heads=heads)
    return group, case.variables


def test_images_act_as_the_group_does(drawn, plant, distance):
    group, variables = drawn
    layout = Layout(group)
    moved, element = plant(group, variables, 0)
    images = tuple(map(np.asarray, layout.images(element)))
    blocks = layout.applied(images, layout.split("variables", variables))
    assert distance(layout.join(blocks, variables), moved) == 0
    same = jax.tree.map(lambda x, y: bool((x == y).all()), layout.element(images), element)
    assert all(jax.tree.leaves(same))


def test_steps_compose_as_the_group_does(drawn):
    group, _ = drawn
    layout = Layout(group)
    images = layout.identity()
    expected = group.identity()
    steps = group.sample(jax.random.key(1)), group.sample(jax.random.key(2))
    for element in steps:
        for number in range(len(layout.permutations)):
            step = np.asarray(layout.images(element)[number])
            alone = layout.element((*layout.identity()[:number], step, *layout.identity()[number + 1 :]))
            images = layout.composed(number, step, images)
            expected = group.compose(alone, expected)
    jax.tree.map(np.testing.assert_array_equal, layout.element(images), expected)


def test_scores_are_inner_products_after_a_step(drawn):
    group, variables = drawn
    layout = Layout(group)
    random = np.random.default_rng(0)
    a = layout.split("a", jax.tree.map(lambda leaf: random.normal(size=leaf.shape), variables))
    b = layout.split("b", variables)
    for number, permutation in enumerate(layout.permutations):
        if permutation.is_quadratic:
            continue
        scores = layout.scores(number, a, b)
        step = np.asarray(layout.images(group.sample(jax.random.key(3)))[number])
        gain = np.take_along_axis(scores, step.reshape(-1, permutation.size, 1), -1).sum()
        gain -= np.trace(scores, axis1=-2, axis2=-1).sum()
        rise = inner_product(a, layout.moved(number, step, b)) - inner_product(a, b)
        assert gain == pytest.approx(rise, abs=1e-9)


def test_profiles_do_not_change_with_other_permutations(drawn, plant):
    group, variables = drawn
    layout = Layout(group)
    moved, element = plant(group, variables, 4)
    a, b = layout.split("a", moved), layout.split("b", variables)
    for number, permutation in enumerate(layout.permutations):
        if any(base is not None for base in permutation.bases):
            continue
        image = np.asarray(layout.images(element)[number]).reshape(-1, permutation.size)
        planted = layout.profile_scores(number, a, b)
        own = layout.profile_scores(number, b, b)
        # Neuron j of b is neuron image[j] of a, with the same profile.
        aligned = np.take_along_axis(planted, image[:, None, :], -1)
        np.testing.assert_allclose(aligned, own, atol=1e-12)


def test_a_group_on_two_axes_of_one_array_is_quadratic(models):
    case = models.CASES["lstm"]()
    layout = Layout(symmetry(case.apply_fn, case.variables, *case.inputs, verify=False))
    quadratic = [number for number, each in enumerate(layout.permutations) if each.is_quadratic]
    assert quadratic
    assert all(number in layout.neighbours(number) for number in quadratic)
    number, blocks = quadratic[0], layout.split("a", case.variables)
    permutation = layout.permutations[number]
    touched = {site.block for site in permutation.sites}
    own = sum(inner_product([blocks[i]], [blocks[i]]) for i in touched)
    # Halved scores have the value of the objective; whole ones count both axes of the recurrent kernels.
    halved = np.trace(layout.scores(number, blocks, blocks, halve=True)[0])
    assert halved == pytest.approx(own)
    assert np.trace(layout.scores(number, blocks, blocks)[0]) > halved


def test_excluded_parameters_are_not_seen(models):
    case = models.CASES["resnet with batch norm"]()
    group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
    whole, part = Layout(group), Layout(group, ("batch_stats", "params/Conv_0"))
    assert len(part.permutations) == len(whole.permutations)
    assert len(part.blocks) < len(whole.blocks)
    nothing = Layout(group, ("params", "batch_stats"))
    assert nothing.scores(0, [], []).shape == (1, 4, 4)


def test_scales_are_left_alone(network):
    model, draw, _ = network
    kinds = ("permutation", "sign")
    group = symmetry(model, draw(0), np.ones(3), verify=False, kinds=kinds)
    layout = Layout(group)
    element = layout.element(tuple(np.asarray(x)[::-1] for x in layout.identity()))
    assert element[0].image.tolist() == list(range(8))[::-1]
    np.testing.assert_array_equal(element[0].sign, 1)


def test_wrong_variables_are_refused(network):
    _, draw, group = network
    layout = Layout(group)
    with pytest.raises(ValueError, match="a must have the structure that the symmetry was found for"):
        layout.split("a", {"in": np.ones((3, 8))})
    with pytest.raises(ValueError, match=r"a\['in'\] must have shape \(3, 8\) as when traced, got \(8, 3\)"):
        layout.split("a", {**draw(0), "in": np.ones((8, 3))})
    with pytest.raises(TypeError, match="a must have real leaves"):
        layout.split("a", {**draw(0), "in": np.ones((3, 8), complex)})
    with pytest.raises(TypeError, match="group must be a WeightSymmetry"):
        Layout("S(3)")


def test_inner_products_of_numpy_and_jax_agree():
    x, y = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
    np.testing.assert_allclose(inner_products(x, y), inner_products(jnp.asarray(x), y), rtol=1e-5)

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import symmetry
from equijax.weights.matching import ascent
from equijax.weights.matching.layout import Layout


@pytest.fixture(scope="module")
def independent(network):
    _, draw, group = network
    layout = Layout(group)
    return layout, layout.split("a", draw(1)), layout.split("b", draw(2))


def ascend(layout, a, b, images=None, seed=0, max_sweeps=50):
    images = layout.identity() if images is None else images
    return ascent.host_ascent(layout, a, b, images, random=np.random.default_rng(seed), max_sweeps=max_sweeps)


def test_the_inner_product_never_falls_and_is_that_of_the_result(independent):
    layout, a, b = independent
    found = ascend(layout, a, b)
    assert (np.diff(found.history) >= 0).all()
    assert found.history[-1] > found.history[0]
    moved = layout.applied(found.images, b)
    assert ascent.inner_product(a, moved) == pytest.approx(found.history[-1])


def test_where_it_ends_no_group_can_gain(independent):
    layout, a, b = independent
    found = ascend(layout, a, b)
    again = ascend(layout, a, b, found.images)
    assert len(again.history) == 2
    jax.tree.map(np.testing.assert_array_equal, again.images, found.images)


def test_one_hidden_layer_is_solved_by_one_assignment():
    random = np.random.default_rng(0)
    group = symmetry(
        lambda w, x: jnp.tanh(x @ w[0]) @ w[1], [np.ones((3, 9)), np.ones((9, 2))], np.ones(3), verify=False
    )
    layout = Layout(group)
    a, b = ([random.normal(size=(3, 9)), random.normal(size=(9, 2))] for _ in range(2))
    found = ascend(layout, a, b)
    # The only group has no neighbour whose move could open a gain.
    assert len(found.history) == 2
    assert ascend(layout, a, b, found.images).history[-1] == found.history[-1]


def test_quadratic_groups_never_lose(models):
    case = models.CASES["gru"]()
    group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
    layout, random = Layout(group), np.random.default_rng(0)
    for _ in range(5):
        drawn = (jax.tree.map(lambda leaf: random.normal(size=leaf.shape), case.variables) for _ in "ab")
        a, b = (layout.split("variables", each) for each in drawn)
        found = ascend(layout, a, b)
        assert (np.diff(found.history) >= 0).all()
        moved = layout.applied(found.images, b)
        assert ascent.inner_product(a, moved) == pytest.approx(found.history[-1])


def test_compiled_and_host_ascents_agree(independent, x64):
    layout, a, b = independent
    run = jax.jit(
        lambda a, b: ascent.traced_ascent(layout, a, b, layout.identity(), max_sweeps=20),
    )
    traced = run(*jax.tree.map(jnp.asarray, (a, b)))
    best = max(ascend(layout, a, b, seed=seed).history[-1] for seed in range(5))
    assert traced.history.shape == (21,)
    assert (np.diff(traced.history) >= 0).all()
    # Both stop where no group can gain; the compiled one visits groups in one order only.
    assert len(ascend(layout, a, b, tuple(map(np.asarray, traced.images))).history) == 2
    assert traced.history[-1] > 0.8 * best
    moved = layout.applied(tuple(map(np.asarray, traced.images)), b)
    assert ascent.inner_product(a, moved) == pytest.approx(float(traced.history[-1]))


def test_profiles_find_a_permuted_copy_on_both_back_ends(network, plant):
    _, draw, group = network
    layout = Layout(group)
    moved, element = plant(group, draw(3), 0)
    a, b = layout.split("a", moved), layout.split("b", draw(3))
    host = ascent.host_profiles(layout, a, b)
    traced = jax.jit(lambda a, b: ascent.traced_profiles(layout, a, b))(a, b)
    for images in (host, traced):
        jax.tree.map(np.testing.assert_array_equal, tuple(images), tuple(layout.images(element)))


def test_large_groups_are_matched_in_threads_with_the_same_result():
    random = np.random.default_rng(0)
    shapes = [(2, 130), (130, 130), (130, 130), (130, 2)]
    w = [np.ones(shape) for shape in shapes]

    def model(w, x):
        for each in w[:-1]:
            x = jnp.tanh(x @ each)
        return x @ w[-1]

    layout = Layout(symmetry(model, w, np.ones(2), verify=False))
    a, b = ([random.normal(size=shape) for shape in shapes] for _ in range(2))
    first, second = ascend(layout, a, b), ascend(layout, a, b)
    jax.tree.map(np.testing.assert_array_equal, first.images, second.images)
    assert (np.diff(first.history) >= 0).all()

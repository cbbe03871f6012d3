import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import symmetry
from equijax.weights.matching import weight_matching


def squared_distance(a, b):
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return sum(float(((np.asarray(x) - np.asarray(y)) ** 2).sum()) for x, y in pairs)


class ResidualNetwork(nn.Module):
    """Three residual blocks with LayerNorm behind a convolution."""

    width: int

    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.LayerNorm()(nn.Conv(self.width, (3, 3))(x)))
        for _ in range(3):
            y = nn.relu(nn.LayerNorm()(nn.Conv(self.width, (3, 3))(x)))
            x = nn.relu(x + nn.LayerNorm()(nn.Conv(self.width, (3, 3))(y)))
        return nn.Dense(4)(x.mean(axis=(1, 2)))


@pytest.mark.parametrize("width", [30, 50])
def test_a_planted_permutation_of_a_residual_network_is_always_found(width, models, act):
    case = models.case(ResidualNetwork(width), np.ones((1, 4, 4, 3)))
    group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
    random, key = np.random.default_rng(width), jax.random.key(0)
    found = 0
    for _ in range(50):
        element = tuple(jnp.asarray(random.permutation(each.size), jnp.int32) for each in group.groups)
        copy = act(group, element, case.variables)
        matched = weight_matching(key, group, copy, case.variables)
        found += all(np.array_equal(x, y) for x, y in zip(matched.element, element, strict=True))
    assert found == 50


@pytest.mark.parametrize("heads", ["product", "wreath"])
@pytest.mark.parametrize("name", ["u-net", "vit", "causal lm", "lstm", "scanned layers"])
def test_planted_permutations_of_every_kind_are_found(name, heads, models, act, plant, distance):
    case = models.CASES[name]()
    group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False, heads=heads)
    copy, _ = plant(group, case.variables, 0)
    random = np.random.default_rng(0)
    noisy = jax.tree.map(lambda leaf: leaf + 1e-3 * leaf.std() * random.normal(size=leaf.shape), copy)
    for target in (copy, noisy):
        found = weight_matching(jax.random.key(1), group, target, case.variables)
        assert distance(act(group, found.element, case.variables), copy) == 0


def test_batch_statistics_are_permuted_and_not_compared(models, act, plant, distance):
    case = models.CASES["resnet with batch norm"]()
    group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
    copy, _ = plant(group, case.variables, 0)
    misleading = {**copy, "batch_stats": jax.tree.map(lambda x: 1e3 * x[::-1], copy["batch_stats"])}
    found = weight_matching(jax.random.key(1), group, misleading, case.variables)
    assert distance(act(group, found.element, case.variables), copy) == 0


def test_the_objective_is_the_inner_product_and_the_distance_falls(network):
    model, draw, group = network
    a, b = draw(1), draw(2)
    found = weight_matching(jax.random.key(0), group, a, b, num_starts=4)
    with jax.enable_x64(True):
        moved = group.act(found.element, b)
        np.testing.assert_allclose(model(moved, np.ones(3)), model(b, np.ones(3)), atol=1e-12)
    sizes = squared_distance(a, jax.tree.map(np.zeros_like, a)) + squared_distance(
        b, jax.tree.map(np.zeros_like, b)
    )
    assert squared_distance(a, moved) == pytest.approx(sizes - 2 * found.objective, rel=1e-9)
    assert squared_distance(a, moved) < squared_distance(a, b)
    assert (np.diff(found.history) >= 0).all()
    assert found.history[-1] == found.objective


def test_more_starts_are_never_worse_and_the_result_depends_on_the_key_alone(network):
    _, draw, group = network
    values = [
        weight_matching(jax.random.key(0), group, draw(1), draw(2), num_starts=starts).objective
        for starts in (1, 2, 6)
    ]
    assert values == sorted(values)
    again = weight_matching(jax.random.key(0), group, draw(1), draw(2), num_starts=6)
    assert again.objective == values[-1]


def test_a_start_can_be_given(network):
    _, draw, group = network
    init = group.sample(jax.random.key(5))
    found = weight_matching(jax.random.key(0), group, draw(1), draw(2), init=init, num_starts=1)
    with jax.enable_x64(True):
        moved = jax.tree.map(np.asarray, group.act(init, draw(2)))
    start = sum(float(np.vdot(draw(1)[name], moved[name])) for name in moved)
    assert found.history[0] == pytest.approx(start)


def test_it_runs_under_jit_vmap_and_grad(network):
    _, draw, group = network
    a = {name: np.stack([draw(seed, np.float32)[name] for seed in (1, 2)]) for name in draw(0)}
    b = draw(3, np.float32)
    keys = jax.random.split(jax.random.key(0))

    def matched(key, a):
        return weight_matching(key, group, a, b, num_starts=3, max_sweeps=20)

    found = jax.jit(jax.vmap(matched))(keys, a)
    assert found.element[0].shape == (2, 8)
    for number in range(2):
        one = jax.tree.map(lambda leaf, n=number: leaf[n], found)
        host = weight_matching(
            keys[number], group, jax.tree.map(lambda x, n=number: x[n], a), b, num_starts=10
        )
        assert 0.85 * host.objective < one.objective < host.objective + 1e-3
        moved = group.act(one.element, b)
        expected = sum(float(np.vdot(a[name][number], moved[name])) for name in moved)
        assert one.objective == pytest.approx(expected, rel=1e-5)
    # The permutation is constant, so the gradient by a is the permuted b.
    one = jax.tree.map(lambda x: x[0], a)
    gradient = jax.jit(jax.grad(lambda a: matched(keys[0], a).objective))(one)
    moved = group.act(jax.tree.map(lambda leaf: leaf[0], found.element), b)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, atol=1e-6), gradient, moved)


def test_traced_matching_finds_planted_permutations(network, plant):
    _, draw, group = network
    copy, element = plant(group, draw(1), 0)
    found = jax.jit(lambda a: weight_matching(jax.random.key(0), group, a, draw(1)))(copy)
    jax.tree.map(np.testing.assert_array_equal, tuple(found.element), tuple(element))


def test_degenerate_networks(network):
    _, draw, group = network
    zero = jax.tree.map(np.zeros_like, draw(0))
    found = weight_matching(jax.random.key(0), group, zero, draw(1))
    assert found.objective == 0
    rigid = symmetry(lambda w, x: jnp.cumsum(w * x), np.ones(3), 2.0, verify=False)
    assert weight_matching(jax.random.key(0), rigid, np.ones(3), np.ones(3)).element == ()


def test_wrong_arguments_are_refused(network):
    _, draw, group = network
    key = jax.random.key(0)
    other = {"kernel": np.ones((2, 2))}
    with pytest.raises(ValueError, match="b must have the structure that the symmetry was found for"):
        weight_matching(key, group, draw(0), other)
    with pytest.raises(ValueError, match=r"a\['middle'\] must have shape \(8, 6\) as when traced"):
        weight_matching(key, group, {**draw(0), "middle": np.ones((8, 5))}, draw(0))
    with pytest.raises(TypeError, match="key must be a random key"):
        weight_matching(0, group, draw(0), draw(0))
    with pytest.raises(TypeError, match="group must be a WeightSymmetry"):
        weight_matching(key, None, draw(0), draw(0))
    with pytest.raises(ValueError, match="num_starts must be a number of at least 1"):
        weight_matching(key, group, draw(0), draw(0), num_starts=0)
    with pytest.raises(TypeError, match="init must be an element"):
        weight_matching(key, group, draw(0), draw(0), init=jnp.arange(8))
    with pytest.raises(ValueError, match="scores must be finite"):
        weight_matching(key, group, {**draw(0), "bias": np.full(8, np.nan)}, draw(0))

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import lerp, recalibrate_batch_statistics, repair, symmetry

IMAGES = np.random.default_rng(0).normal(size=(3, 16, 6, 6, 2)).astype(np.float32)


class Normed(nn.Module):
    """Two convolutions with batch normalization, of different momenta."""

    @nn.compact
    def __call__(self, x, train=True):
        for momentum in (0.9, 0.99):
            x = nn.BatchNorm(use_running_average=not train, momentum=momentum)(nn.Conv(4, (3, 3))(x))
        return nn.Dense(2)(nn.relu(x).mean(axis=(1, 2)))


class Plain(nn.Module):
    """Convolutions and a hidden layer without normalization; one has no bias."""

    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(6, (3, 3))(x))
        x = nn.relu(nn.Conv(5, (3, 3), use_bias=False)(x))
        x = nn.relu(nn.Dense(7)(x.mean(axis=(1, 2))))
        return nn.Dense(2)(x)


def update(variables, x):
    return Normed().apply(variables, x, mutable=["batch_stats"])[1]["batch_stats"]


def test_batch_statistics_are_those_of_the_data():
    variables = Normed().init(jax.random.key(0), IMAGES[0])
    found = recalibrate_batch_statistics(update, variables, IMAGES)
    hidden = nn.Conv(4, (3, 3)).apply({"params": variables["params"]["Conv_0"]}, IMAGES.reshape(-1, 6, 6, 2))
    statistics = found["batch_stats"]["BatchNorm_0"]
    np.testing.assert_allclose(statistics["mean"], hidden.mean((0, 1, 2)), atol=1e-4)
    np.testing.assert_allclose(statistics["var"], hidden.var((0, 1, 2)), rtol=1e-3)
    assert found["params"] is variables["params"]
    again = recalibrate_batch_statistics(update, found, IMAGES)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5), again, found)


def test_recalibration_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match=r"variables must hold batch_stats, got \['params'\]"):
        recalibrate_batch_statistics(update, {"params": {}}, IMAGES)
    variables = Normed().init(jax.random.key(0), IMAGES[0])
    with pytest.raises(ValueError, match="batches must hold at least one batch"):
        recalibrate_batch_statistics(update, variables, [])


@pytest.fixture(scope="module")
def parents():
    model = Plain()
    a, b = (model.init(jax.random.key(seed), IMAGES[0]) for seed in range(2))
    return model, symmetry(model.apply, a, IMAGES[0], verify=False), a, b


def spreads(model, variables):
    _, state = model.apply(variables, IMAGES[0], capture_intermediates=True, mutable=["intermediates"])
    del state["intermediates"]["__call__"]
    flat = {name: each["__call__"][0] for name, each in state["intermediates"].items()}
    flat = {name: x.reshape(-1, x.shape[-1]) for name, x in flat.items()}
    return {name: (x.mean(0), x.std(0)) for name, x in flat.items()}


def test_repaired_neurons_have_statistics_between_those_of_the_parents(parents):
    model, group, a, b = parents
    t = 0.3
    merged = lerp(a, b, t)
    repaired = repair(model, group, merged, a, b, IMAGES[0], t=t)
    ends, middle, found = (
        (spreads(model, a), spreads(model, b)),
        spreads(model, merged),
        spreads(model, repaired),
    )
    for name in ("Conv_0", "Conv_1", "Dense_0"):
        wanted = [(1 - t) * x + t * y for x, y in zip(ends[0][name], ends[1][name], strict=True)]
        np.testing.assert_allclose(found[name][1], wanted[1], rtol=1e-3)
        assert middle[name][1].mean() < wanted[1].mean()
        if name != "Conv_1":
            np.testing.assert_allclose(found[name][0], wanted[0], atol=1e-4)
    # Outputs of the network are no neurons of the group.
    last = jax.tree.map(np.array_equal, repaired["params"]["Dense_1"], merged["params"]["Dense_1"])
    assert all(jax.tree.leaves(last))


def test_a_network_is_not_changed_by_its_own_statistics(parents):
    model, group, a, _ = parents
    repaired = repair(model, group, a, a, a, IMAGES[0])
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, atol=1e-5), repaired, a)


def test_dead_neurons_stay_finite(parents):
    model, group, a, b = parents
    dead = jax.tree.map(jnp.zeros_like, a)
    for variables in (
        repair(model, group, dead, a, b, IMAGES[0]),
        repair(model, group, a, dead, dead, IMAGES[0]),
    ):
        assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(variables))
    with pytest.raises(TypeError, match="module must be a Module"):
        repair(model.apply, group, a, a, b, IMAGES[0])

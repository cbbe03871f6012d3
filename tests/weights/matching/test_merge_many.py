import jax
import numpy as np
import pytest

from equijax.weights.matching import merge_many
from equijax.weights.matching.merge_many import mean_of


def test_copies_are_brought_into_one_order(network, plant, distance):
    _, draw, group = network
    copies = [plant(group, draw(1), seed)[0] for seed in range(4)]
    found = merge_many(jax.random.key(0), group, copies)
    placed = [group.act(element, copy) for element, copy in zip(found.elements, copies, strict=True)]
    assert max(distance(each, placed[0]) for each in placed) < 1e-5
    assert distance(found.variables, placed[0]) < 1e-5


def test_the_distance_never_grows_and_the_mean_is_that_of_the_placed(network, act, distance):
    _, draw, group = network
    networks = [draw(seed) for seed in range(3)]
    found = merge_many(jax.random.key(0), group, networks)
    assert (np.diff(found.history) <= 1e-9).all()
    placed = [act(group, element, each) for element, each in zip(found.elements, networks, strict=True)]
    mean = jax.tree.map(lambda *leaves: np.mean(leaves, 0), *placed)
    assert distance(found.variables, mean) < 1e-5
    spread = sum(
        ((each[name] - mean[name]) ** 2).mean() * mean[name].size for each in placed for name in mean
    )
    assert found.history[-1] == pytest.approx(spread / 3, rel=1e-5)
    assert found.history[-1] < found.history[0]


def test_leaves_that_are_no_real_numbers_are_the_first(distance):
    mean = mean_of([{"w": np.ones(2), "n": np.int32(3)}, {"w": np.zeros(2), "n": np.int32(5)}])
    assert mean["n"] == 3
    np.testing.assert_array_equal(mean["w"], 0.5)


def test_wrong_networks_are_refused(network):
    _, draw, group = network
    with pytest.raises(ValueError, match="networks must be at least two, got 1"):
        merge_many(jax.random.key(0), group, [draw(0)])
    with pytest.raises(ValueError, match=r"networks\[1\] must have the structure"):
        merge_many(jax.random.key(0), group, [draw(0), {}])
    with pytest.raises(ValueError, match="max_rounds must be a number of at least 1"):
        merge_many(jax.random.key(0), group, [draw(0), draw(1)], max_rounds=0)

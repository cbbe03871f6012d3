import jax
import numpy as np
import pytest

from equijax.training.placement import local, replicate, split

DEVICES = jax.local_devices()[:4]


def test_replicas_lie_on_every_device_and_share_nothing():
    shared = np.ones(3, np.float32)
    state = replicate({"a": shared, "b": shared}, DEVICES)
    assert state["a"].sharding.device_set == set(DEVICES)
    assert state["a"].sharding.is_fully_replicated
    cleared = jax.jit(lambda tree: tree * 0, donate_argnums=0)(state["a"])
    np.testing.assert_array_equal(cleared, 0)
    np.testing.assert_array_equal(state["b"], 1)
    np.testing.assert_array_equal(shared, 1)


def test_a_jax_array_of_the_caller_survives_donation_of_its_replica():
    mine = jax.numpy.arange(3.0)
    state = replicate(mine, DEVICES[:1])
    jax.jit(lambda x: x + 1, donate_argnums=0)(state).block_until_ready()
    np.testing.assert_array_equal(mine, [0, 1, 2])


def test_a_batch_is_split_in_order():
    batch = split({"x": np.arange(16).reshape(16, 1)}, DEVICES, 2)["x"]
    assert batch.shape == (4, 2, 2, 1)
    np.testing.assert_array_equal(np.asarray(batch).ravel(), np.arange(16))
    assert [shard.data.shape for shard in batch.addressable_shards] == [(1, 2, 2, 1)] * 4


def test_leaves_may_have_leading_axes_of_their_own():
    batch = split({"nodes": np.zeros((40, 2)), "graphs": np.zeros(4)}, DEVICES, 1)
    assert batch["nodes"].shape == (4, 1, 10, 2)
    assert batch["graphs"].shape == (4, 1, 1)


@pytest.mark.parametrize("leaf", [np.zeros((6, 2)), np.zeros(()), np.zeros((0, 2))])
def test_a_leaf_that_does_not_divide_is_named(leaf):
    message = r"batch leaf 'graph/nodes' must .* 4 devices times 1 micro-batches, got shape"
    with pytest.raises(ValueError, match=message):
        split({"graph": {"edges": np.zeros(8), "nodes": leaf}}, DEVICES, 1)


def test_an_empty_batch_is_refused():
    with pytest.raises(ValueError, match="batches must give a pytree with at least one array"):
        split({}, DEVICES, 1)


def test_a_process_must_have_a_device():
    assert local(DEVICES) == DEVICES
    with pytest.raises(ValueError, match="devices must contain one of process 0"):
        local([])

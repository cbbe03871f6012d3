import jax
import numpy as np
import pytest

import equijax as ej


def make(n=10, batch_size=3, seed=0):
    return ej.training.ShuffledBatches(
        {"x": np.arange(n), "y": 2.0 * np.arange(n)}, batch_size, jax.random.key(seed)
    )


def test_an_epoch_shows_every_example_at_most_once_and_drops_the_rest():
    batches = make()
    seen = np.concatenate([batches(step)["x"] for step in range(batches.steps_per_epoch)])
    assert batches.steps_per_epoch == 3
    assert len(seen) == len(set(seen)) == 9


def test_epochs_have_different_orders_and_in_the_long_run_nothing_is_left_out():
    batches = make()
    epochs = [[batches(3 * epoch + step)["x"] for step in range(3)] for epoch in range(20)]
    assert not np.array_equal(epochs[0], epochs[1])
    assert set(np.ravel(epochs)) == set(range(10))


def test_a_step_has_the_same_batch_in_any_order_of_access():
    forward = [make()(step)["x"] for step in range(12)]
    batches = make()
    backward = [batches(step)["x"] for step in reversed(range(12))][::-1]
    np.testing.assert_array_equal(forward, backward)


def test_leaves_stay_together_and_keys_matter():
    batch = make()(4)
    np.testing.assert_array_equal(batch["y"], 2 * batch["x"])
    assert not np.array_equal(make(n=100, batch_size=50, seed=1)(0)["x"], make(n=100, batch_size=50)(0)["x"])


def test_raw_keys_are_keys_too():
    arrays = {"x": np.arange(10)}
    typed = ej.training.ShuffledBatches(arrays, 3, jax.random.key(4))
    raw = ej.training.ShuffledBatches(arrays, 3, jax.random.PRNGKey(4))
    np.testing.assert_array_equal(typed(2)["x"], raw(2)["x"])


def test_batches_are_copies():
    batches = make()
    first = batches(0)["x"].copy()
    batches(0)["x"][:] = -1
    np.testing.assert_array_equal(batches(0)["x"], first)


@pytest.mark.parametrize(
    ("arrays", "size", "message"),
    [
        ({"x": np.zeros(3), "y": np.zeros(4)}, 1, "arrays must .* 'y': \\(4,\\)"),
        ({"x": np.zeros(3), "y": np.zeros(())}, 1, "arrays must .* 'y': \\(\\)"),
        ({}, 1, "arrays must"),
        ({"x": np.zeros(3)}, 4, "batch_size must be at most the 3 examples, got 4"),
        ({"x": np.zeros(3)}, 0, "batch_size must be a number of at least 1, got 0"),
    ],
)
def test_wrong_arguments_are_named(arrays, size, message):
    with pytest.raises(ValueError, match=message):
        ej.training.ShuffledBatches(arrays, size, jax.random.key(0))


def test_wrong_keys_and_steps_are_named():
    arrays = {"x": np.zeros(3)}
    with pytest.raises(TypeError, match=r"key must be a random key such as .*, got None"):
        ej.training.ShuffledBatches(arrays, 1, None)
    with pytest.raises(TypeError, match=r"batch_size must be an integer, got 1.5"):
        ej.training.ShuffledBatches(arrays, 1.5, jax.random.key(0))
    with pytest.raises(ValueError, match="step must be a number of at least 0, got -1"):
        ej.training.ShuffledBatches(arrays, 1, jax.random.key(0))(-1)

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.numerics import segments

ROWS, SEGMENTS = 9, 5
REDUCTIONS = [
    (segments.sum, np.sum),
    (segments.mean, np.mean),
    (segments.max, np.max),
    (segments.min, np.min),
]


def draw(seed):
    """Rows with garbage where the mask is False, and ids that leave some segments empty."""
    rng = np.random.default_rng(seed)
    data = rng.normal(size=(ROWS, 2)).astype(np.float32)
    ids = rng.integers(0, SEGMENTS - 1, size=ROWS)
    mask = rng.random(ROWS) < 0.7
    data[~mask] = rng.choice([np.nan, np.inf, -np.inf, 1e30], size=(ROWS, 2))[~mask]
    return data, ids, mask


@pytest.mark.parametrize(("function", "reference"), REDUCTIONS)
def test_reductions(function, reference):
    compiled = jax.jit(function, static_argnums=2)

    @hypothesis.given(st.integers(0, 1000))
    def run(seed):
        data, ids, mask = draw(seed)
        got = compiled(data, ids, SEGMENTS, mask)
        for segment in range(SEGMENTS):
            rows = data[mask & (ids == segment)]
            expected = reference(rows, axis=0) if len(rows) else np.zeros(2)
            np.testing.assert_allclose(got[segment], expected, rtol=1e-5, atol=1e-6)

    run()


def test_softmax():
    compiled = jax.jit(segments.softmax, static_argnums=2)

    @hypothesis.given(st.integers(0, 1000))
    def run(seed):
        data, ids, mask = draw(seed)
        got = compiled(data, ids, SEGMENTS, mask)
        np.testing.assert_array_equal(got[~mask], 0.0)
        for segment in set(ids[mask]):
            rows = mask & (ids == segment)
            np.testing.assert_allclose(got[rows], jax.nn.softmax(data[rows], axis=0), rtol=1e-5)

    run()


def test_softmax_of_infinite_logits():
    logits = jnp.array([-jnp.inf, 0.0, -jnp.inf, 1e30, 1e30])
    got = segments.softmax(logits, jnp.array([0, 0, 1, 2, 2]), 3)
    np.testing.assert_array_equal(got, [0.0, 1.0, 0.0, 0.5, 0.5])


def test_count():
    np.testing.assert_array_equal(segments.count(jnp.array([0, 2, 2, 0]), 4), [2, 0, 2, 0])
    mask = jnp.array([True, True, False, False])
    np.testing.assert_array_equal(segments.count(jnp.array([0, 2, 2, 0]), 4, mask), [1, 0, 1, 0])


@pytest.mark.parametrize("function", [function for function, _ in REDUCTIONS] + [segments.softmax])
def test_gradients_are_finite_and_zero_at_padding(function):
    data, ids, mask = draw(3)
    gradient = jax.jit(jax.grad(lambda x: jnp.sum(function(x, ids, SEGMENTS, mask) ** 2)))(data)
    assert jnp.all(jnp.isfinite(gradient))
    np.testing.assert_array_equal(gradient[~mask], 0.0)
    assert jnp.any(gradient[mask] != 0)


@pytest.mark.parametrize("function", [function for function, _ in REDUCTIONS])
def test_ids_outside_the_range_do_not_count(function):
    data = jnp.array([1.0, 2.0, 3.0])
    got = function(data, jnp.array([-1, 0, 7]), 2)
    np.testing.assert_array_equal(got, [2.0, 0.0])


@pytest.mark.parametrize("function", [function for function, _ in REDUCTIONS])
def test_no_rows_and_vmap(function):
    np.testing.assert_array_equal(function(jnp.zeros((0, 2)), jnp.zeros(0, int), 3), np.zeros((3, 2)))
    data, ids, mask = draw(1)
    batched = jax.vmap(lambda x: function(x, ids, SEGMENTS, mask))(jnp.stack([data, 2 * data]))
    np.testing.assert_allclose(batched[1], 2 * batched[0], rtol=1e-6)


def test_the_empty_value_is_the_callers():
    ids = jnp.array([1])
    np.testing.assert_array_equal(segments.max(jnp.ones(1), ids, 2, empty=-3.0), [-3.0, 1.0])
    np.testing.assert_array_equal(segments.min(jnp.ones(1), ids, 2, empty=-3.0), [-3.0, 1.0])


def test_wrong_arguments_are_named():
    data, ids = jnp.ones((3, 2)), jnp.zeros(3, int)
    with pytest.raises(ValueError, match=r"data must have shape \(rows, ...\), rows=2 .* got \(3, 2\)"):
        segments.sum(data, ids[:2], 4)
    with pytest.raises(TypeError, match="segment_ids must be an integer array, got dtype float32"):
        segments.sum(data, ids.astype(float), 4)
    with pytest.raises(ValueError, match=r"mask must have shape \(rows\), rows=3, got \(2,\)"):
        segments.sum(data, ids, 4, jnp.ones(2, bool))
    with pytest.raises(TypeError, match="mask must be a boolean array"):
        segments.sum(data, ids, 4, jnp.ones(3))
    with pytest.raises(ValueError, match="num_segments must be a number of at least 0"):
        segments.sum(data, ids, -1)

"""Dropout of whole channels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import nn, testing
from equijax.groups import Irreps, O

SIGNAL = Irreps("0e+1o+2e")


def drop(x, seed=0, rate=0.5):
    rngs = {"dropout": jax.random.key(seed)}
    return nn.Dropout(rate).apply({}, x, deterministic=False, rngs=rngs)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_is_equivariant_for_the_same_key(dtype):
    testing.assert_equivariant(
        drop, O(3), in_reps=(SIGNAL,), out_reps=SIGNAL, shapes=((5, 4, 9),), dtype=dtype, max_examples=20
    )


def test_channels_go_or_stay_whole_and_are_scaled():
    x = jax.random.normal(jax.random.key(1), (50, 8, 9))
    ratio = np.asarray(drop(x, rate=0.25) / x)
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[..., :1], ratio.shape), rtol=1e-4, atol=1e-6)
    dropped = ratio[..., 0] == 0
    np.testing.assert_allclose(ratio[..., 0][~dropped], 1 / 0.75, rtol=1e-5)
    assert 0.2 < dropped.mean() < 0.3


def test_mean_is_kept():
    assert float(jnp.mean(drop(jnp.ones((500, 20, 4)), rate=0.3))) == pytest.approx(1, abs=0.03)


def test_keys_matter_and_decide():
    x = jnp.ones((5, 8, 9))
    np.testing.assert_array_equal(drop(x, seed=3), drop(x, seed=3))
    assert np.any(drop(x, seed=3) != drop(x, seed=4))


@pytest.mark.parametrize(("rate", "deterministic"), [(0.5, True), (0.0, False)])
def test_nothing_happens_when_deterministic_or_at_rate_zero(rate, deterministic):
    x = jnp.ones((5, 8, 9))
    np.testing.assert_array_equal(nn.Dropout(rate).apply({}, x, deterministic=deterministic), x)


def test_jit_vmap_and_grad():
    x = jax.random.normal(jax.random.key(1), (3, 4, 9))
    np.testing.assert_array_equal(jax.jit(drop)(x), drop(x))
    assert jax.jit(jax.vmap(drop))(x).shape == x.shape
    gradient = jax.grad(lambda x: drop(x).sum())(x)
    assert set(np.unique(gradient)) == {0.0, 2.0}


@pytest.mark.parametrize(
    ("rate", "x", "error", "message"),
    [
        (1.0, jnp.ones((4, 9)), ValueError, r"rate must be in \[0, 1\), got 1.0"),
        (-0.1, jnp.ones((4, 9)), ValueError, r"rate must be in \[0, 1\), got -0.1"),
        (0.5, jnp.ones(9), ValueError, r"x must have shape .*got \(9,\)"),
        (0.5, jnp.ones((4, 9), int), TypeError, "x must be .*got dtype int32"),
    ],
)
def test_wrong_calls_name_the_argument(rate, x, error, message):
    with pytest.raises(error, match=message):
        drop(x, rate=rate)

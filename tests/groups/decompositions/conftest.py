"""Derivatives of functions of one matrix, against central differences."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

# These functions run once or twice, so compile time is all their cost.
quick_jit = functools.partial(
    jax.jit, compiler_options={"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
)


@pytest.fixture
def assert_derivatives():
    """A function that checks forward and reverse derivatives at points ``(count, n, n)``."""

    def check(function, points, step=1e-5, tolerance=1e-7):
        def flat(x):
            leaves = jax.tree.leaves(function(x.reshape(points.shape[1:])))
            return jnp.concatenate([leaf.ravel() for leaf in leaves])

        x = jnp.asarray(points).reshape(len(points), -1)
        shifts = step * jnp.eye(x.shape[1])
        values = quick_jit(jax.vmap(jax.vmap(flat)))
        expected = (values(x[:, None] + shifts) - values(x[:, None] - shifts)) / (2 * step)
        for derivative in (jax.jacfwd, jax.jacrev):
            got = jnp.swapaxes(quick_jit(jax.vmap(derivative(flat)))(x), 1, 2)
            np.testing.assert_allclose(got, expected, atol=tolerance, rtol=tolerance)

    return check

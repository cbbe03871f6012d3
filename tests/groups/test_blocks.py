import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from equijax.groups.blocks import block_diagonal, kronecker

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(2, 2)), RNG.normal(size=(3, 3))


def test_kronecker_agrees_with_numpy(x64):
    np.testing.assert_allclose(jax.jit(kronecker)(A, B), np.kron(A, B), atol=1e-15)


def test_block_diagonal_agrees_with_scipy(x64):
    expected = scipy.linalg.block_diag(A, B, A)
    np.testing.assert_array_equal(jax.jit(lambda a, b: block_diagonal([a, b, a]))(A, B), expected)


def test_batch_axes_broadcast(x64):
    many = np.stack([A, 2 * A])
    np.testing.assert_allclose(kronecker(many, B)[1], np.kron(2 * A, B), atol=1e-15)
    np.testing.assert_array_equal(block_diagonal([B, many])[1], scipy.linalg.block_diag(B, 2 * A))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"a must have shape \(..., n, n\), got \(2, 3\)"):
        kronecker(jnp.zeros((2, 3)), jnp.eye(2))
    with pytest.raises(ValueError, match="blocks must hold at least one matrix"):
        block_diagonal([])
    with pytest.raises(ValueError, match=r"blocks must have shape \(..., d, d\), got \(2, 3\)"):
        block_diagonal([jnp.zeros((2, 3))])

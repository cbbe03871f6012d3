import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from equijax.groups import SU, U, Vector, complex_matrix, real_matrix

COUNT = 4000


@pytest.mark.parametrize("group", [U(1), U(3), SU(2), SU(3)], ids=repr)
def test_samples_are_unitary_with_haar_moments(group, x64):
    matrices = np.asarray(complex_matrix(group.sample(jax.random.key(1), (COUNT,))))
    n = group.n
    np.testing.assert_allclose(matrices @ np.conj(np.swapaxes(matrices, 1, 2)) - np.eye(n), 0, atol=1e-12)
    determinants = np.linalg.det(matrices)
    if isinstance(group, SU):
        np.testing.assert_allclose(determinants, 1, atol=1e-12)
    else:
        phases = np.angle(determinants) / np.pi
        assert scipy.stats.kstest(phases, scipy.stats.uniform(-1, 2).cdf).pvalue > 0.01
    # Haar: moments of the trace of SU(n) and U(n), and of the modulus of an entry.
    np.testing.assert_allclose(np.mean(np.abs(np.trace(matrices, axis1=1, axis2=2)) ** 2), 1, atol=0.1)
    np.testing.assert_allclose(np.mean(np.abs(matrices) ** 4, 0), 2 / (n * (n + 1)), atol=0.05)


def test_complex_multiplication_is_the_real_one(x64):
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 3, 3)) + 1j * random.normal(size=(2, 3, 3))
    vector = random.normal(size=3) + 1j * random.normal(size=3)
    np.testing.assert_allclose(real_matrix(a) @ real_matrix(b), real_matrix(a @ b), atol=1e-12)
    np.testing.assert_allclose(complex_matrix(real_matrix(a)), a)
    moved = Vector().act(real_matrix(a), np.r_[vector.real, vector.imag])
    np.testing.assert_allclose(moved, np.r_[(a @ vector).real, (a @ vector).imag], atol=1e-12)


def test_algebra(x64):
    assert [U(n).algebra_dim for n in (1, 2, 3)] == [1, 4, 9]
    assert [SU(n).algebra_dim for n in (2, 3)] == [3, 8]
    basis = np.asarray(complex_matrix(jnp.asarray(SU(3).algebra_basis())))
    np.testing.assert_allclose(basis + np.conj(np.swapaxes(basis, 1, 2)), 0)
    np.testing.assert_allclose(np.trace(basis, axis1=1, axis2=2), 0)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="n must be a number of at least 2, got 1"):
        SU(1)
    with pytest.raises(ValueError, match="n must be a number of at least 1, got 0"):
        U(0)
    with pytest.raises(ValueError, match=r"matrix must have an even size, got \(3, 3\)"):
        complex_matrix(jnp.eye(3))
    with pytest.raises(ValueError, match="matrix must have shape"):
        real_matrix(jnp.ones((2, 3)))

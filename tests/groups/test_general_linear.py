import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from equijax.groups import GL, SL

COUNT = 4000


def singular_values(group):
    matrices = np.asarray(group.sample(jax.random.key(0), (COUNT,)).matrix)
    return np.linalg.svd(matrices, compute_uv=False), np.linalg.det(matrices)


def test_samples_of_gl_have_log_uniform_singular_values(x64):
    values, determinants = singular_values(GL(3, bound=4.0))
    logs = np.log(values) / np.log(4.0)
    assert np.abs(logs).max() <= 1
    # Each is one of three independent uniform numbers; the largest has the cube of their distribution.
    assert scipy.stats.kstest(logs[:, 0], lambda x: ((x + 1) / 2) ** 3).pvalue > 0.01
    assert scipy.stats.binomtest(int(np.sum(determinants > 0)), COUNT).pvalue > 0.01


def test_samples_of_sl_have_determinant_one_and_bounded_singular_values(x64):
    values, determinants = singular_values(SL(3, bound=3.0))
    np.testing.assert_allclose(determinants, 1, atol=1e-10)
    assert np.abs(np.log(values)).max() <= np.log(3.0)
    values, _ = singular_values(SL(2, bound=3.0))
    # For n = 2 half of half the difference of two uniform numbers: a triangle, folded at zero.
    folded = 2 * np.log(values[:, 0]) / np.log(3.0)
    assert scipy.stats.kstest(folded, lambda x: 1 - (1 - np.clip(x, 0, 1)) ** 2).pvalue > 0.01


def test_samples_are_invariant_under_rotations(x64):
    matrices = np.asarray(SL(2).sample(jax.random.key(0), (COUNT,)).matrix)
    left = np.arctan2(matrices[:, 1, 0] - matrices[:, 0, 1], matrices[:, 0, 0] + matrices[:, 1, 1])
    assert scipy.stats.kstest(left / np.pi, scipy.stats.uniform(-1, 2).cdf).pvalue > 0.01


def test_dimensions_and_tracelessness():
    assert [GL(n).algebra_dim for n in (1, 2, 3)] == [1, 4, 9]
    assert [SL(n).algebra_dim for n in (2, 3, 4)] == [3, 8, 15]
    np.testing.assert_allclose(np.trace(SL(4).algebra_basis(), axis1=1, axis2=2), 0)
    assert np.linalg.det(np.asarray(SL(3).exp(jnp.full(8, 0.3)).matrix)) == pytest.approx(1, abs=1e-5)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="n must be a number of at least 2, got 1"):
        SL(1)
    for cls in (GL, SL):
        with pytest.raises(ValueError, match=r"bound must be a number above 1, got 0\.5"):
            cls(2, bound=0.5)

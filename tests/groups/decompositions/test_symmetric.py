import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from equijax.groups.decompositions import symmetric


def matrices(n, count=4, scale=1.0):
    x = np.random.default_rng(n).normal(size=(count, n, n)) * scale
    x = (x + np.swapaxes(x, 1, 2)) / 2
    return np.concatenate([x, np.zeros((1, n, n)), 3 * np.eye(n)[None]])


@pytest.mark.parametrize("n", [2, 3])
def test_exponential_is_that_of_scipy(x64, n):
    x = matrices(n)
    got = symmetric.exp_symmetric(jnp.asarray(x))
    np.testing.assert_allclose(got, [scipy.linalg.expm(each) for each in x], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(got, jax.vmap(symmetric.exp_symmetric)(jnp.asarray(x)), rtol=1e-12)


@pytest.mark.parametrize("n", [2, 3])
def test_gaps(x64, n):
    x = matrices(n)
    values = np.linalg.eigvalsh(x)
    i, j = np.triu_indices(n, 1)
    gap = np.maximum(values[:, j] - values[:, i], 1e-12)
    expected = np.log(np.sinh(gap) / gap).sum(axis=1)
    np.testing.assert_allclose(symmetric.log_sinhc_gaps(jnp.asarray(x)), expected, atol=1e-10)


def test_derivatives_are_exact_where_eigenvalues_coincide(x64, assert_derivatives):
    def gaps_and_exponential(x):
        x = x + jnp.swapaxes(x, 0, 1)
        return jnp.append(symmetric.exp_symmetric(x).ravel(), symmetric.log_sinhc_gaps(x))

    points = jnp.asarray([np.zeros((3, 3)), np.diag([1.0, 1.0, 2.0]), np.diag([0.3, -1.0, 0.5])])
    assert_derivatives(gaps_and_exponential, points)
    assert_derivatives(gaps_and_exponential, points[:, :2, :2])


def test_second_derivatives_in_the_plane(x64):
    def exponential_of_a_line(t):
        return symmetric.exp_symmetric(t * jnp.array([[1.0, 2.0], [2.0, 0.5]]))

    second = jax.jit(jax.jacfwd(jax.jacfwd(exponential_of_a_line)))(0.0)
    np.testing.assert_allclose(second, np.linalg.matrix_power([[1.0, 2.0], [2.0, 0.5]], 2), atol=1e-12)


def test_eigenvalues_have_the_gradients_of_symmetric_functions(x64):
    x = jnp.diag(jnp.array([2.0, 2.0, 5.0]))
    np.testing.assert_allclose(
        jax.jit(jax.grad(lambda x: jnp.sum(symmetric.eigenvalues(x) ** 2)))(x), 2 * x, atol=1e-12
    )


def test_wrong_shapes_are_named():
    with pytest.raises(ValueError, match=r"x must have shape \(..., n, n\), got \(2, 3\)"):
        symmetric.exp_symmetric(jnp.ones((2, 3)))
    with pytest.raises(TypeError, match="x must be a real floating-point array"):
        symmetric.log_sinhc_gaps(jnp.ones((2, 2), int))

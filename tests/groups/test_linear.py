import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from equijax.groups import GL, SL, Irreps, LinearMap, U, Vector, principal_log
from equijax.groups.linear import coordinates, stretch


def test_logarithms_against_scipy(x64):
    random = np.random.default_rng(0)
    for n, size in [(2, 0.5), (3, 1.0), (4, 1.5)]:
        matrix = scipy.linalg.expm(size * random.normal(size=(n, n)))
        np.testing.assert_allclose(principal_log(matrix), scipy.linalg.logm(matrix), atol=1e-10)
    turn = scipy.linalg.expm(3.1 * np.array([[0.0, -1], [1, 0]]))
    np.testing.assert_allclose(principal_log(turn), 3.1 * np.array([[0.0, -1], [1, 0]]), atol=1e-10)


def test_gradients_of_logarithms_are_finite_and_right(x64):
    tangent = np.random.default_rng(1).normal(size=(3, 3))
    value, derivative = jax.jvp(principal_log, (jnp.eye(3),), (tangent,))
    np.testing.assert_allclose(value, 0, atol=1e-14)
    np.testing.assert_allclose(derivative, tangent, atol=1e-12)
    assert np.all(np.isfinite(jax.jit(jax.jacrev(principal_log))(jnp.diag(jnp.array([1.0, 1.0, 2.0])))))


def test_batches():
    matrices = jnp.stack([jnp.eye(2), 2 * jnp.eye(2)])
    np.testing.assert_allclose(principal_log(matrices), np.log([1, 2])[:, None, None] * np.eye(2), atol=1e-5)
    np.testing.assert_allclose(jax.vmap(principal_log)(matrices), principal_log(matrices), atol=1e-6)


def test_elements_tell_whether_they_preserve_lengths():
    assert isinstance(GL(3).identity(), LinearMap)
    assert U(1).identity().shape == (2, 2)
    with pytest.raises(TypeError, match="preserves lengths, got LinearMap: Irreps do not act"):
        Irreps("1o").act(GL(3).identity(), jnp.ones(3))
    np.testing.assert_array_equal(Vector().act(LinearMap(2 * jnp.eye(2)), jnp.ones(2)), [2, 2])


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"matrix must have shape \(\.\.\., n, n\), got \(2, 3\)"):
        principal_log(jnp.ones((2, 3)))
    with pytest.raises(ValueError, match=r"matrix must have shape \(\.\.\., 2, 2\), got \(3, 3\)"):
        coordinates(jnp.eye(3), np.eye(2)[None])
    with pytest.raises(ValueError, match=r"logs must have shape \(\.\.\., n\), n=2, got \(3,\)"):
        stretch(jnp.eye(2), jnp.ones(3), jnp.eye(2))
    with pytest.raises(TypeError, match=r"a LinearMap, got a single array"):
        SL(2).inverse(jnp.eye(2))

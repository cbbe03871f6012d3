import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from equijax.groups import GL, SL, Affine, Translation
from equijax.groups.decompositions import log_positive, polar, polar_gram, polar_stretch


def elements(n, count=8):
    """Matrices of both components, two of a large condition number, the identity, a scaled reflection."""
    random = np.random.default_rng(n)
    g = random.normal(size=(count, n, n))
    g[0] @= np.diag([1e3, *[1.0] * (n - 1)])
    g[1] @= np.diag([1e-3, *[1.0] * (n - 1)])
    return np.concatenate([g, np.eye(n)[None], 2 * np.diag([-1.0, *[1.0] * (n - 1)])[None]])


@pytest.mark.parametrize("n", [2, 3, 4])
def test_factors_are_those_of_scipy(x64, n):
    g = elements(n)
    factors = jax.jit(polar)(jnp.asarray(g))
    for each, x, rotation in zip(g, factors.log_stretch, factors.rotation, strict=True):
        expected, stretch = scipy.linalg.polar(each, side="left")
        np.testing.assert_allclose(rotation, expected, atol=1e-11)
        np.testing.assert_allclose(x, scipy.linalg.logm(stretch), atol=1e-11)
    np.testing.assert_allclose(factors.matrix(), g, rtol=1e-11, atol=1e-12)
    inverses = factors.inverse_matrix() @ g
    np.testing.assert_allclose(inverses, np.broadcast_to(np.eye(n), g.shape), atol=1e-9)


@pytest.mark.parametrize("n", [2, 3])
def test_single_precision_is_not_that_of_a_squared_matrix(n):
    random = np.random.default_rng(n)
    u, _, v = np.linalg.svd(random.normal(size=(50, n, n)))
    g = u * np.geomspace(1.0, 1e-3, n) @ v
    factors = jax.jit(polar)(jnp.asarray(g, jnp.float32))
    np.testing.assert_allclose(factors.matrix(), g, atol=2e-6)
    turned = factors.rotation @ jnp.swapaxes(factors.rotation, 1, 2)
    np.testing.assert_allclose(turned, np.broadcast_to(np.eye(n), g.shape), atol=2e-6)
    # From g g^T the smallest singular value would be lost: its square is 1e-6, with an error of 1e-7.
    smallest = np.linalg.eigvalsh(np.asarray(factors.log_stretch, np.float64))[:, 0]
    np.testing.assert_allclose(smallest, np.log(1e-3), atol=1e-3)


@pytest.mark.parametrize("n", [2, 3])
def test_rotations_from_the_right_leave_the_stretch(x64, n):
    g, k = (group.sample(jax.random.key(0), (5,)).matrix for group in (GL(n), SL(n)))
    k = polar(k).rotation
    x = polar(g).log_stretch
    np.testing.assert_allclose(polar(g @ k).log_stretch, x, atol=1e-12)
    turned = k @ x @ jnp.swapaxes(k, 1, 2)
    np.testing.assert_allclose(polar(k @ g).log_stretch, turned, atol=1e-12)


def test_the_stretch_is_traceless_exactly_if_the_determinant_is_one(x64):
    for n in (2, 3):
        x = polar(SL(n).sample(jax.random.key(1), (5,))).log_stretch
        np.testing.assert_allclose(jnp.trace(x, axis1=1, axis2=2), 0, atol=1e-12)
        g = GL(n).sample(jax.random.key(1), (5,))
        logs = jnp.linalg.slogdet(g.matrix)[1]
        np.testing.assert_allclose(jnp.trace(polar(g).log_stretch, axis1=1, axis2=2), logs, atol=1e-12)


@pytest.mark.parametrize("n", [2, 3])
def test_other_forms(x64, n):
    g = elements(n)[2:]
    for form in (polar_stretch, polar_gram):
        np.testing.assert_allclose(form(g).matrix(), g, atol=1e-11)
    np.testing.assert_allclose(polar_gram(g).gram, g @ np.swapaxes(g, 1, 2), atol=1e-12)
    np.testing.assert_allclose(log_positive(polar_stretch(g).stretch), polar(g).log_stretch, atol=1e-11)


@pytest.mark.parametrize("n", [2, 3])
def test_gradients_at_the_identity_and_at_equal_singular_values(x64, n, assert_derivatives):
    # The eigenvalues of g g^T coincide there, and the gradient of an eigenvector is infinite.
    turn = scipy.linalg.expm(np.triu(np.ones((n, n)), 1) - np.tril(np.ones((n, n)), -1))
    assert_derivatives(polar, np.array([np.eye(n), 2 * turn, turn @ np.diag([2.0, *[1.0] * (n - 1)])]))


def test_derivative_at_the_identity_is_the_cartan_split(x64):
    tangent = jnp.asarray(np.random.default_rng(0).normal(size=(3, 3)))
    _, change = jax.jvp(polar, (jnp.eye(3),), (tangent,))
    np.testing.assert_allclose(change.log_stretch, (tangent + tangent.T) / 2, atol=1e-12)
    np.testing.assert_allclose(change.rotation, (tangent - tangent.T) / 2, atol=1e-12)


def test_elements_of_every_group_on_space(x64):
    g = Affine(2).sample(jax.random.key(0), (3,))
    np.testing.assert_allclose(jax.jit(jax.vmap(polar))(g).matrix(), g.linear, atol=1e-12)
    np.testing.assert_allclose(polar(Translation(3).identity()).log_stretch, np.zeros((3, 3)))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"g must have shape \(..., n, n\), got \(2, 3\)"):
        polar(jnp.ones((2, 3)))
    with pytest.raises(TypeError, match="g must be a real floating-point array, got dtype int32"):
        polar(jnp.eye(2, dtype=int))
    with pytest.raises(TypeError, match="g must be a group element with a linear part, got str"):
        polar("g")

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from equijax.groups import SO, Quaternion, S, Spinor, UnitQuaternions, Vector
from equijax.groups.quaternions import multiplication

GROUP = UnitQuaternions()


def test_exponentials_cover_rotations_twice(x64):
    turns = np.random.default_rng(0).uniform(-1, 1, size=(20, 3)) * np.linspace(0, 3.5, 20)[:, None]
    q = GROUP.exp(turns)
    np.testing.assert_allclose(jnp.linalg.norm(q.components, axis=-1), 1, atol=1e-14)
    np.testing.assert_allclose(Vector().matrix(q), SO(3).exp(turns), atol=1e-12)
    opposite = Quaternion(-q.components)
    np.testing.assert_allclose(Vector().matrix(opposite), Vector().matrix(q), atol=1e-14)
    np.testing.assert_allclose(Spinor().matrix(opposite), -Spinor().matrix(q), atol=1e-14)


def test_logarithms_reach_up_to_two_full_turns(x64):
    axis = np.array([0.6, 0.0, -0.8])
    for angle in (0.0, 1e-9, 0.1, 1.0, 3.0, np.pi, 4.0, 6.2, 2 * np.pi - 1e-6):
        np.testing.assert_allclose(GROUP.log(GROUP.exp(angle * axis)), angle * axis, atol=1e-8)
    for at in (jnp.array([1.0, 0, 0, 0]), jnp.array([-1.0, 0, 0, 0]), GROUP.exp(axis).components):
        assert np.all(np.isfinite(GROUP.log(Quaternion(at))))
        assert np.all(np.isfinite(jax.jacrev(lambda q: GROUP.log(Quaternion(q)))(at)))


def test_hamilton_products(x64):
    one, i, j, k = np.eye(4)
    for a, b, c in [(i, j, k), (j, k, i), (k, i, j), (i, i, -one), (one, k, k), (j, i, -k)]:
        np.testing.assert_array_equal(multiplication(a) @ b, c)
        np.testing.assert_array_equal(GROUP.compose(Quaternion(a), Quaternion(b)).components, c)


def test_samples_are_uniform_on_the_sphere(x64):
    w = np.asarray(GROUP.sample(jax.random.key(0), (4000,)).components)[:, 0]
    # The marginal of the uniform measure on S^3 is Wigner's semicircle.
    assert scipy.stats.kstest(w, scipy.stats.semicircular.cdf).pvalue > 0.01
    assert GROUP.is_compact


def test_spinors_need_quaternions():
    with pytest.raises(TypeError, match=r"S\(3\) has no representation Spinor\(\): g must be a Quaternion"):
        Spinor().shape(S(3))
    with pytest.raises(ValueError, match=r"q must have shape \(\.\.\., 4\)"):
        multiplication(jnp.ones(3))

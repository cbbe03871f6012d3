import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import SO, E, O, Point, Pseudoscalar, Pseudovector, S, Trivial, TrivialGroup, Vector

INVERSION = -jnp.eye(3)


def test_cross_products_of_vectors_are_pseudovectors(x64):
    a, b = jax.random.normal(jax.random.key(0), (2, 3))
    for g in O(3).sample(jax.random.key(1), (6,)):
        moved = jnp.cross(Vector().act(g, a), Vector().act(g, b))
        np.testing.assert_allclose(Pseudovector().act(g, jnp.cross(a, b)), moved, atol=1e-14)


def test_triple_products_are_pseudoscalars(x64):
    frame = jax.random.normal(jax.random.key(0), (3, 3))
    for g in O(3).sample(jax.random.key(1), (6,)):
        moved = jnp.linalg.det(Vector().act(g, frame))
        np.testing.assert_allclose(Pseudoscalar().act(g, jnp.linalg.det(frame)), moved, atol=1e-14)


def test_differences_of_points_are_vectors(x64):
    p, q = jax.random.normal(jax.random.key(0), (2, 3))
    g = E(3).sample(jax.random.key(1))
    np.testing.assert_allclose(Point().act(g, p) - Point().act(g, q), Vector().act(g, p - q), atol=1e-14)


def test_trivial_acts_for_every_group_on_arrays_of_any_kind():
    group = S(4) * E(3)
    g = group.sample(jax.random.key(0))
    species = jnp.array([1, 6, 6, 8])
    assert Trivial().act(g, species).dtype == species.dtype
    tree = {"species": species, "flag": jnp.array(True), "none": None}
    moved = Trivial().act(g, tree)
    np.testing.assert_array_equal(moved["species"], species)
    assert Trivial().shape(group) == Trivial().shape(TrivialGroup()) == ()
    assert Trivial().matrix(group.sample(jax.random.key(0), (5,))).shape == (5, 1, 1)


def test_points_are_affine():
    assert not Point().is_linear
    for call in (Point().dual, lambda: Point().matrix(INVERSION)):
        with pytest.raises(TypeError, match=r"Point\(\) is affine"):
            call()


def test_dtypes_are_kept():
    with jax.enable_x64(True):
        g = O(3).sample(jax.random.key(0), dtype=jnp.float64)
        for dtype in (jnp.bfloat16, jnp.float32, jnp.float64, jnp.complex64):
            assert Vector().act(g, jnp.ones(3, dtype)).dtype == dtype
        assert Vector().act(g, jnp.ones(3, int)).dtype == jnp.float64


def test_gradients_are_the_transposed_action(x64):
    g = E(3).sample(jax.random.key(0))
    x, y = jax.random.normal(jax.random.key(1), (2, 3))
    gradient = jax.jit(jax.grad(lambda x: Point().act(g, x) @ y))(x)
    np.testing.assert_allclose(gradient, g.linear.T @ y, atol=1e-14)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"x must have shape \(..., 3\) for Vector\(\) .*, got \(2,\)"):
        Vector().act(INVERSION, jnp.ones(2))
    with pytest.raises(ValueError, match=r"x must have shape \(..., 3\) .* got \(\)"):
        Vector().act(INVERSION, 1.0)
    with pytest.raises(TypeError, match="a permutation acts by PermutationTensor"):
        Vector().act(jnp.arange(3), jnp.ones(3))
    with pytest.raises(TypeError, match="as in A @ B"):
        Vector().act((jnp.arange(2), INVERSION), jnp.ones(3))
    with pytest.raises(TypeError, match=r"with a linear part, got Unit"):
        Pseudoscalar().shape(TrivialGroup())
    with pytest.raises(TypeError, match="group must be a Group"):
        Vector().shape(3)
    assert Vector().shape(SO(3)) == (3,)

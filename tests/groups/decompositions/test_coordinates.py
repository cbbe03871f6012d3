import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from equijax.groups import GL, SL, SO, Affine, LinearMap, linear_part
from equijax.groups.decompositions import (
    coordinate_basis,
    coordinates,
    from_coordinates,
    num_symmetric,
    polar_features,
)

pytestmark = pytest.mark.usefixtures("x64")
GROUPS = [GL(2), SL(2), SO(2), GL(3), SL(3), SO(3)]


def elements(group):
    if isinstance(group, SO):
        return group.sample(jax.random.key(0), (6,))
    matrix = np.array(group.sample(jax.random.key(0), (6,)).matrix)
    matrix[np.linalg.det(matrix) < 0, :, 0] *= -1
    return LinearMap(jnp.asarray(matrix))


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_basis_is_orthonormal_and_spans_the_algebra(group):
    basis = coordinate_basis(group).reshape(-1, group.n**2)
    np.testing.assert_allclose(basis @ basis.T, np.eye(group.algebra_dim), atol=1e-12)
    algebra = group.algebra_basis().reshape(-1, group.n**2)
    np.testing.assert_allclose(algebra @ basis.T @ basis, algebra, atol=1e-12)


def test_the_basis_of_the_plane_is_the_papers():
    root = np.sqrt(0.5)
    expected = [[1, 0, 0, 0], [0, root, root, 0], [0, 0, 0, 1], [0, -root, root, 0]]
    np.testing.assert_allclose(coordinate_basis(GL(2)).reshape(4, 4), expected)
    expected = [[0, root, root, 0], [root, 0, 0, -root], [0, -root, root, 0]]
    np.testing.assert_allclose(coordinate_basis(SL(2)).reshape(3, 4), expected)


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_round_trip_and_oracle(group):
    g = elements(group)
    coords = jax.jit(lambda g: coordinates(group, g))(g)
    again = jax.jit(lambda coords: from_coordinates(group, coords))(coords)
    np.testing.assert_allclose(linear_part(again), linear_part(g), atol=1e-12)
    for each, got in zip(linear_part(g), coords, strict=True):
        rotation, stretch = scipy.linalg.polar(each, side="left")
        matrix = scipy.linalg.logm(stretch) + scipy.linalg.logm(rotation)
        expected = coordinate_basis(group).reshape(-1, group.n**2) @ matrix.ravel()
        np.testing.assert_allclose(got, expected, atol=1e-10)
    np.testing.assert_allclose(coordinates(group, group.identity()), 0, atol=1e-15)


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_conjugation_by_rotations_is_their_adjoint_action(group):
    g, k = linear_part(elements(group)), SO(group.n).sample(jax.random.key(1), (6,))
    basis = jnp.asarray(coordinate_basis(group))
    conjugate = k @ g @ jnp.swapaxes(k, 1, 2)
    conjugate = conjugate if isinstance(group, SO) else LinearMap(conjugate)
    matrix = jnp.einsum("bk,kij->bij", coordinates(group, elements(group)), basis)
    expected = jnp.einsum("bij,kij->bk", k @ matrix @ jnp.swapaxes(k, 1, 2), basis)
    np.testing.assert_allclose(coordinates(group, conjugate), expected, atol=1e-11)


def test_elements_that_the_exponential_misses_have_coordinates():
    g = LinearMap(jnp.diag(jnp.array([-2.0, -0.5])))
    assert np.abs(np.imag(scipy.linalg.logm(np.asarray(g.matrix)))).max() > 1  # no real logarithm
    coords = coordinates(SL(2), g)
    np.testing.assert_allclose(from_coordinates(SL(2), coords).matrix, g.matrix, atol=1e-12)
    assert np.linalg.norm(coords) == pytest.approx(np.hypot(np.sqrt(2) * np.log(2), np.sqrt(2) * np.pi))


def test_reflections_have_none():
    assert np.isnan(coordinates(GL(2), LinearMap(jnp.diag(jnp.array([1.0, -1.0]))))).all()


@pytest.mark.parametrize("group", [GL(2), SL(2), SO(2), GL(3)], ids=repr)
def test_features_are_smooth_at_the_identity_and_at_half_a_turn(group):
    """The angle in [0, 2 pi) jumps at the identity, where most relative elements lie; these do not jump."""
    features = jax.jit(lambda coords: polar_features(group, from_coordinates(group, coords)))
    axis = jnp.zeros(group.algebra_dim).at[-1].set(np.sqrt(2))
    for angle in (0.0, np.pi):
        before, after = features(jnp.stack([(angle + step) * axis for step in (-1e-6, 1e-6)]))
        assert 1e-7 < np.abs(after - before).max() < 3e-6
    jumps = [coordinates(group, from_coordinates(group, (np.pi + step) * axis)) for step in (-1e-6, 1e-6)]
    assert np.abs(jumps[0] - jumps[1]).max() > 6


def test_gradients_and_batches():
    for group in (SL(2), GL(3)):
        dim = group.algebra_dim

        def both_ways(coords, group=group):
            return coordinates(group, from_coordinates(group, coords))

        jacobian = jax.jit(jax.jacrev(both_ways))(jnp.zeros(dim))
        np.testing.assert_allclose(jacobian, np.eye(dim), atol=1e-9)
        features = jax.vmap(lambda g, group=group: polar_features(group, g))(elements(group))
        np.testing.assert_allclose(features, polar_features(group, elements(group)), atol=1e-12)
        assert features.shape[-1] == num_symmetric(group) + (2 if group.n == 2 else 9)


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match=r"group must be GL\(n\), SL\(n\) or SO\(n\), got Affine\(2\)"):
        coordinate_basis(Affine(2))
    with pytest.raises(ValueError, match=r"coords must have shape \(..., dim\), dim=3, got \(4,\)"):
        from_coordinates(SL(2), jnp.zeros(4))
    with pytest.raises(TypeError, match=r"g must be an element of SL\(2\)"):
        coordinates(SL(2), jnp.eye(2))

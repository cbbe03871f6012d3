import e3nn_jax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import SE, SO, Cyclic, E, Irreps, O, Point, Pseudovector, Translation, Vector, wigner

ALL = "2x0e+0o+1o+1e+2x2e+3o+4e"


def improper(key):
    return -SO(3).sample(key)


def test_matrices_are_those_of_e3nn(x64):
    for g in (SO(3).sample(jax.random.key(0)), improper(jax.random.key(1))):
        expected = e3nn_jax.Irreps(ALL).D_from_matrix(g)
        np.testing.assert_allclose(Irreps(ALL).matrix(g), expected, atol=1e-12)


def test_spherical_harmonics_of_e3nn_transform_by_them(x64):
    irreps = e3nn_jax.s2_irreps(6)
    x = jax.random.normal(jax.random.key(0), (7, 3))
    for g in (SO(3).sample(jax.random.key(1)), improper(jax.random.key(2))):
        left = e3nn_jax.spherical_harmonics(irreps, Vector().act(g, x), normalize=True)
        right = Irreps(irreps).act(g, e3nn_jax.spherical_harmonics(irreps, x, normalize=True))
        assert isinstance(right, e3nn_jax.IrrepsArray)
        assert right.irreps == irreps
        np.testing.assert_allclose(right.array, left.array, atol=1e-12)


def test_tensor_products_of_e3nn_are_equivariant(x64):
    irreps = e3nn_jax.Irreps("1o+2e+3x1e")
    x = e3nn_jax.IrrepsArray(irreps, jax.random.normal(jax.random.key(0), (irreps.dim,)))
    y = e3nn_jax.tensor_product(x, x)
    g = improper(jax.random.key(1))
    moved = Irreps(irreps).act(g, x)
    expected = e3nn_jax.tensor_product(moved, moved)
    np.testing.assert_allclose(Irreps(y.irreps).act(g, y).array, expected.array, atol=1e-12)


def test_degree_one_is_the_vector_and_its_mirror(x64):
    g = O(3).sample(jax.random.key(3), (5,))
    np.testing.assert_allclose(Irreps("1o").matrix(g), Vector().matrix(g), atol=1e-14)
    np.testing.assert_allclose(Irreps("1e").matrix(g), Pseudovector().matrix(g), atol=1e-14)


@pytest.mark.parametrize("l", [8, 16])
def test_high_degrees_stay_exact(l, x64):
    g, h = SO(3).sample(jax.random.key(l), (2,))
    d_g, d_h, d_gh = (wigner(r, l)[l] for r in (g, h, g @ h))
    np.testing.assert_allclose(d_g @ d_h, d_gh, atol=1e-12)
    np.testing.assert_allclose(d_g @ d_g.T, np.eye(2 * l + 1), atol=1e-12)
    # The character depends on the angle alone: sin((2 l + 1) t / 2) / sin(t / 2).
    t = jnp.linalg.norm(SO(3).log(g))
    np.testing.assert_allclose(jnp.trace(d_g), jnp.sin((2 * l + 1) * t / 2) / jnp.sin(t / 2), atol=1e-11)


def test_rigid_motions_act_by_their_linear_part():
    x = jnp.arange(4.0)
    for group in (SE(3), E(3)):
        g = group.sample(jax.random.key(0))
        np.testing.assert_array_equal(Irreps("0e+1o").act(g, x), Irreps("0e+1o").act(g.linear, x))
    shift = Translation(3).sample(jax.random.key(0))
    np.testing.assert_array_equal(Irreps("0e+1o").act(shift, x), x)


def test_constants_made_inside_jit_are_in_double_precision():
    # The first call at a degree builds the coefficients; it may be under jit and in single precision.
    assert jax.jit(lambda r: wigner(r, 11)[11])(jnp.eye(3)).dtype == jnp.float32
    with jax.enable_x64(True):
        g, h = SO(3).sample(jax.random.key(0), (2,))
        np.testing.assert_allclose(wigner(g, 11)[11] @ wigner(h, 11)[11], wigner(g @ h, 11)[11], atol=1e-12)


def test_gradients_are_finite_where_angles_are_singular():
    def energy(a):
        return jnp.sum(Irreps("2e").act(SO(3).exp(a), jnp.arange(5.0)) * jnp.arange(5.0)[::-1])

    for a in (jnp.zeros(3), jnp.array([0.0, jnp.pi, 0.0])):
        assert jnp.all(jnp.isfinite(jax.jit(jax.hessian(energy))(a)))


@pytest.mark.parametrize(
    ("text", "canonical", "dim"),
    [
        ("1o", "1x1o", 3),
        ("2x0e + 1o", "2x0e+1x1o", 5),
        ("3x2y+1y", "3x2e+1x1o", 18),
        ("", "", 0),
        (e3nn_jax.Irreps(""), "", 0),
        (e3nn_jax.Irreps("0x1o+2e"), "0x1o+1x2e", 5),
    ],
)
def test_strings(text, canonical, dim):
    irreps = Irreps(text)
    assert irreps.irreps == canonical
    assert irreps.dim == dim == e3nn_jax.Irreps(canonical).dim
    assert irreps == Irreps(canonical)
    assert irreps.act(jnp.eye(3), jnp.ones((2, dim))).shape == (2, dim)
    assert irreps.matrix(jnp.eye(3)).shape == (dim, dim)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r'irreps must look like "2x0e\+1o", got .*: cannot read .1z'):
        Irreps("2x0e+1z")
    with pytest.raises(ValueError, match=r"g must act on R\^3 for Irreps.*, got one that acts on R\^2"):
        Irreps("1o").act(Cyclic(4).identity(), jnp.ones(3))
    with pytest.raises(ValueError, match=r"x must have shape \(..., 3\) for Irreps.* got \(4,\)"):
        Irreps("1o").act(jnp.eye(3), jnp.ones(4))
    with pytest.raises(ValueError, match=r"x must have the irreps 1x1o, got 3x0e"):
        Irreps("1o").act(jnp.eye(3), e3nn_jax.IrrepsArray("3x0e", jnp.ones(3)))
    with pytest.raises(ValueError, match="lmax must be a number of at least 0"):
        wigner(jnp.eye(3), -1)


def test_points_are_not_irreps():
    g = E(3).sample(jax.random.key(0))
    assert not np.allclose(Point().act(g, jnp.ones(3)), Irreps("1o").act(g, jnp.ones(3)))

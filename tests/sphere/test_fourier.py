"""Fourier series on the torus: there and back, products, and values at angles."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import sphere
from equijax.numerics import quadrature


def random_signal(lmax, *leading, seed=0):
    return np.random.default_rng(seed).normal(size=(*leading, (lmax + 1) ** 2))


@pytest.mark.parametrize("lmax", [0, 1, 2, 5, 10, 20])
def test_there_and_back(x64, lmax):
    x = random_signal(lmax, 3)
    fourier = sphere.fourier_from_harmonics(x)
    assert fourier.shape == (3, 2 * lmax + 1, lmax + 1)
    assert fourier.dtype == jnp.complex128
    np.testing.assert_allclose(sphere.harmonics_from_fourier(fourier, lmax), x, atol=1e-12)


def test_series_has_the_values_of_the_signal(x64):
    lmax = 5
    x = random_signal(lmax)
    fourier = np.asarray(sphere.fourier_from_harmonics(x))
    theta, phi = np.random.default_rng(1).uniform(0, np.pi, (2, 20))
    points = np.stack([np.sin(theta) * np.sin(phi), np.cos(theta), np.sin(theta) * np.cos(phi)], axis=-1)
    u, v = np.arange(-lmax, lmax + 1), np.arange(lmax + 1)
    waves = np.exp(1j * (theta[:, None, None] * u[:, None] + phi[:, None, None] * v))
    # The half with v < 0 is the complex conjugate.
    values = np.sum(fourier * waves * np.where(v > 0, 2, 1), axis=(1, 2)).real
    np.testing.assert_allclose(values, sphere.spherical_harmonics(lmax, points) @ x, atol=1e-12)


def test_frequencies_have_the_parity_of_the_degree(x64):
    x = np.where(sphere.degree_index(4) == 3, random_signal(4), 0.0)
    fourier = np.asarray(sphere.fourier_from_harmonics(x))
    assert np.abs(fourier[[0, 2, 4, 6, 8]]).max() < 1e-14  # u = -4, -2, 0, 2, 4
    assert np.abs(fourier[[1, 3, 5, 7]]).max() > 1e-2


@pytest.mark.parametrize(("bandwidth", "lmax"), [(4, 2), (2, 6), (0, 3), (3, 0), (5, 5)])
def test_projection_is_the_integral_over_the_sphere(x64, bandwidth, lmax):
    # Any trigonometric polynomial has a projection, also one that is not smooth on the sphere.
    random = np.random.default_rng(bandwidth)
    fourier = random.normal(size=(2 * bandwidth + 1, bandwidth + 1, 2)) @ np.array([1, 1j])
    # A real function has conjugate symmetry in the column v = 0.
    fourier[:, 0] = (fourier[:, 0] + fourier[::-1, 0].conj()) / 2
    nodes, weights = quadrature.gauss_legendre(80)
    theta, weights = (nodes + 1) * np.pi / 2, weights * np.pi / 2
    phi = quadrature.periodic(40).points
    u, v = np.arange(-bandwidth, bandwidth + 1), np.arange(bandwidth + 1)
    columns = np.exp(1j * np.outer(theta, u)) @ (fourier * np.where(v > 0, 2, 1))
    values = (columns @ np.exp(1j * np.outer(v, phi))).real
    sin, cos = np.sin(theta)[:, None], np.cos(theta)[:, None]
    points = np.stack([sin * np.sin(phi), np.broadcast_to(cos, values.shape), sin * np.cos(phi)], axis=-1)
    harmonics = np.asarray(sphere.spherical_harmonics(lmax, points))
    measure = weights[:, None] * sin * (2 * np.pi / 40)
    expected = np.einsum("tp,tpk->k", values * measure, harmonics)
    np.testing.assert_allclose(sphere.harmonics_from_fourier(fourier, lmax), expected, atol=1e-12)


@pytest.mark.parametrize("lmax", [0, 1, 4, 20])
def test_there_and_back_by_the_grid_is_exact_at_twice_the_degree(x64, lmax):
    x, grid = random_signal(lmax, 2), sphere.separable_grid(2 * lmax)
    fourier = sphere.fourier_from_harmonics(x)
    values = sphere.fourier_to_grid(fourier, grid)
    np.testing.assert_allclose(values, sphere.to_separable_grid(x, grid), atol=1e-12)
    np.testing.assert_allclose(sphere.fourier_from_grid(values, grid, lmax), fourier, atol=1e-12)


@pytest.mark.parametrize("direction", ["polar", "azimuthal"])
def test_there_and_back_by_a_grid_of_one_ring_or_column_less_is_wrong(x64, direction):
    rings, columns = sphere.separable_grid(8)
    grid = sphere.SeparableGrid(rings - (direction == "polar"), columns - (direction == "azimuthal"))
    fourier = sphere.fourier_from_harmonics(random_signal(4))
    back = sphere.fourier_from_grid(sphere.fourier_to_grid(fourier, grid), grid, 4)
    assert np.abs(back - fourier).max() > 1e-2


@pytest.mark.parametrize(("l1", "l2"), [(0, 0), (1, 3), (4, 2), (5, 5)])
def test_products_are_convolutions(x64, l1, l2):
    x, y = (sphere.fourier_from_harmonics(random_signal(l, seed=l)) for l in (l1, l2))
    full_x, full_y = (whole_plane(np.asarray(half)) for half in (x, y))
    size = full_x.shape[0] + full_y.shape[0] - 1
    convolved = np.fft.ifft2(np.fft.fft2(full_x, (size, size)) * np.fft.fft2(full_y, (size, size)))
    found = sphere.multiply_fourier(x, y)
    assert found.shape == (2 * (l1 + l2) + 1, l1 + l2 + 1)
    np.testing.assert_allclose(whole_plane(np.asarray(found)), convolved, atol=1e-12)


def whole_plane(half):
    """All the coefficients of a real function from the half with v ≥ 0."""
    return np.concatenate([half[::-1, :0:-1].conj(), half], axis=1)


def test_batch_axes_broadcast(x64):
    x = sphere.fourier_from_harmonics(random_signal(2, 4, 1))
    y = sphere.fourier_from_harmonics(random_signal(1, 3))
    product = sphere.multiply_fourier(x, y)
    assert product.shape == (4, 3, 7, 4)
    np.testing.assert_allclose(product[2, 1], sphere.multiply_fourier(x[2, 0], y[1]), atol=1e-13)


def test_single_precision_stays_and_is_close_to_double():
    x = random_signal(8, 16)

    def square(x):
        return sphere.harmonics_from_fourier(
            sphere.multiply_fourier(*[sphere.fourier_from_harmonics(x)] * 2), 8
        )

    rough = square(jnp.asarray(x, jnp.float32))
    assert rough.dtype == jnp.float32
    with jax.enable_x64(True):
        exact = np.asarray(square(x))
    assert np.linalg.norm(rough - exact) < 1e-6 * np.linalg.norm(exact)


def test_works_under_jit_vmap_and_grad():
    def loss(x):
        fourier = sphere.fourier_from_harmonics(x)
        return jnp.sum(sphere.harmonics_from_fourier(sphere.multiply_fourier(fourier, fourier), 2) ** 2)

    x = jnp.asarray(random_signal(2, 3), jnp.float32)
    np.testing.assert_allclose(jax.jit(jax.vmap(loss))(x), [jax.jit(loss)(row) for row in x], rtol=1e-4)
    assert not jax.jit(jax.grad(loss))(jnp.zeros(9)).any()


HALF = np.zeros((3, 2), complex)
WRONG_CALLS = [
    (functools.partial(sphere.fourier_from_harmonics, np.ones(5)), ValueError, "coefficients must .*got 5"),
    (
        functools.partial(sphere.fourier_from_harmonics, np.ones(4, int)),
        TypeError,
        "coefficients must be .*int",
    ),
    (functools.partial(sphere.harmonics_from_fourier, HALF[:2], 1), ValueError, r"fourier .*got \(2, 2\)"),
    (
        functools.partial(sphere.harmonics_from_fourier, HALF.real, 1),
        TypeError,
        "fourier must be a complex .*got",
    ),
    (functools.partial(sphere.harmonics_from_fourier, HALF, -1), ValueError, "lmax must be .*got -1"),
    (functools.partial(sphere.fourier_to_grid, HALF, 4), TypeError, "grid must be a SeparableGrid.*got 4"),
    (
        functools.partial(sphere.fourier_to_grid, HALF.real, sphere.SeparableGrid(1, 2)),
        TypeError,
        "fourier must be a complex array, got dtype float",
    ),
    (
        functools.partial(sphere.multiply_fourier, HALF, HALF[0]),
        ValueError,
        r"y must have shape .*got \(2,\)",
    ),
    (
        functools.partial(sphere.multiply_fourier, HALF.real, HALF),
        TypeError,
        "x must be a complex .*got dtype",
    ),
    (
        functools.partial(sphere.multiply_fourier, np.stack([HALF] * 2), np.stack([HALF] * 3)),
        ValueError,
        r"y must have leading axes .*of x, \(2,\), got \(3,\)",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()

"""Separable grids: the same values as any grid, exact at their degree and not below, in either direction."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import sphere
from equijax.sphere.separable import analysis, synthesis


def random_signal(lmax, *leading, seed=0):
    return np.random.default_rng(seed).normal(size=(*leading, (lmax + 1) ** 2))


@pytest.mark.parametrize("lmax", [0, 1, 4, 11])
def test_values_are_those_of_the_harmonics(x64, lmax):
    grid, x = sphere.SeparableGrid(4, 7), random_signal(lmax, 2, 3)
    values = sphere.to_separable_grid(x, grid)
    assert values.shape == (2, 3, 4, 7)
    expected = x @ np.asarray(sphere.spherical_harmonics(lmax, grid.points())).reshape(28, -1).T
    np.testing.assert_allclose(values.reshape(2, 3, 28), expected, atol=1e-12)


@pytest.mark.parametrize("lmax", [0, 1, 3, 8, 20])
def test_there_and_back_is_exact_at_twice_the_degree(x64, lmax):
    grid, x = sphere.separable_grid(2 * lmax), random_signal(lmax, 3)
    assert grid.degree in (2 * lmax, 2 * lmax + 1)
    back = sphere.from_separable_grid(sphere.to_separable_grid(x, grid), grid, lmax)
    np.testing.assert_allclose(back, x, atol=1e-12)


@pytest.mark.parametrize("lmax", [1, 3, 8, 20])
@pytest.mark.parametrize("direction", ["polar", "azimuthal"])
def test_there_and_back_is_wrong_with_one_ring_or_column_less(x64, lmax, direction):
    rings, columns = sphere.separable_grid(2 * lmax)
    grid = sphere.SeparableGrid(rings - (direction == "polar"), columns - (direction == "azimuthal"))
    assert grid.degree < 2 * lmax
    x = random_signal(lmax)
    back = sphere.from_separable_grid(sphere.to_separable_grid(x, grid), grid, lmax)
    assert np.abs(back - x).max() > 1e-2


def test_equals_the_dense_product_grid(x64):
    x = random_signal(5, 2)
    dense, separable = sphere.SphereGrid("gauss_legendre", 8), sphere.separable_grid(8)
    np.testing.assert_allclose(separable.points().reshape(-1, 3), dense.points(), atol=1e-15)
    np.testing.assert_allclose(separable.weights().reshape(-1), dense.weights(), atol=1e-15)
    values = sphere.to_separable_grid(x, separable)
    np.testing.assert_allclose(values.reshape(2, -1), sphere.to_grid(x, dense), atol=1e-13)
    back = sphere.from_separable_grid(values, separable, 3)
    np.testing.assert_allclose(back, sphere.from_grid(values.reshape(2, -1), dense, 3), atol=1e-13)


def test_goes_over_to_every_other_grid_by_the_coefficients(x64):
    x, grid = random_signal(3), sphere.separable_grid(6)
    values = sphere.to_separable_grid(x, grid)
    lebedev = sphere.smallest_grid(6)
    there = sphere.to_grid(sphere.from_separable_grid(values, grid, 3), lebedev)
    np.testing.assert_allclose(there, sphere.spherical_harmonics(3, lebedev.points()) @ x, atol=1e-13)


def test_weights_sum_to_the_area():
    np.testing.assert_allclose(sphere.SeparableGrid(3, 4).weights().sum(), 4 * np.pi, rtol=1e-14)


def test_work_under_jit_vmap_and_grad_and_keep_dtype():
    grid = sphere.separable_grid(6)

    def square(x):
        return sphere.from_separable_grid(sphere.to_separable_grid(x, grid) ** 2, grid, 2)

    x = jnp.asarray(random_signal(2, 4), jnp.float32)
    plain = jax.jit(square)(x)
    assert plain.dtype == jnp.float32
    np.testing.assert_allclose(plain, sphere.gaunt_product(x, x, 2, method="direct"), atol=1e-5)
    np.testing.assert_allclose(jax.jit(jax.vmap(square))(x), plain, atol=1e-5)
    assert not jax.jit(jax.grad(lambda x: square(x).sum()))(jnp.zeros((4, 9))).any()
    assert square(x[:0]).shape == (0, 9)


def test_short_operands_keep_the_result_s_dtype_and_are_close():
    grid, x = sphere.separable_grid(4), jnp.asarray(random_signal(2, 4), jnp.float32)
    values = sphere.to_separable_grid(x, grid, matmul_dtype=jnp.bfloat16)
    back = sphere.from_separable_grid(values, grid, 2, matmul_dtype=jnp.bfloat16)
    assert values.dtype == back.dtype == jnp.float32
    error = np.linalg.norm(back - x) / np.linalg.norm(x)
    assert 1e-4 < error < 2e-2


def test_batch_last_forms_are_transposes_and_scale_degrees(x64):
    grid, x = sphere.separable_grid(4), random_signal(2, 3)
    values = synthesis(jnp.asarray(x), 2, grid)
    np.testing.assert_allclose(jnp.moveaxis(values, 2, 0).mT, sphere.to_separable_grid(x, grid))
    scaled = analysis(values, 2, grid, np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(scaled, x * np.array([1, 2, 2, 2, 3, 3, 3, 3, 3]), atol=1e-13)


GRID = sphere.SeparableGrid(2, 3)
WRONG_CALLS = [
    (lambda: sphere.separable_grid(-1), ValueError, "degree must be .* at least 0, got -1"),
    (lambda: sphere.SeparableGrid(0, 3).points(), ValueError, "rings must be .* at least 1, got 0"),
    (lambda: sphere.to_separable_grid(np.ones(8), GRID), ValueError, "coefficients must have .*, got 8"),
    (lambda: sphere.to_separable_grid(np.ones(9, int), GRID), TypeError, "coefficients must be .* int"),
    (lambda: sphere.to_separable_grid(np.ones(9), 4), TypeError, "grid must be a SeparableGrid.*, got 4"),
    (
        lambda: sphere.to_separable_grid(np.ones(9), GRID, matmul_dtype=int),
        TypeError,
        "matmul_dtype must be None or",
    ),
    (lambda: sphere.from_separable_grid(np.ones((3, 2)), GRID, 1), ValueError, r"values .*got \(3, 2\)"),
    (lambda: sphere.from_separable_grid(np.ones((2, 3)), GRID, -1), ValueError, "lmax must .* got -1"),
    (lambda: sphere.from_separable_grid(np.ones((2, 3)), "?", 1), TypeError, "grid must be .*, got '?'"),
    (
        lambda: sphere.from_separable_grid(np.ones((2, 3), int), GRID, 1),
        TypeError,
        "values must be .* int",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()

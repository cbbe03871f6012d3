"""Half grids: one of every two opposite points, and exactly the same signals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import sphere


def random_signal(lmax, *leading, seed=0):
    return np.random.default_rng(seed).normal(size=(*leading, (lmax + 1) ** 2))


GRIDS = [sphere.antipodal_grid(0), sphere.antipodal_grid(10), sphere.SphereGrid("gauss_legendre", 11)]


@pytest.mark.parametrize("grid", GRIDS)
def test_half_and_its_opposites_are_the_grid(grid):
    index = sphere.half_index(grid)
    points = grid.points()
    assert 2 * len(index) == len(points)
    assert index.dtype == np.int32
    both = np.concatenate([points[index], -points[index]])
    distances = np.linalg.norm(both[:, None] - points, axis=-1)
    assert distances.min(axis=0).max() < 1e-12


@pytest.mark.parametrize("degree", [0, 1, 4, 9, 132])
def test_antipodal_grids_are_exact_enough_and_antipodal(degree):
    grid = sphere.antipodal_grid(degree)
    assert grid.degree >= degree
    assert len(sphere.half_index(grid)) * 2 == len(grid.weights())


@pytest.mark.parametrize("grid", GRIDS[1:])
@pytest.mark.parametrize("lmax", [0, 1, 4])
def test_parts_are_the_values_at_both_points(x64, grid, lmax):
    x, index = random_signal(lmax, 2), sphere.half_index(grid)
    even, odd = sphere.to_half_grid(x, grid)
    points = grid.points()[index]
    there, opposite = (x @ np.asarray(sphere.spherical_harmonics(lmax, p)).T for p in (points, -points))
    np.testing.assert_allclose(even + odd, there, atol=1e-13)
    np.testing.assert_allclose(even - odd, opposite, atol=1e-13)


@pytest.mark.parametrize("lmax", [0, 1, 3, 8])
def test_there_and_back_is_exact(x64, lmax):
    grid, x = sphere.antipodal_grid(2 * lmax), random_signal(lmax, 3)
    back = sphere.from_half_grid(*sphere.to_half_grid(x, grid), grid, lmax)
    np.testing.assert_allclose(back, x, atol=1e-12)


@pytest.mark.parametrize(("rule", "lmax"), [("gauss_legendre", 3), ("gauss_legendre", 8), ("lebedev", 2)])
def test_there_and_back_is_wrong_below_twice_the_degree(x64, rule, lmax):
    grid, x = sphere.SphereGrid(rule, 2 * lmax - 1), random_signal(lmax)
    back = sphere.from_half_grid(*sphere.to_half_grid(x, grid), grid, lmax)
    assert np.abs(back - x).max() > 1e-2


def test_a_product_of_two_odd_signals_needs_one_part_each(x64):
    odd_degrees = sphere.degree_index(3) % 2
    x, y = random_signal(3, seed=1) * odd_degrees, random_signal(3, seed=2) * odd_degrees
    grid = sphere.antipodal_grid(9)
    product = sphere.to_half_grid(x, grid)[1] * sphere.to_half_grid(y, grid)[1]
    found = sphere.from_half_grid(product, jnp.zeros_like(product), grid, 3)
    np.testing.assert_allclose(found, sphere.gaunt_product(x, y, 3, method="direct"), atol=1e-12)


def test_work_under_jit_vmap_and_grad_and_keep_dtype():
    grid = sphere.antipodal_grid(6)

    def there_and_back(x, matmul_dtype=None):
        even, odd = sphere.to_half_grid(x, grid, matmul_dtype=matmul_dtype)
        return sphere.from_half_grid(even, odd[..., None, :], grid, 2, matmul_dtype=matmul_dtype)[..., 0, :]

    x = jnp.asarray(random_signal(2, 4), jnp.float32)
    plain = jax.jit(jax.vmap(there_and_back))(x)
    assert plain.dtype == jnp.float32
    np.testing.assert_allclose(plain, x, atol=1e-5)
    assert np.isfinite(jax.jit(jax.grad(lambda x: there_and_back(x).sum()))(jnp.zeros((9,)))).all()
    short = jax.jit(jax.vmap(lambda x: there_and_back(x, jnp.bfloat16)))(x)
    assert 1e-4 < np.linalg.norm(short - x) / np.linalg.norm(x) < 2e-2


GRID = sphere.antipodal_grid(2)
WRONG_CALLS = [
    (lambda: sphere.antipodal_grid(-1), ValueError, "degree must be .* at least 0, got -1"),
    (
        lambda: sphere.half_index(sphere.SphereGrid("gauss_legendre", 4)),
        ValueError,
        "grid must hold the opposite of each point.*got SphereGrid",
    ),
    (lambda: sphere.to_half_grid(np.ones(8), GRID), ValueError, "coefficients must have .*, got 8"),
    (lambda: sphere.to_half_grid(np.ones(9), 4), TypeError, "grid must be a SphereGrid.*, got 4"),
    (lambda: sphere.from_half_grid(np.ones(3), np.ones(2), GRID, 1), ValueError, r"odd .*got \(2,\)"),
    (lambda: sphere.from_half_grid(np.ones(3, int), np.ones(3), GRID, 1), TypeError, "even .* int"),
    (
        lambda: sphere.from_half_grid(np.ones((2, 3)), np.ones((4, 3)), GRID, 1),
        ValueError,
        r"odd must have leading axes .*of even, \(2,\), got \(4,\)",
    ),
    (lambda: sphere.from_half_grid(np.ones(3), np.ones(3), GRID, -1), ValueError, "lmax must .* got -1"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()

"""Quadrature grids: exact at their degree and not one below; there and back."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import sphere
from equijax.numerics.quadrature import LEBEDEV_MAX_DEGREE
from equijax.sphere.grids import aligned_values, project_aligned

RULES = ("lebedev", "gauss_legendre")


def random_signal(lmax, *leading, seed=0):
    return np.random.default_rng(seed).normal(size=(*leading, (lmax + 1) ** 2))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("lmax", [0, 1, 3, 8, 20])
def test_there_and_back_is_exact_at_twice_the_degree(x64, rule, lmax):
    grid = sphere.SphereGrid(rule, 2 * lmax)
    x = random_signal(lmax, 3)
    np.testing.assert_allclose(sphere.from_grid(sphere.to_grid(x, grid), grid, lmax), x, atol=1e-12)


@pytest.mark.parametrize(
    ("rule", "lmax"), [("gauss_legendre", lmax) for lmax in (1, 3, 8, 20)] + [("lebedev", 2), ("lebedev", 8)]
)
def test_there_and_back_is_wrong_one_degree_below(x64, rule, lmax):
    grid = sphere.SphereGrid(rule, 2 * lmax - 1)
    x = random_signal(lmax)
    assert np.abs(sphere.from_grid(sphere.to_grid(x, grid), grid, lmax) - x).max() > 1e-2


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("degree", [0, 1, 2, 5, 11, 30])
def test_weights_are_positive_and_points_are_unit_vectors(rule, degree):
    grid = sphere.SphereGrid(rule, degree)
    assert np.all(grid.weights() > 0)
    np.testing.assert_allclose(grid.weights().sum(), 4 * np.pi, rtol=1e-13)
    np.testing.assert_allclose(np.linalg.norm(grid.points(), axis=1), 1, rtol=1e-13)


def test_smallest_grid_has_the_fewest_points_of_both_rules():
    for degree in range(LEBEDEV_MAX_DEGREE + 1):
        sizes = [len(sphere.SphereGrid(rule, degree).weights()) for rule in RULES]
        assert len(sphere.smallest_grid(degree).weights()) == min(sizes)


def test_smallest_grid_goes_beyond_the_lebedev_rules():
    grid = sphere.smallest_grid(LEBEDEV_MAX_DEGREE + 1)
    assert grid == sphere.SphereGrid("gauss_legendre", LEBEDEV_MAX_DEGREE + 1)
    assert len(grid.weights()) == 67 * 133


def test_values_are_those_of_the_harmonics(x64):
    grid = sphere.smallest_grid(5)
    x = random_signal(4)
    expected = sphere.spherical_harmonics(4, grid.points()) @ x
    np.testing.assert_allclose(sphere.to_grid(x, grid), expected, atol=1e-13)


def test_projection_drops_higher_degrees(x64):
    grid = sphere.smallest_grid(7)
    x = random_signal(5)
    np.testing.assert_allclose(sphere.from_grid(sphere.to_grid(x, grid), grid, 2), x[:9], atol=1e-13)


def test_work_under_jit_vmap_and_grad_and_keep_dtype():
    grid = sphere.smallest_grid(4)

    def there_and_back(x):
        return sphere.from_grid(sphere.to_grid(x, grid) ** 2, grid, 2)

    x = jnp.asarray(random_signal(2, 4), jnp.float32)
    plain = there_and_back(x)
    assert plain.dtype == jnp.float32
    assert there_and_back(x.astype(jnp.bfloat16)).dtype == jnp.bfloat16
    np.testing.assert_allclose(jax.jit(jax.vmap(there_and_back))(x), plain, atol=1e-5)
    assert np.isfinite(jax.grad(lambda x: there_and_back(x).sum())(jnp.zeros((4, 9)))).all()


GRID = sphere.SphereGrid("gauss_legendre", 2)
WRONG_CALLS = [
    (lambda: sphere.to_grid(np.ones(8), GRID), ValueError, "coefficients must have .*, got 8"),
    (lambda: sphere.to_grid(np.ones(9, int), GRID), TypeError, "coefficients must be .*, got dtype int"),
    (lambda: sphere.to_grid(np.ones(9), 4), TypeError, "grid must be a SphereGrid.*, got 4"),
    (
        lambda: sphere.to_grid(np.ones(9), GRID, matmul_dtype="int8"),
        TypeError,
        "matmul_dtype must be .* int8",
    ),
    (lambda: sphere.from_grid(np.ones(6), GRID, 1, matmul_dtype=int), TypeError, "matmul_dtype must be None"),
    (lambda: sphere.to_grid(1.0, GRID), ValueError, r"coefficients must have shape .*, got \(\)"),
    (lambda: sphere.from_grid(np.ones(5), GRID, 1), ValueError, r"values must have .*6\), got \(5,\)"),
    (lambda: sphere.from_grid(np.ones(6), GRID, -1), ValueError, "lmax must be .* at least 0, got -1"),
    (lambda: sphere.from_grid(np.ones(6), "lebedev", 1), TypeError, "grid must be .*, got 'lebedev'"),
    (lambda: sphere.smallest_grid(-1), ValueError, "degree must be .* at least 0, got -1"),
    (lambda: sphere.smallest_grid(2.5), TypeError, "degree must be an integer"),
    (lambda: sphere.SphereGrid("healpix", 2).points(), ValueError, "rule must be one of .*, got 'healpix'"),
    (lambda: sphere.SphereGrid("lebedev", 132).points(), ValueError, "degree must be at most 131, got 132"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_short_operands_keep_the_result_s_dtype_and_are_close():
    grid, x = sphere.smallest_grid(4), jnp.asarray(random_signal(2, 4), jnp.float32)
    values = sphere.to_grid(x, grid, matmul_dtype=jnp.bfloat16)
    back = sphere.from_grid(values, grid, 2, matmul_dtype=jnp.bfloat16)
    assert values.dtype == back.dtype == jnp.float32
    assert 1e-4 < np.linalg.norm(back - x) / np.linalg.norm(x) < 2e-2


@pytest.mark.parametrize("degree", [2, 4, 9])
def test_aligned_values_are_the_values_and_zeros(x64, degree):
    grid, x = sphere.smallest_grid(degree), jnp.asarray(random_signal(2, 3))
    values, count = aligned_values(x, grid), len(grid.weights())
    assert values.shape[-1] % 8 == 0
    np.testing.assert_allclose(values[:, :count], sphere.to_grid(x, grid), atol=1e-14)
    assert not values[:, count:].any()
    padded = values.at[:, count:].set(1e3)
    scaled = project_aligned(padded, grid, 1, np.array([1.0, 2.0]))
    expected = sphere.from_grid(values[:, :count], grid, 1) * np.array([1, 2, 2, 2])
    np.testing.assert_allclose(scaled, expected, atol=1e-13)

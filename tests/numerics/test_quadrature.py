import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.numerics import quadrature


def monomial_integral(powers):
    """The integral of x^a y^b z^c over the unit sphere, in closed form (Folland 2001)."""
    if any(power % 2 for power in powers):
        return 0.0
    gammas = [math.gamma((power + 1) / 2) for power in powers]
    return 2 * math.prod(gammas) / math.gamma((sum(powers) + 3) / 2)


def largest_error(rule, degree):
    """The largest error on monomials of exactly this degree."""
    powers = [(a, b, degree - a - b) for a in range(degree + 1) for b in range(degree + 1 - a)]
    values = [rule.weights @ np.prod(rule.points**power, axis=-1) for power in powers]
    return max(abs(value - monomial_integral(power)) for value, power in zip(values, powers, strict=True))


@pytest.mark.parametrize("n", [1, 2, 3, 7, 20])
def test_gauss_legendre_is_exact_to_its_bound_and_not_beyond(n):
    points, weights = quadrature.gauss_legendre(n)

    def error(degree):
        return abs(weights @ points**degree - (2 / (degree + 1) if degree % 2 == 0 else 0.0))

    assert all(error(degree) < 1e-14 for degree in range(2 * n))
    # The error on the monic polynomial of degree 2 n is known, and positive.
    expected = 2 ** (2 * n + 1) * math.factorial(n) ** 4 / ((2 * n + 1) * math.factorial(2 * n) ** 2)
    np.testing.assert_allclose(error(2 * n), expected, rtol=1e-2, atol=1e-14)
    assert n > 10 or error(2 * n) > 1e-9


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_periodic_is_exact_to_its_bound_and_not_beyond(n):
    points, weights = quadrature.periodic(n)
    for k in range(1, n):
        assert abs(weights @ np.exp(1j * k * points)) < 1e-13
    assert abs(weights @ np.exp(1j * n * points)) > 6
    np.testing.assert_allclose(weights.sum(), 2 * np.pi)


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 4, 7, 10])
def test_sphere_product_is_exact_to_its_degree_and_not_beyond(degree):
    rule = quadrature.sphere_product(degree)
    assert rule.points.shape == ((degree // 2 + 1) * (degree + 1), 3)
    assert max(largest_error(rule, d) for d in range(degree + 1)) < 1e-13
    assert max(largest_error(rule, d) for d in (degree + 1, degree + 2)) > 1e-5


@pytest.mark.parametrize("degree", [3, 5, 11, 15, 23])
def test_lebedev_is_exact_to_its_degree_and_not_beyond(degree):
    rule = quadrature.lebedev(degree)
    assert max(largest_error(rule, d) for d in range(degree + 1)) < 1e-12
    assert largest_error(rule, degree + 1) > 1e-9


def test_lebedev_weights_are_positive_and_every_degree_is_served():
    sizes = [len(quadrature.lebedev(degree).weights) for degree in range(132)]
    assert sizes == sorted(sizes)
    for degree in range(132):
        rule = quadrature.lebedev(degree)
        assert rule.weights.min() > 0
        np.testing.assert_allclose(np.linalg.norm(rule.points, axis=-1), 1.0, rtol=1e-12)
        np.testing.assert_allclose(rule.weights.sum(), 4 * np.pi, rtol=1e-12)


def test_sphere_grid_has_the_polar_axis_y():
    grid = quadrature.sphere_grid(5)
    t, p = np.arccos(grid.cosines)[:, None], grid.azimuths
    expected = np.broadcast_arrays(np.sin(t) * np.sin(p), np.cos(t), np.sin(t) * np.cos(p))
    np.testing.assert_allclose(grid.points, np.stack(expected, -1), atol=1e-15)


def test_product_grid_is_exact_to_each_direction_s_own_degree():
    def error(rings, columns, degree):
        grid = quadrature.product_grid(rings, columns)
        rule = quadrature.Quadrature(grid.points.reshape(-1, 3), grid.weights.reshape(-1))
        return max(largest_error(rule, d) for d in range(degree + 1))

    assert error(3, 6, 5) < 1e-13
    assert error(3, 6, 6) > 1e-3
    assert error(2, 6, 5) > 1e-3
    assert error(3, 5, 5) > 1e-3
    assert quadrature.sphere_grid(4) is quadrature.product_grid(3, 5)


def test_rules_are_constants():
    for rule in (quadrature.gauss_legendre(3), quadrature.periodic(3), quadrature.lebedev(3)):
        for array in rule:
            assert array.dtype == np.float64
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0.0
    assert quadrature.sphere_grid(4) is quadrature.sphere_grid(4)


def test_rules_work_inside_jit_and_grad():
    @jax.jit
    def area(radius):
        points, weights = quadrature.sphere_product(2)
        return jnp.sum(weights * jnp.sum((radius * points) ** 2, axis=-1))

    np.testing.assert_allclose(jax.grad(area)(2.0), 16 * np.pi, rtol=1e-6)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="n must be a number of at least 1, got 0"):
        quadrature.gauss_legendre(0)
    with pytest.raises(TypeError, match="n must be an integer array, got dtype float32"):
        quadrature.gauss_legendre(2.0)
    with pytest.raises(ValueError, match="degree must be a number of at least 0, got -1"):
        quadrature.sphere_product(-1)
    with pytest.raises(ValueError, match="degree must be at most 131, got 132"):
        quadrature.lebedev(132)
    with pytest.raises(ValueError, match="rings must be a number of at least 1, got 0"):
        quadrature.product_grid(0, 3)
    with pytest.raises(TypeError, match=r"columns must be an integer, got 2\.0"):
        quadrature.product_grid(1, 2.0)

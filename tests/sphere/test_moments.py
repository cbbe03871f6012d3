"""Mean squares of products and powers: against sums of Gaunt coefficients, and against samples."""

import math

import numpy as np
import pytest

from equijax import sphere
from equijax.sphere.moments import unit_scale


@pytest.mark.parametrize(("l1", "l2", "lmax"), [(0, 0, 0), (1, 1, 2), (2, 3, 4), (0, 2, 3), (4, 4, 8)])
def test_of_products_are_sums_of_squared_gaunt_coefficients(l1, l2, lmax):
    squares = np.zeros(lmax + 1)
    for l3 in range(lmax + 1):
        for a in range(l1 + 1):
            for b in range(l2 + 1):
                squares[l3] += np.sum(sphere.gaunt_coefficients(a, b, l3) ** 2) / (2 * l3 + 1)
    deviation = sphere.product_deviation(l1, l2, lmax)
    np.testing.assert_allclose(deviation, np.sqrt(squares), rtol=1e-12, atol=1e-14)
    assert not deviation[l1 + l2 + 1 :].any()


def test_first_power_has_unit_deviation():
    np.testing.assert_allclose(sphere.power_deviation(3, 1, 5), [1, 1, 1, 1, 0, 0], atol=1e-13)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_powers_of_a_constant_have_the_moments_of_a_gaussian(order):
    # The function is g / √4π, the coefficient of its power g^n (4π)^((1 - n) / 2); E[g^2n] = (2n - 1)!!.
    moment = math.prod(range(1, 2 * order, 2))
    expected = math.sqrt(moment) * (4 * math.pi) ** ((1 - order) / 2)
    np.testing.assert_allclose(sphere.power_deviation(0, order, 0), [expected], rtol=1e-13)


def test_squares_have_the_moments_of_isserlis_theorem():
    # E[(Σ G_abc x_a x_b)²] = (Σ_a G_aac)² + 2 Σ_ab G_abc².
    lmax, squares = 4, np.zeros(5)
    for l3 in range(lmax + 1):
        traces = np.zeros(2 * l3 + 1)
        for a in range(3):
            traces += np.einsum("aac->c", sphere.gaunt_coefficients(a, a, l3))
            for b in range(3):
                squares[l3] += 2 * np.sum(sphere.gaunt_coefficients(a, b, l3) ** 2)
        squares[l3] = (squares[l3] + np.sum(traces**2)) / (2 * l3 + 1)
    np.testing.assert_allclose(sphere.power_deviation(2, 2, lmax), np.sqrt(squares), rtol=1e-12)


def test_high_degrees_stay_accurate():
    # Everything together: the mean of ∫ (fg)² is the product of both variances times the area.
    deviation = sphere.product_deviation(20, 20, 40)
    total = np.sum(deviation**2 * (2 * np.arange(41) + 1))
    np.testing.assert_allclose(total, 4 * np.pi * (21**2 / (4 * np.pi)) ** 2, rtol=1e-11)


def test_deviations_are_read_only_and_scales_invert_them():
    with pytest.raises(ValueError, match="read-only"):
        sphere.product_deviation(1, 1, 1)[0] = 1
    deviation = sphere.product_deviation(1, 1, 3)
    np.testing.assert_allclose(unit_scale(deviation) * deviation, [1, 1, 1, 0])


def test_wrong_calls_name_the_argument():
    with pytest.raises(ValueError, match="l2 must be a number of at least 0, got -1"):
        sphere.product_deviation(1, -1, 1)
    with pytest.raises(TypeError, match="lmax must be an integer"):
        sphere.product_deviation(1, 1, 1.0)
    with pytest.raises(ValueError, match="order must be a number of at least 1, got 0"):
        sphere.power_deviation(1, 0, 1)

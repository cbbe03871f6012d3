"""Legendre functions against scipy's associated Legendre polynomials, and their orthogonality."""

import math

import numpy as np
import pytest
import scipy.special

from equijax import sphere
from equijax.numerics import quadrature
from equijax.sphere.harmonics import harmonics_float64


@pytest.mark.parametrize("lmax", [0, 1, 4, 12])
def test_equal_scipy(lmax):
    angles = np.linspace(0, np.pi, 11)
    table = sphere.legendre_table(lmax, angles)
    assert table.shape == (lmax + 1, lmax + 1, 11)
    for l in range(lmax + 1):
        for m in range(lmax + 1):
            factor = math.exp(0.5 * (math.lgamma(l - m + 1) - math.lgamma(l + m + 1))) if m <= l else 0.0
            expected = math.sqrt((2 * l + 1) / (4 * math.pi)) * factor * (-1) ** m
            expected = expected * scipy.special.lpmv(m, l, np.cos(angles))
            np.testing.assert_allclose(table[l, m], expected, atol=1e-13)


@pytest.mark.parametrize("lmax", [3, 24])
def test_are_orthonormal_in_the_degree(lmax):
    cosines, weights = quadrature.gauss_legendre(lmax + 1)
    table = sphere.legendre_table(lmax, np.arccos(cosines))
    for m in range(lmax + 1):
        gram = 2 * np.pi * np.einsum("an,bn,n->ab", table[m:, m], table[m:, m], weights)
        np.testing.assert_allclose(gram, np.eye(lmax + 1 - m), atol=1e-12)


def test_go_on_over_the_full_circle_as_trigonometric_polynomials():
    lmax, size = 5, 32
    angles = 2 * np.pi * np.arange(size) / size
    series = np.fft.fft(sphere.legendre_table(lmax, angles), axis=-1) / size
    frequencies = np.abs(np.fft.fftfreq(size, 1 / size))
    for l in range(lmax + 1):
        assert np.abs(series[l][:, frequencies > l]).max() < 1e-15
    orders = np.arange(lmax + 1)
    forward, backward = (sphere.legendre_table(lmax, t) for t in (angles, 2 * np.pi - angles))
    np.testing.assert_allclose(backward, forward * (-1.0) ** orders[:, None], atol=1e-14)


def test_harmonics_are_products_of_both_tables():
    lmax, (polar, azimuth) = 6, np.random.default_rng(0).uniform(0, np.pi, (2, 7))
    sines = np.sin(polar)
    points = np.stack([sines * np.sin(azimuth), np.cos(polar), sines * np.cos(azimuth)], axis=-1)
    legendre, around = sphere.legendre_table(lmax, polar), sphere.azimuth_table(lmax, azimuth)
    expected = harmonics_float64(lmax, points)
    for l in range(lmax + 1):
        for m in range(-l, l + 1):
            found = legendre[l, abs(m)] * around[lmax + m]
            np.testing.assert_allclose(found, expected[:, l * l + l + m], atol=1e-14)


def test_wrong_calls_name_the_argument():
    with pytest.raises(ValueError, match="lmax must be a number of at least 0, got -1"):
        sphere.legendre_table(-1, np.zeros(2))
    with pytest.raises(ValueError, match=r"angles must have shape \(n,\), got \(2, 2\)"):
        sphere.legendre_table(1, np.zeros((2, 2)))
    with pytest.raises(TypeError, match="mmax must be an integer"):
        sphere.azimuth_table(1.5, np.zeros(2))

"""Functions on the sphere: harmonics, grids, Fourier series, and exact products of signals."""

from equijax.sphere.fourier import fourier_from_harmonics, harmonics_from_fourier, multiply_fourier
from equijax.sphere.gaunt import gaunt_coefficients, gaunt_product
from equijax.sphere.grids import SphereGrid, from_grid, smallest_grid, to_grid
from equijax.sphere.harmonics import (
    degree_index,
    degree_of,
    num_coefficients,
    per_degree,
    solid_harmonics,
    spherical_harmonics,
)
from equijax.sphere.powers import gaunt_polynomial, gaunt_power, gaunt_powers

__all__ = [
    "SphereGrid",
    "degree_index",
    "degree_of",
    "fourier_from_harmonics",
    "from_grid",
    "gaunt_coefficients",
    "gaunt_polynomial",
    "gaunt_power",
    "gaunt_powers",
    "gaunt_product",
    "harmonics_from_fourier",
    "multiply_fourier",
    "num_coefficients",
    "per_degree",
    "smallest_grid",
    "solid_harmonics",
    "spherical_harmonics",
    "to_grid",
]

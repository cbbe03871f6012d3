"""Functions on the sphere: harmonics, grids, Fourier series, and exact products of signals."""

from equijax.sphere.aligned import aligned_convolution, convolution_paths, path_convolution
from equijax.sphere.antipodal import antipodal_grid, from_half_grid, half_index, to_half_grid
from equijax.sphere.bracket import bracket_coefficients, bracket_product
from equijax.sphere.convolution import gaunt_convolution, weighted_values
from equijax.sphere.crossovers import method_for
from equijax.sphere.fourier import (
    fourier_from_grid,
    fourier_from_harmonics,
    fourier_to_grid,
    harmonics_from_fourier,
    multiply_fourier,
)
from equijax.sphere.full_product import tensor_product, tensor_product_parts
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
from equijax.sphere.irreps_products import irreps_product
from equijax.sphere.legendre import azimuth_table, legendre_table
from equijax.sphere.moments import power_deviation, product_deviation
from equijax.sphere.path_factors import (
    DegreeFactors,
    PathErrors,
    PathWeights,
    path_weights,
    path_weights_errors,
)
from equijax.sphere.pointwise import pointwise
from equijax.sphere.powers import gaunt_polynomial, gaunt_power, gaunt_powers
from equijax.sphere.rotation import Alignment, align, rotate_from_pole, rotate_to_pole
from equijax.sphere.separable import (
    SeparableGrid,
    from_separable_grid,
    separable_grid,
    to_separable_grid,
)
from equijax.sphere.signals import ParitySignals, irreps_from_signals, signals_from_irreps
from equijax.sphere.vector_signals import clebsch_gordan_product

__all__ = [
    "Alignment",
    "DegreeFactors",
    "ParitySignals",
    "PathErrors",
    "PathWeights",
    "SeparableGrid",
    "SphereGrid",
    "align",
    "aligned_convolution",
    "antipodal_grid",
    "azimuth_table",
    "bracket_coefficients",
    "bracket_product",
    "clebsch_gordan_product",
    "convolution_paths",
    "degree_index",
    "degree_of",
    "fourier_from_grid",
    "fourier_from_harmonics",
    "fourier_to_grid",
    "from_grid",
    "from_half_grid",
    "from_separable_grid",
    "gaunt_coefficients",
    "gaunt_convolution",
    "gaunt_polynomial",
    "gaunt_power",
    "gaunt_powers",
    "gaunt_product",
    "half_index",
    "harmonics_from_fourier",
    "irreps_from_signals",
    "irreps_product",
    "legendre_table",
    "method_for",
    "multiply_fourier",
    "num_coefficients",
    "path_convolution",
    "path_weights",
    "path_weights_errors",
    "per_degree",
    "pointwise",
    "power_deviation",
    "product_deviation",
    "rotate_from_pole",
    "rotate_to_pole",
    "separable_grid",
    "signals_from_irreps",
    "smallest_grid",
    "solid_harmonics",
    "spherical_harmonics",
    "tensor_product",
    "tensor_product_parts",
    "to_grid",
    "to_half_grid",
    "to_separable_grid",
    "weighted_values",
]

"""Closed forms of couplings against sympy, and against norms of integrals."""

import numpy as np
import pytest
import sympy.physics.wigner

from equijax import sphere
from equijax.sphere import couplings


@pytest.mark.parametrize("orders", [(0, 0, 0), (1, -1, 0), (1, 1, -2), (2, -3, 1), (1, 1, 1)])
def test_wigner_3j_equals_sympy(orders):
    for degrees in np.ndindex(5, 5, 5):
        expected = float(sympy.physics.wigner.wigner_3j(*degrees, *orders)) if sum(orders) == 0 else 0.0
        assert couplings.wigner_3j(*degrees, *orders) == pytest.approx(expected, abs=1e-15)


def test_wigner_3j_of_large_degrees_is_exact():
    expected = float(sympy.physics.wigner.wigner_3j(30, 28, 33, 1, -1, 0))
    assert couplings.wigner_3j(30, 28, 33, 1, -1, 0) == pytest.approx(expected, rel=1e-13)


def test_norms_are_those_of_the_blocks_of_integrals():
    for degrees in np.ndindex(5, 4, 6):
        even, odd = sphere.gaunt_coefficients(*degrees), sphere.bracket_coefficients(*degrees)
        assert couplings.gaunt_norm(*degrees) == pytest.approx(np.linalg.norm(even), abs=1e-12)
        assert couplings.bracket_norm(*degrees) == pytest.approx(np.linalg.norm(odd), abs=1e-12)


@pytest.mark.parametrize(
    ("lmax", "even", "total"),
    [(1, 4, 5), (2, 11, 15), (3, 23, 34), (4, 42, 65), (6, 106, 175), (10, 381, 671)],
)
def test_number_of_paths(lmax, even, total):
    norms = {paths: couplings.path_norms(paths, lmax, lmax, lmax) for paths in ("even", "odd")}
    assert np.sum(norms["even"] > 1e-3) == np.sum(norms["even"] > 0) == even
    assert np.sum(norms["odd"] > 1e-3) == np.sum(norms["odd"] > 0) == total - even
    assert not np.any((norms["even"] > 0) & (norms["odd"] > 0))


def test_deviations_of_even_paths_are_those_of_products_of_random_fields():
    found = couplings.output_deviations(("even",), 3, 2, 6)
    np.testing.assert_allclose(found, sphere.product_deviation(3, 2, 6), atol=1e-13)


def test_deviations_are_those_of_the_coefficients():
    table = couplings.coefficient_table(sphere.bracket_coefficients, 2, 3, 4)
    squares = np.sum(table**2, axis=(0, 1))
    found = couplings.output_deviations(("odd",), 2, 3, 4)
    np.testing.assert_allclose(found[sphere.degree_index(4)] ** 2, squares, atol=1e-12)
    both = couplings.output_deviations(("even", "odd"), 2, 3, 4)
    even = couplings.output_deviations(("even",), 2, 3, 4)
    np.testing.assert_allclose(both**2, even**2 + found**2, rtol=1e-13)


def test_coefficient_table_holds_the_blocks():
    table = couplings.coefficient_table(sphere.gaunt_coefficients, 2, 1, 3)
    assert table.shape == (9, 4, 16)
    np.testing.assert_array_equal(table[4:9, 1:4, 9:16], sphere.gaunt_coefficients(2, 1, 3))


@pytest.mark.parametrize("function", [couplings.gaunt_norm, couplings.bracket_norm])
def test_wrong_calls_name_the_argument(function):
    with pytest.raises(ValueError, match="l2 must be a number of at least 0, got -1"):
        function(1, -1, 0)
    with pytest.raises(TypeError, match="l3 must be an integer"):
        function(1, 1, 1.0)

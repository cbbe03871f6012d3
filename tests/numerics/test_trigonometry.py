import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.numerics import trigonometry

CASES = [(trigonometry.sinc, 1), (trigonometry.cosc, 2), (trigonometry.sinc_defect, 3)]


def series(square, offset):
    """The defining series in exact factorials, long enough for squared angles up to 50."""
    return math.fsum((-square) ** k / math.factorial(2 * k + offset) for k in range(60))


@pytest.mark.parametrize(("function", "offset"), CASES)
def test_values(function, offset, x64):
    squares = np.array([0.0, 1e-18, 1e-8, 0.3, 1 - 1e-12, 1.0, 2.0, 9.0, 20.0])
    expected = [series(square, offset) for square in squares]
    np.testing.assert_allclose(jax.jit(function)(squares), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("function", "offset"), CASES)
def test_derivatives_at_zero_are_the_series_coefficients(function, offset, x64):
    derivatives = [function]
    for _ in range(4):
        derivatives.append(jax.grad(derivatives[-1]))
    got = jax.jit(lambda x: [derivative(x) for derivative in derivatives])(0.0)
    expected = [(-1) ** n * math.factorial(n) / math.factorial(2 * n + offset) for n in range(5)]
    np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize(("function", "offset"), CASES)
def test_derivatives_join_where_the_formula_changes(function, offset, x64):
    for derivative in (jax.grad(function), jax.grad(jax.grad(function))):
        np.testing.assert_allclose(derivative(1 - 1e-9), derivative(1 + 1e-9), rtol=1e-6)


@pytest.mark.parametrize(("function", "offset"), CASES)
def test_single_precision_and_vmap(function, offset):
    squares = jnp.array([0.0, 1e-4, 0.5, 3.0])
    values = jax.vmap(function)(squares)
    assert values.dtype == jnp.float32
    np.testing.assert_allclose(values, [series(float(square), offset) for square in squares], rtol=2e-6)


@pytest.mark.parametrize(("function", "offset"), CASES)
def test_integers_are_refused(function, offset):
    with pytest.raises(TypeError, match="square must be a real floating-point array"):
        function(1)

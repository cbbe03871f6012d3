"""Several operations on a grid before one projection, and what aliasing costs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import equivariance, sphere, testing
from equijax.groups import SO, Irreps, O

RANDOM = np.random.default_rng(0)
SIGNAL = Irreps("0e+1o+2e+3o")


def test_products_and_powers_are_exact(x64):
    x, y, s = RANDOM.normal(size=(5, 9)), RANDOM.normal(size=(5, 4)), RANDOM.normal(size=(5, 1))
    found = sphere.pointwise(lambda x, y, s: s * x * y + 2 * x**3, x, y, s, lmax=3, order=3)
    product = sphere.gaunt_product(sphere.gaunt_product(s, x, method="direct"), y, 3, method="direct")
    np.testing.assert_allclose(found, product + 2 * sphere.gaunt_power(x, 3, 3), atol=1e-12)


def test_a_grid_one_degree_too_coarse_is_not_exact(x64):
    x = RANDOM.normal(size=(5, 16))
    exact = sphere.gaunt_power(x, 2, 3)
    for degree, is_exact in ((9, True), (8, False)):
        grid = sphere.SphereGrid("gauss_legendre", degree)
        error = np.abs(sphere.pointwise(jnp.square, x, grid=grid) - exact).max()
        assert (error < 1e-12) == is_exact


def test_returns_what_the_function_returns(x64):
    x, y = RANDOM.normal(size=(2, 5, 4))
    found = sphere.pointwise(lambda x, y: {"sum": x + y, "product": x * y}, x, y, lmax=1)
    np.testing.assert_allclose(found["sum"], x + y, atol=1e-13)
    np.testing.assert_allclose(found["product"], sphere.gaunt_product(x, y, 1), atol=1e-13)


def test_channels_may_be_mixed_at_each_point(x64):
    x, matrix = RANDOM.normal(size=(5, 3, 4)), RANDOM.normal(size=(3, 2))
    found = sphere.pointwise(lambda v: jnp.einsum("...cp,cd->...dp", v, matrix), x)
    np.testing.assert_allclose(found, np.einsum("nck,cd->ndk", x, matrix), atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_polynomials_are_equivariant(dtype):
    testing.assert_equivariant(
        lambda x, y: sphere.pointwise(lambda x, y: x**2 * y - x, x, y, order=3),
        O(3),
        in_reps=(SIGNAL, Irreps("0e+1o")),
        out_reps=SIGNAL,
        shapes=((5, 16), (5, 4)),
        dtype=dtype,
        rtol=1e-10 if dtype == "float64" else 1e-4,
        gradient=True,
        max_examples=20,
    )


@pytest.mark.parametrize(
    ("activation", "bounds"),
    [(jax.nn.silu, {2: 8e-2, 4: 6e-3, 8: 3e-5}), (jax.nn.relu, {2: 2e-1, 4: 5e-2, 8: 1e-2})],
    ids=["silu", "relu"],
)
def test_aliasing_falls_with_the_grid(x64, activation, bounds):
    x = RANDOM.normal(size=(32, 16))
    errors = [
        equivariance.error(
            lambda x, order=order: sphere.pointwise(activation, x, order=order),
            SO(3),
            (SIGNAL,),
            SIGNAL,
            (x,),
            key=jax.random.key(1),
            num_samples=4,
        )
        for order in bounds
    ]
    assert errors[1] < errors[0] / 2
    assert errors[2] < errors[1] / 2
    for error, bound in zip(errors, bounds.values()):
        assert bound / 10 < error < bound


def test_jit_vmap_and_second_derivatives_at_zero():
    x = jnp.zeros((5, 9))

    def loss(x):
        return sphere.pointwise(jax.nn.silu, x + 1, order=4).sum()

    assert np.isfinite(jax.jit(jax.vmap(jax.hessian(loss)))(x)).all()
    assert sphere.pointwise(jax.nn.silu, x).dtype == jnp.float32


X = jnp.ones((5, 9))
WRONG_CALLS = [
    ((jnp.square,), {}, ValueError, "signals must hold at least one, got none"),
    ((3, X), {}, TypeError, "function must be a function, got int"),
    ((jnp.square, X[:, :5]), {}, ValueError, r"signals\[0\] must have .*got 5"),
    ((jnp.square, X), dict(order=0), ValueError, "order must be .*at least 1, got 0"),
    ((jnp.square, X), dict(lmax=-1), ValueError, "lmax must be .*at least 0, got -1"),
    ((jnp.square, X), dict(grid=8), TypeError, "grid must be a SphereGrid"),
    (
        (lambda v: v[..., 1:], X),
        {},
        ValueError,
        r"function must return values of shape .*26\), got \(5, 25\)",
    ),
    ((jnp.mean, X), {}, ValueError, r"function must return values of shape .*got \(\)"),
]


@pytest.mark.parametrize(("arguments", "options", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(arguments, options, error, message):
    with pytest.raises(error, match=message):
        sphere.pointwise(*arguments, **options)

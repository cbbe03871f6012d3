"""Normalisation, short operands and derivatives of the Gaunt product, by every method."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import sphere
from equijax.groups import SO, Irreps

METHODS = ("direct", "grid", "gauss_legendre", "antipodal", "separable")


def random_signal(lmax, *leading, seed=0):
    return np.random.default_rng([seed, lmax]).normal(size=(*leading, (lmax + 1) ** 2))


@pytest.mark.parametrize("method", [*METHODS, "fourier"])
@pytest.mark.parametrize(("l1", "l2", "lmax"), [(0, 0, 1), (2, 1, 2), (3, 3, 6)])
def test_component_normalisation_divides_by_the_deviation(x64, method, l1, l2, lmax):
    x, y = random_signal(l1, 3, seed=1), random_signal(l2, 3, seed=2)
    plain = sphere.gaunt_product(x, y, lmax, method="direct")
    found = sphere.gaunt_product(x, y, lmax, method=method, normalization="component")
    deviation = sphere.product_deviation(l1, l2, lmax)
    deviation = np.where(deviation > 0, deviation, 1)[sphere.degree_index(lmax)]
    np.testing.assert_allclose(found, plain / deviation, atol=1e-12)


@pytest.mark.parametrize(("l1", "l2", "lmax"), [(1, 1, 2), (4, 2, 3), (6, 6, 6)])
def test_components_have_unit_variance_on_the_average(l1, l2, lmax):
    samples = 1 << 13
    x, y = (jnp.asarray(random_signal(l, samples, seed=s), jnp.float32) for s, l in enumerate((l1, l2)))
    z = np.asarray(sphere.gaunt_product(x, y, lmax, normalization="component"))
    by_degree = [np.mean(z[:, l * l : (l + 1) ** 2] ** 2) for l in range(lmax + 1)]
    np.testing.assert_allclose(by_degree, 1, atol=0.1)
    np.testing.assert_allclose(np.mean(z, axis=0), 0, atol=0.1)


@pytest.mark.parametrize(
    ("method", "lmax"), [("direct", 2), *((method, lmax) for method in METHODS[1:] for lmax in (2, 6))]
)
def test_short_operands_break_equivariance_by_less_than_a_percent(method, lmax):
    natural = Irreps("+".join(f"{l}{'eo'[l % 2]}" for l in range(lmax + 1)))
    rotation = natural.matrix(SO(3).sample(jax.random.key(0)))
    x, y = (jnp.asarray(random_signal(lmax, 64, seed=seed), jnp.float32) for seed in (0, 1))

    @functools.partial(jax.jit, static_argnames="matmul_dtype")
    def both(x, y, matmul_dtype):
        product = functools.partial(sphere.gaunt_product, lmax=lmax, method=method, matmul_dtype=matmul_dtype)
        return product(x, y), product(x @ rotation.T, y @ rotation.T)

    def error(matmul_dtype):
        z, rotated = both(x, y, matmul_dtype)
        assert z.dtype == jnp.float32
        return np.linalg.norm(rotated - z @ rotation.T) / np.linalg.norm(z)

    assert error(None) < 2e-6
    assert 1e-3 < error(jnp.bfloat16) < 1e-2


def test_short_operands_have_gradients_in_the_arguments_dtype():
    x = jnp.asarray(random_signal(3, 5), jnp.float32)

    def loss(x, matmul_dtype):
        return jnp.sum(sphere.gaunt_product(x, x, 3, method="grid", matmul_dtype=matmul_dtype) ** 2)

    exact, short = (jax.jit(jax.grad(loss), static_argnums=1)(x, dtype) for dtype in (None, jnp.bfloat16))
    assert short.dtype == jnp.float32
    assert 1e-4 < np.linalg.norm(short - exact) / np.linalg.norm(exact) < 3e-2


@pytest.mark.parametrize("method", [*METHODS, "fourier"])
@pytest.mark.parametrize("lmax", [1, 2])
def test_second_derivatives_in_all_orders_agree_and_are_finite_at_zero(x64, method, lmax):
    fixed = jnp.asarray(random_signal(1, seed=3))

    def energy(x):
        # Quadratic and quartic in x, so that the Hessian at zero is finite and not zero.
        z = sphere.gaunt_product(x, x, lmax, method=method, normalization="component")
        return jnp.sum(z**2) + jnp.sum(sphere.gaunt_product(x, fixed, lmax, method=method) ** 2)

    @jax.jit
    def hessians(x, v):
        gradient = jax.grad(energy)
        return (
            jax.jvp(gradient, (x,), (v,))[1],
            jax.grad(lambda x: gradient(x) @ v)(x),
            jax.grad(lambda x: jax.jvp(energy, (x,), (v,))[1])(x),
        )

    v = jnp.asarray(random_signal(lmax, seed=4))
    for x in (jnp.zeros_like(v), jnp.asarray(random_signal(lmax, seed=5))):
        forward_over_reverse, *others = hessians(x, v)
        assert np.isfinite(forward_over_reverse).all()
        assert np.abs(forward_over_reverse).max() > 1e-2
        for other in others:
            np.testing.assert_allclose(other, forward_over_reverse, atol=1e-11)


def test_quadratic_form_has_the_hessian_of_its_coefficients(x64):
    # ⟨c, x·x⟩ has the Hessian 2 Σ_c G_abc c_c, at any x.
    direction = random_signal(2, seed=1)
    blocks = [
        [
            sum(sphere.gaunt_coefficients(a, b, c) @ direction[c * c : (c + 1) ** 2] for c in range(3))
            for b in range(3)
        ]
        for a in range(3)
    ]
    for method in METHODS:
        form = functools.partial(sphere.gaunt_product, lmax=2, method=method)
        found = jax.jit(jax.hessian(lambda x, form=form: form(x, x) @ direction))(jnp.zeros(9))
        np.testing.assert_allclose(found, 2 * np.block(blocks), atol=1e-12)

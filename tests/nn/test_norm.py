"""Layer norm of signals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import nn, sphere, testing
from equijax.groups import Irreps, O

SIGNAL = Irreps("0e+1o+2e")


@pytest.mark.parametrize("statistics", ["degree", "separable"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_is_equivariant(dtype, statistics):
    module = nn.Norm(statistics=statistics)
    variables = jax.tree.map(
        lambda leaf: np.random.default_rng(0).normal(size=leaf.shape).astype(dtype),
        module.init(jax.random.key(0), jnp.ones((5, 4, 9))),
    )
    testing.assert_equivariant(
        lambda x: module.apply(variables, x),
        O(3),
        in_reps=(SIGNAL,),
        out_reps=SIGNAL,
        shapes=((5, 4, 9),),
        dtype=dtype,
        gradient=True,
        max_examples=20,
    )


def test_every_degree_has_mean_square_one_and_invariants_are_centred():
    x = 3 + 5 * jax.random.normal(jax.random.key(1), (2, 5, 8, 9))
    y = nn.Norm().init_with_output(jax.random.key(0), x)[0]
    np.testing.assert_allclose(y[..., 0].mean(-1), 0, atol=1e-5)
    for degree in range(3):
        part = y[..., degree**2 : (degree + 1) ** 2]
        np.testing.assert_allclose(jnp.mean(part**2, axis=(-1, -2)), 1, rtol=1e-4)


def test_separable_statistics_keep_the_ratios_of_higher_degrees():
    scale = sphere.per_degree(jnp.array([3.0, 1.0, 10.0]), jnp.ones(9))
    x = scale * jax.random.normal(jax.random.key(1), (2, 64, 9))
    y = nn.Norm(statistics="separable").init_with_output(jax.random.key(0), x)[0]
    mean_square = [jnp.mean(y[..., l * l : (l + 1) ** 2] ** 2, axis=(-1, -2)) for l in range(3)]
    np.testing.assert_allclose(mean_square[0], 1, rtol=1e-4)
    np.testing.assert_allclose((mean_square[1] + mean_square[2]) / 2, 1, rtol=1e-4)
    ratio = jnp.linalg.norm(x[..., 4:], axis=(-1, -2)) / jnp.linalg.norm(x[..., 1:4], axis=(-1, -2))
    found = jnp.linalg.norm(y[..., 4:], axis=(-1, -2)) / jnp.linalg.norm(y[..., 1:4], axis=(-1, -2))
    np.testing.assert_allclose(found, ratio, rtol=1e-4)


def test_does_not_depend_on_the_scale():
    x = jax.random.normal(jax.random.key(1), (5, 8, 9))
    module = nn.Norm()
    y, variables = module.init_with_output(jax.random.key(0), x)
    np.testing.assert_allclose(module.apply(variables, 100 * x), y, atol=1e-4)


def test_zero_stays_zero_with_finite_derivatives():
    module = nn.Norm()
    zero = jnp.zeros((4, 9))
    y, variables = module.init_with_output(jax.random.key(0), zero)
    assert not y.any()

    def loss(x):
        return jnp.sum(module.apply(variables, x) ** 2)

    second = jax.jit(lambda x: jax.jvp(jax.grad(loss), (x,), (jnp.ones_like(x),)))(zero)
    assert all(np.isfinite(part).all() for part in second)


def test_scale_and_bias_are_learned():
    x = jax.random.normal(jax.random.key(1), (5, 8, 9))
    variables = nn.Norm().init(jax.random.key(0), x)
    assert jax.tree.map(jnp.shape, variables)["params"] == {"scale": (8, 3), "bias": (8,)}
    shifted = {"params": {**variables["params"], "bias": jnp.full(8, 2.0)}}
    difference = nn.Norm().apply(shifted, x) - nn.Norm().apply(variables, x)
    np.testing.assert_allclose(difference[..., 0], 2, rtol=1e-5)
    assert not difference[..., 1:].any()


def test_jit_vmap_and_dtype():
    module = nn.Norm()
    x = jax.random.normal(jax.random.key(1), (3, 4, 9))
    y, variables = module.init_with_output(jax.random.key(0), x)
    np.testing.assert_allclose(jax.jit(jax.vmap(lambda x: module.apply(variables, x)))(x), y, atol=1e-5)
    assert y.dtype == jnp.float32


@pytest.mark.parametrize(
    ("x", "epsilon", "error", "message"),
    [
        (jnp.ones(9), 1e-6, ValueError, r"x must have shape .*channels, k\), got \(9,\)"),
        (jnp.ones((4, 7)), 1e-6, ValueError, r"x must have \(lmax \+ 1\)² entries .*got 7"),
        (jnp.ones((4, 9), int), 1e-6, TypeError, "x must be .*got dtype int32"),
        (jnp.ones((4, 9)), 0.0, ValueError, "epsilon must be a number above 0, got 0.0"),
    ],
)
def test_wrong_calls_name_the_argument(x, epsilon, error, message):
    with pytest.raises(error, match=message):
        nn.Norm(epsilon).init(jax.random.key(0), x)


def test_statistics_must_be_known():
    with pytest.raises(ValueError, match="statistics must be one of 'degree', 'separable', got 'layer'"):
        nn.Norm(statistics="layer").init(jax.random.key(0), jnp.ones((4, 9)))

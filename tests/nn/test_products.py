"""The Gaunt product module."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import nn, sphere, testing
from equijax.groups import Irreps, O

SIGNALS = Irreps("0e+1o+2e"), Irreps("0e+1o")


def signals(*leading):
    random = np.random.default_rng(0)
    return tuple(random.normal(size=(*leading, k)).astype(np.float32) for k in (9, 4))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_is_equivariant(dtype):
    module = nn.GauntProduct(lmax=2)
    variables = jax.tree.map(
        lambda leaf: np.random.default_rng(0).normal(size=leaf.shape).astype(dtype),
        module.init(jax.random.key(0), *signals(5, 3)),
    )
    testing.assert_equivariant(
        lambda x, y: module.apply(variables, x, y),
        O(3),
        in_reps=SIGNALS,
        out_reps=SIGNALS[0],
        shapes=((5, 3, 9), (5, 3, 4)),
        dtype=dtype,
        gradient=True,
        max_examples=20,
    )


def test_starts_as_the_plain_product():
    x, y = signals(5, 3)
    z = nn.GauntProduct().init_with_output(jax.random.key(0), x, y)[0]
    np.testing.assert_allclose(z, sphere.gaunt_product(x, y), atol=1e-6)


def test_has_a_weight_for_each_channel_and_degree():
    variables = nn.GauntProduct(lmax=2).init(jax.random.key(0), *signals(5, 3))
    assert jax.tree.map(jnp.shape, variables)["params"] == {
        "weight_x": (3, 3),
        "weight_y": (3, 2),
        "weight_out": (3, 3),
    }


@pytest.mark.parametrize("method", ["direct", "fourier"])
def test_methods_agree(method):
    x, y = signals(5, 3)
    variables = nn.GauntProduct(lmax=2).init(jax.random.key(0), x, y)
    expected = nn.GauntProduct(lmax=2).apply(variables, x, y)
    found = nn.GauntProduct(lmax=2, method=method).apply(variables, x, y)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_jit_and_vmap():
    module = nn.GauntProduct(lmax=2)
    x, y = signals(5, 3)
    z, variables = module.init_with_output(jax.random.key(0), x, y)
    found = jax.jit(jax.vmap(lambda x, y: module.apply(variables, x, y)))(x, y)
    np.testing.assert_allclose(found, z, atol=1e-5)


X, Y = signals(5, 3)
WRONG_CALLS = [
    (nn.GauntProduct(), (X, Y[:, :2]), ValueError, "y must have the 3 channels of x, got 2"),
    (nn.GauntProduct(), (X[0, 0], Y), ValueError, r"x must have shape .*got \(9,\)"),
    (nn.GauntProduct(), (X, Y[..., :3]), ValueError, "y must have .*got 3"),
    (nn.GauntProduct(-1), (X, Y), ValueError, "lmax must be a number of at least 0, got -1"),
    (nn.GauntProduct(method="best"), (X, Y), ValueError, "method must be one of .*got 'best'"),
    (nn.GauntProduct(), (X.astype(int), Y), TypeError, "x must be .*got dtype int"),
]


@pytest.mark.parametrize(("module", "arguments", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(module, arguments, error, message):
    with pytest.raises(error, match=message):
        module.init(jax.random.key(0), *arguments)

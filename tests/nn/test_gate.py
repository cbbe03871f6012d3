"""The gated non-linearity."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import nn, testing
from equijax.groups import Irreps, O

SIGNAL = Irreps("0e+1o+2e")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_is_equivariant(dtype):
    module = nn.Gate()
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


def test_acts_on_invariants_by_the_activation_and_scales_the_rest_by_gates_between_0_and_1():
    x = jax.random.normal(jax.random.key(1), (5, 4, 9))
    y = nn.Gate().init_with_output(jax.random.key(0), x)[0]
    np.testing.assert_allclose(y[..., 0], jax.nn.silu(x[..., 0]), rtol=1e-5)
    ratio = np.asarray(y[..., 1:] / x[..., 1:])
    for degree in (1, 2):
        part = ratio[..., degree**2 - 1 : (degree + 1) ** 2 - 1]
        np.testing.assert_allclose(part, np.broadcast_to(part[..., :1], part.shape), rtol=1e-4)
        assert np.all((part > 0) & (part < 1))


def test_gates_see_invariants_of_all_channels():
    module = nn.Gate()
    x = jax.random.normal(jax.random.key(1), (4, 9))
    y, variables = module.init_with_output(jax.random.key(0), x)
    moved = module.apply(variables, x.at[3, 0].add(1.0))
    assert np.abs(moved - y)[0, 1:].max() > 1e-3


def test_other_activations():
    x = jnp.ones((2, 4))
    y = nn.Gate(activation=jnp.tanh, gate=jnp.ones_like).init_with_output(jax.random.key(0), x)[0]
    np.testing.assert_allclose(y, [[np.tanh(1.0), 1, 1, 1]] * 2, rtol=1e-6)


def test_only_invariants_need_no_parameters():
    y, variables = nn.Gate().init_with_output(jax.random.key(0), jnp.ones((5, 3, 1)))
    assert y.shape == (5, 3, 1)
    assert not jax.tree.leaves(variables)


def test_jit_vmap_and_grad():
    module = nn.Gate()
    x = jax.random.normal(jax.random.key(1), (3, 4, 9))
    y, variables = module.init_with_output(jax.random.key(0), x)
    np.testing.assert_allclose(jax.jit(jax.vmap(lambda x: module.apply(variables, x)))(x), y, atol=1e-6)
    gradient = jax.jit(jax.grad(lambda x: module.apply(variables, x).sum()))
    assert np.isfinite(gradient(jnp.zeros((4, 9)))).all()


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (jnp.ones(9), ValueError, r"x must have shape .*channels, k\), got \(9,\)"),
        (jnp.ones((4, 7)), ValueError, r"x must have \(lmax \+ 1\)² entries .*got 7"),
        (jnp.ones((4, 9), int), TypeError, "x must be .*got dtype int32"),
    ],
)
def test_wrong_calls_name_the_argument(x, error, message):
    with pytest.raises(error, match=message):
        nn.Gate().init(jax.random.key(0), x)

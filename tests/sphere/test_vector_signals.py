"""All Clebsch-Gordan paths from scalar and vector signals, against e3nn's coefficients."""

import functools

import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import sphere, testing
from equijax.groups import SO, Irreps


@pytest.mark.parametrize(("method", "lmax"), [("grid", 6), ("separable", 4)])
def test_every_path_is_that_of_e3nn(x64, method, lmax):
    product = functools.partial(sphere.clebsch_gordan_product, method=method, irrep_normalization="none")
    size = (lmax + 1) ** 2
    basis = np.eye(size)
    paths = jax.jit(product)(basis[:, None], basis)
    assert len(paths) == sum(2 * min(l1, l2) + 1 for l1, l2 in np.ndindex(lmax + 1, lmax + 1))
    for (l1, l2, l3), values in paths.items():
        if l3 > 6:
            continue  # e3nn's own coefficients lose digits with the degree
        expected = np.zeros((size, size, 2 * l3 + 1))
        block = slice(l1**2, (l1 + 1) ** 2), slice(l2**2, (l2 + 1) ** 2)
        expected[block] = e3nn.clebsch_gordan(l1, l2, l3)
        np.testing.assert_allclose(values, expected, atol=1e-10)


@pytest.mark.parametrize(
    ("lmax", "normalization"), [(0, "component"), (5, "component"), (2, "norm"), (2, "none")]
)
def test_equals_the_tensor_product_of_e3nn(x64, lmax, normalization):
    x, y = np.random.default_rng(0).normal(size=(5, 16)), np.random.default_rng(1).normal(size=(5, 9))
    product = functools.partial(sphere.clebsch_gordan_product, lmax=lmax, irrep_normalization=normalization)
    paths = jax.jit(product)(x, y)
    arrays = [e3nn.IrrepsArray(e3nn.Irreps([(1, (l, 1)) for l in range(n)]), a) for a, n in ((x, 4), (y, 3))]
    outputs = [e3nn.Irrep(l, 1) for l in range(lmax + 1)]
    expected = e3nn.tensor_product(*arrays, filter_ir_out=outputs, irrep_normalization=normalization)
    for (_, ir), chunk in zip(expected.irreps, expected.chunks):
        found = [values for (_, _, l3), values in sorted(paths.items()) if l3 == ir.l]
        np.testing.assert_allclose(np.stack(found, axis=-2), chunk, atol=1e-11)
    assert len(paths) == expected.irreps.num_irreps


def test_the_full_product_is_their_sum(x64):
    x, y = np.random.default_rng(0).normal(size=(4, 16)), np.random.default_rng(1).normal(size=(3, 1, 16))
    paths = jax.jit(sphere.clebsch_gordan_product, static_argnums=2)(x, y, 3)
    total = [sum(values for (_, _, l3), values in paths.items() if l3 == l) for l in range(4)]
    found = sphere.tensor_product(x, y, 3, weights=sphere.path_weights(3, 3, 3, 3))
    np.testing.assert_allclose(found, np.concatenate(total, axis=-1), atol=1e-11)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_path_is_equivariant(dtype):
    out = {
        degrees: Irreps(f"{degrees[2]}e")
        for degrees in jax.eval_shape(sphere.clebsch_gordan_product, jnp.ones(9), jnp.ones(4))
    }
    testing.assert_equivariant(
        sphere.clebsch_gordan_product,
        SO(3),
        in_reps=(Irreps("0e+1e+2e"), Irreps("0e+1e")),
        out_reps=out,
        shapes=((2, 9), (2, 4)),
        dtype=dtype,
        max_examples=10,
    )


def test_jit_vmap_grad_and_second_derivatives():
    x, y = (np.random.default_rng(seed).normal(size=(5, 9)).astype(np.float32) for seed in (0, 1))
    together = jax.jit(jax.vmap(sphere.clebsch_gordan_product))(x, y)
    for degrees, values in jax.jit(sphere.clebsch_gordan_product)(x, y).items():
        assert values.dtype == jnp.float32
        np.testing.assert_allclose(together[degrees], values, atol=1e-5)

    def loss(x):
        return sum(jnp.sum(values**2) for values in sphere.clebsch_gordan_product(x, x + 1).values())

    hessian_vector = jax.jit(lambda x: jax.jvp(jax.grad(loss), (x,), (jnp.ones_like(x),))[1])
    assert np.isfinite(hessian_vector(jnp.zeros(9))).all()
    assert np.abs(hessian_vector(x[0])).max() > 1e-2


WRONG_CALLS = [
    (lambda: sphere.clebsch_gordan_product(np.ones(5), np.ones(4)), ValueError, "x must have .*got 5"),
    (
        lambda: sphere.clebsch_gordan_product(np.ones(4), np.ones(4), -1),
        ValueError,
        "lmax must be a number of",
    ),
    (
        lambda: sphere.clebsch_gordan_product(np.ones(4), np.ones(4), irrep_normalization="integral"),
        ValueError,
        "irrep_normalization must be one of .*got 'integral'",
    ),
    (
        lambda: sphere.clebsch_gordan_product(np.ones(4, int), np.ones(4)),
        TypeError,
        "x must be a real floating",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()

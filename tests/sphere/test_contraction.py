"""Matrix products in a chosen precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.sphere.contraction import bilinear, check_matmul_dtype, matrix_product, outer_product


def operands():
    random = np.random.default_rng(0)
    return random.normal(size=(5, 64)), random.normal(size=(64, 3))


def test_without_a_dtype_is_the_product_in_full_precision():
    a, b = operands()
    found = matrix_product(jnp.asarray(a, jnp.float32), b, jnp.float32)
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, a @ b, atol=2e-5)


def test_operands_are_rounded_and_sums_are_not():
    a, b = operands()
    rounded = [np.asarray(jnp.asarray(one, jnp.bfloat16), np.float64) for one in (a, b)]
    found = matrix_product(a, b, jnp.float32, jnp.bfloat16)
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, rounded[0] @ rounded[1], atol=2e-5)
    assert np.abs(found - a @ b).max() > 1e-3
    # One and 256 times 2⁻⁹ would stay 1 if sums were kept in bfloat16.
    row = np.concatenate([[1.0], np.full(256, 2.0**-9)])
    assert matrix_product(row[None], np.ones((257, 1)), jnp.float32, jnp.bfloat16).item() == 1.5


def test_a_wider_dtype_than_single_is_not_narrowed(x64):
    a, b = operands()
    found = matrix_product(a, b, jnp.float64, jnp.float64)
    np.testing.assert_allclose(found, a @ b, atol=1e-13)


def test_works_under_jit_vmap_and_grad():
    a, b = (jnp.asarray(one, jnp.float32) for one in operands())

    def loss(row):
        return jnp.sum(matrix_product(row[None], b, jnp.float32, jnp.bfloat16) ** 2)

    gradients = jax.jit(jax.vmap(jax.grad(loss)))(a)
    assert gradients.dtype == jnp.float32
    np.testing.assert_allclose(gradients, 2 * (a @ b) @ b.T, rtol=0.1, atol=0.7)


@pytest.mark.parametrize("share", [0.1, 1.0], ids=["few coefficients", "many coefficients"])
def test_bilinear_map_of_a_table(x64, share):
    random = np.random.default_rng(0)
    table = random.normal(size=(6, 5, 4)) * (random.random((6, 5, 4)) < share)
    x, y = (jnp.asarray(random.normal(size=shape)) for shape in ((3, 1, 6), (2, 5)))
    expected = np.einsum("...a,...b,abc->...c", x, y, table)
    np.testing.assert_allclose(bilinear(x, y, table), expected, atol=1e-12)
    np.testing.assert_allclose(jax.jit(bilinear)(x, y, jnp.asarray(table)), expected, atol=1e-12)
    np.testing.assert_allclose(outer_product(x, y) @ table.reshape(30, 4), expected, atol=1e-12)
    tangents = jax.grad(lambda x: jnp.sum(bilinear(x, y, table) ** 2))(x)
    np.testing.assert_allclose(
        tangents, jax.grad(lambda x: jnp.sum(bilinear(x, y, jnp.asarray(table)) ** 2))(x)
    )


@pytest.mark.parametrize("dtype", [None, jnp.bfloat16, "float16", np.float32])
def test_floating_dtypes_pass(dtype):
    check_matmul_dtype(dtype)


@pytest.mark.parametrize(("dtype", "message"), [(jnp.int8, "got int8"), ("half a byte", "got 'half a byte'")])
def test_other_dtypes_are_refused_by_name(dtype, message):
    with pytest.raises(TypeError, match=f"matmul_dtype must be None or a real floating.*, {message}"):
        check_matmul_dtype(dtype)

"""Irreps of products, and parities as channels."""

import e3nn_jax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.nn.irreps import (
    add_missing,
    is_irreps_array,
    product_irreps,
    stack_parities,
    unstack_parities,
)


@pytest.mark.parametrize(("first", "second"), [("0e+1o+2e", "0e+1o"), ("4x1o+4x1e", "4x0o+4x2e")])
def test_counts_the_paths_of_e3nn(first, second):
    first, second = e3nn_jax.Irreps(first), e3nn_jax.Irreps(second)
    singles = [e3nn_jax.Irreps([ir for _, ir in irreps]) for irreps in (first, second)]
    expected = e3nn_jax.tensor_product(*(e3nn_jax.zeros(irreps, ()) for irreps in singles)).irreps
    sizes = product_irreps(first, second, "all", None, None)
    assert sizes.num_paths == {ir: mul for mul, ir in expected.regroup()}
    assert sizes.channels == first[0].mul
    assert sizes.irreps == [ir for _, ir in expected.regroup()]


def test_even_paths_and_filters():
    irreps = e3nn_jax.Irreps("2x0e+2x1o")
    assert [str(ir) for ir in product_irreps(irreps, irreps, "even", None, None).irreps] == ["0e", "1o", "2e"]
    sizes = product_irreps(irreps, irreps, "all", 1, "0e+1e+2e")
    assert [str(ir) for ir in sizes.irreps] == ["0e", "1e"]
    assert sizes.degrees == (1, 1, 1)
    with pytest.raises(ValueError, match="filter_ir_out must keep an irrep of 2x0e"):
        product_irreps(irreps, irreps, "even", None, "1e")
    with pytest.raises(ValueError, match=r"lmax must be .*at least 0, got -1"):
        product_irreps(irreps, irreps, "even", -1, None)


@pytest.mark.parametrize("irreps", ["2x0e+2x1o", "2x0e+2x0o+2x1o+2x1e", "3x0o+3x1e"])
def test_parities_come_back(irreps):
    x = e3nn_jax.normal(irreps, jax.random.key(0), (5,))
    signals, present = stack_parities("x", x)
    assert signals.shape == (5, x.irreps[0].mul * sum(present), 4)
    back = unstack_parities(signals, present)
    np.testing.assert_allclose(back.array, x.regroup().array)
    assert back.irreps == x.irreps.regroup()


def test_missing_irreps_are_zero():
    x = e3nn_jax.IrrepsArray("2x1o", jnp.arange(6.0))
    y = add_missing(x, e3nn_jax.Irreps("2x1o+2x0e"))
    np.testing.assert_array_equal(y.array, [0, 1, 2, 3, 4, 5, 0, 0])
    with pytest.raises(ValueError, match=r"irreps must have every irrep once, got 1x1o\+1x1o"):
        add_missing(x, e3nn_jax.Irreps("1o+1o"))


def test_tells_irreps_from_arrays():
    x = e3nn_jax.IrrepsArray("1o", jnp.ones(3))
    assert is_irreps_array(x)
    assert is_irreps_array(x, x)
    assert not is_irreps_array(jnp.ones(3))
    with pytest.raises(TypeError, match="x and y must both be"):
        is_irreps_array(x, jnp.ones(3))

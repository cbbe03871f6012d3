import jax.numpy as jnp
import numpy as np
import pytest

from equijax.sphere import operands


def test_factors_get_their_common_dtype_and_their_degrees():
    x, y, l1, l2, lmax = operands.prepare(jnp.ones((3, 4), jnp.bfloat16), np.ones((1, 9), np.float32), None)
    assert (x.dtype, y.dtype, l1, l2, lmax) == (jnp.float32, jnp.float32, 1, 2, 3)


@pytest.mark.parametrize(
    ("x", "lmax", "error", "message"),
    [
        (jnp.ones(5), None, ValueError, "x must"),
        (jnp.ones(4, int), None, TypeError, "x must be a real floating-point array, got dtype int32"),
        (jnp.ones((2, 4)), None, ValueError, "y"),
        (jnp.ones((3, 4)), -1, ValueError, "lmax"),
        (jnp.ones((3, 4)), 1.5, TypeError, "lmax"),
    ],
)
def test_wrong_factors_are_named(x, lmax, error, message):
    with pytest.raises(error, match=message):
        operands.prepare(x, jnp.ones((3, 1)), lmax)


def test_weights_scale_degrees_and_those_of_the_result_are_left():
    last = jnp.ones(3)
    x, y, weight = operands.weigh(jnp.ones(4), jnp.ones(1), (jnp.array([2.0, 3.0]), jnp.array([5.0]), last))
    assert (x.tolist(), y.tolist(), weight is last) == ([2.0, 3.0, 3.0, 3.0], [5.0], True)
    same, also, nothing = operands.weigh(x, y, None)
    assert same is x
    assert also is y
    assert nothing is None


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ((None, None), TypeError, "weights must be a tuple"),
        ((None, jnp.ones(3), None), ValueError, r"weights\[1\]"),
        ((jnp.ones(2, int), None, None), TypeError, r"weights\[0\]"),
    ],
)
def test_wrong_weights_are_named(weights, error, message):
    with pytest.raises(error, match=message):
        operands.weigh(jnp.ones(4), jnp.ones(1), weights)

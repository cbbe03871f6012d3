"""What is compiled for each direction."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.framework.directions import FORWARD, GRADIENT, SECOND_ORDER, in_direction


def function(x, y, w):
    return jnp.tanh(w["a"] * x) * y


ARGUMENTS = (jnp.array([1.0, 2.0]), jnp.array([0.5, -1.0]), {"a": jnp.array(0.3)})


def test_forward_is_the_function():
    run, arguments = in_direction(FORWARD, function, ARGUMENTS)
    assert run is function
    assert arguments is ARGUMENTS


def test_backward_direction_computes_gradients_of_all_arguments():
    run, arguments = in_direction(
        GRADIENT, lambda x, w: w["a"] * x**2, (jnp.array([1.0, 2.0]), {"a": jnp.array(3.0)})
    )
    value, (by_x, by_w) = jax.jit(run)(*arguments)
    np.testing.assert_allclose(value, [3, 12])
    np.testing.assert_allclose(by_x, [6, 12])
    np.testing.assert_allclose(by_w["a"], 5)


def test_second_order_is_the_gradient_of_squared_forces(x64):
    arguments = jax.tree.map(lambda leaf: leaf.astype(jnp.float64), ARGUMENTS)
    run, given = in_direction(SECOND_ORDER, function, arguments)
    gradients = jax.jit(run)(*given)

    def squared_forces(arguments):
        def energy(x, y):
            return jnp.sum(function(x, y, arguments[2]) ** 2) / 2

        return sum(jnp.sum(f**2) for f in jax.jacfwd(energy, (0, 1))(*arguments[:2]))

    # The oracle differentiates forwards where the direction does so backwards.
    expected = jax.jacfwd(squared_forces)(arguments)
    for one, other in zip(jax.tree.leaves(gradients), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_wrong_calls_are_refused():
    with pytest.raises(ValueError, match=r"direction must be one of .*got 'sideways'"):
        in_direction("sideways", function, ARGUMENTS)
    with pytest.raises(ValueError, match="arguments must be factors and weights, got 1 of them"):
        in_direction(SECOND_ORDER, jnp.sin, (jnp.ones(2),))

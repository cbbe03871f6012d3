import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.numerics import check


def test_shape_returns_the_named_sizes():
    assert check.shape("x", np.zeros((7, 5, 3)), "... n d", d=3) == {"n": 5, "d": 3}
    assert check.shape("x", 1.0, "...") == {}
    assert check.shape("x", np.zeros((2, 3)), "2 n") == {"n": 3}


@pytest.mark.parametrize(
    ("pattern", "sizes"), [("... n n", {}), ("n", {}), ("... 3", {}), ("... d", {"d": 5}), ("... a b c", {})]
)
def test_wrong_shapes_are_refused(pattern, sizes):
    with pytest.raises(ValueError, match=r"x must have shape .*, got \(3, 2\)"):
        check.shape("x", np.zeros((3, 2)), pattern, **sizes)


def test_dtypes():
    check.floating("x", jnp.ones(2, jnp.bfloat16))
    check.integer("x", jnp.ones(2, jnp.uint8))
    for call, value in (
        (check.floating, 1),
        (check.floating, 1j),
        (check.integer, 1.0),
        (check.integer, True),
    ):
        with pytest.raises(TypeError, match="x must be"):
            call("x", value)

    for call, expected in ((check.floating, "a real floating-point"), (check.integer, "an integer")):
        with pytest.raises(TypeError, match=f"x must be {expected} array, got list"):
            call("x", [1.0, 2.0])


@pytest.mark.parametrize("value", [True, "1", None, 2.0, float("nan"), np.float32(2)])
def test_counts_are_integers(value):
    check.count("x", np.int64(3), 3)
    with pytest.raises(TypeError, match=f"x must be an integer, got {re.escape(repr(value))}"):
        check.count("x", value, 0)
    with pytest.raises(ValueError, match="x must be a number of at least 1, got 0"):
        check.count("x", 0, 1)


@pytest.mark.parametrize(
    "value", [0, None, np.zeros(3), jax.random.split(jax.random.key(0)), jax.random.key, jnp.zeros((2, 2))]
)
def test_keys(value):
    check.key("x", jax.random.key(0))
    check.key("x", jax.random.PRNGKey(0))
    jax.jit(jax.vmap(lambda key: check.key("x", key)))(jax.random.split(jax.random.key(0)))
    with pytest.raises(TypeError, match=r"x must be a random key such as jax.random.key\(0\), got"):
        check.key("x", value)


def test_axes():
    check.axes("x", ())
    check.axes("x", [np.int32(2), 0])
    for value in (3, None, (2.0,), "ab"):
        with pytest.raises(TypeError, match="x must be a tuple of integers, got"):
            check.axes("x", value)
    with pytest.raises(ValueError, match=r"x must have no negative size, got \(2, -1\)"):
        check.axes("x", (2, -1))


def test_functions_and_instances():
    check.function("x", len)
    check.instance("x", "text", str)
    with pytest.raises(TypeError, match="x must be a function, got int"):
        check.function("x", 3)
    with pytest.raises(TypeError, match="x must be a str, got int"):
        check.instance("x", 3, str)
    with pytest.raises(TypeError, match="x must be a str, got the class str"):
        check.instance("x", str, str)


@pytest.mark.parametrize("value", [-1, True, "1", None, float("nan")])
def test_numbers(value):
    with pytest.raises(ValueError, match="x must be a number above 0"):
        check.positive("x", value)


def test_choices_and_trace_time():
    check.one_of("x", "a", iter("ab"))
    with pytest.raises(ValueError, match="x must be one of 'a', 'b', got 'c'"):
        check.one_of("x", "c", ("a", "b"))
    with pytest.raises(ValueError, match="x must have shape"):
        jax.jit(lambda x: check.shape("x", x, "3")).trace(jnp.zeros(2))

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


@pytest.mark.parametrize("value", [-1, True, "1", None, float("nan")])
def test_numbers(value):
    with pytest.raises(ValueError, match="x must be a number"):
        check.at_least("x", value, 0)
    with pytest.raises(ValueError, match="x must be a number above 0"):
        check.positive("x", value)


def test_choices_and_trace_time():
    check.one_of("x", "a", iter("ab"))
    with pytest.raises(ValueError, match="x must be one of 'a', 'b', got 'c'"):
        check.one_of("x", "c", ("a", "b"))
    with pytest.raises(ValueError, match="x must have shape"):
        jax.jit(lambda x: check.shape("x", x, "3")).trace(jnp.zeros(2))

"""Strengths that find themselves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from equijax.equivariance import balance, balance_once, balance_repeatedly, dual_ascent

positive = hnp.arrays(np.float32, 3, elements=st.floats(2.0**-10, 2.0**10, width=32))
balanced = jax.jit(balance, static_argnames=("power", "largest_ratio"))


@given(strengths=positive, residuals=positive)
def test_balance_keeps_the_best_is_scale_free_and_monotone(strengths, residuals):
    found = np.asarray(balanced(strengths, residuals, largest_ratio=1e6))
    best = np.argmin(residuals)
    np.testing.assert_allclose(found[best], strengths[best], rtol=1e-5)
    np.testing.assert_allclose(found, strengths / (residuals / residuals.min()) ** 2, rtol=1e-4)
    np.testing.assert_allclose(balanced(strengths, 7 * residuals, largest_ratio=1e6), found, rtol=1e-4)
    order = np.argsort(residuals)
    assert np.all(np.diff((found / strengths)[order]) <= 1e-6)
    np.testing.assert_allclose(balanced(strengths, residuals, power=0.0), strengths, rtol=1e-6)
    np.testing.assert_allclose(balanced(strengths, np.full_like(residuals, 3.0)), strengths, rtol=1e-6)


def test_balance_with_zeros_and_with_groups_that_take_no_part():
    strengths = jnp.array([0.0, 5.0, 5.0, 5.0])
    # A residual of zero keeps its strength, and the others fall no further than the bound.
    np.testing.assert_allclose(
        balanced(strengths, jnp.array([0.0, 0.0, 1.0, 1e-30]), power=1.0, largest_ratio=100.0),
        [0, 5, 0.05, 0.05],
        rtol=1e-6,
    )
    # The first has no strength, so that its residual is not the smallest.
    np.testing.assert_allclose(
        balanced(strengths, jnp.array([0.1, 1.0, 2.0, 1e9])), [0, 5, 1.25, 5e-6], rtol=1e-5
    )
    np.testing.assert_array_equal(balanced(jnp.zeros(4), jnp.ones(4)), 0)
    slope = jax.jit(jax.grad(lambda r: jnp.sum(balance(strengths, r))))(jnp.zeros(4))
    assert np.isfinite(slope).all()
    draws = jax.random.uniform(jax.random.key(0), (2, 5, 3))
    np.testing.assert_allclose(jax.jit(jax.vmap(balance))(*draws), balanced(*draws), rtol=1e-6)


def run(rule, history):
    """Strengths after each update, by a scan as in a training loop."""

    def step(state, residuals):
        strengths, state = rule.update(residuals, state)
        return state, strengths

    return np.asarray(jax.jit(lambda h: jax.lax.scan(step, rule.init(), h)[1])(jnp.asarray(history)))


def test_once_looks_at_the_window_only():
    history = [[1.0, 0.1], [4.0, 2.0], [2.0, 4.0], [3.0, 5.0], [9.0, 1.0]]
    # Within updates 2 to 4 a residual is the lowest at 2 and at 3, not at 4: those of 3 are kept.
    found = run(balance_once(jnp.array([8.0, 8.0]), at=4, window=3), history)
    np.testing.assert_allclose(found, [[8, 8]] * 3 + [[8, 2]] * 2)


def test_repeated_balancing_settles_and_forgets():
    rule = balance_repeatedly(jnp.array([8.0, 8.0]), every=2, start=2, decay=0.5)
    found = run(rule, [[1.0, 2.0]] * 6 + [[2.0, 1.0]] * 20)
    np.testing.assert_allclose(found[:3], 8)
    np.testing.assert_allclose(found[3:6], [[8, 2]] * 3, rtol=1e-6)
    np.testing.assert_allclose(found[-1], [2, 8], rtol=1e-4)


def test_dual_ascent_solves_a_constrained_problem():
    """The nearest point to (3, 4) with x² <= 1 and y² <= 100: (1, 4), with multipliers (2, 0)."""

    def step(carry, _):
        point, state = carry
        strengths, state = rule.update(point**2 / 2, state)
        return (jnp.array([3.0, 4.0]) / (1 + strengths), state), strengths

    rule = dual_ascent(jnp.array([0.5, 50.0]), rate=0.5)
    start = (jnp.array([3.0, 4.0]), rule.init())
    (point, state), _ = jax.jit(lambda s: jax.lax.scan(step, s, None, length=400))(start)
    np.testing.assert_allclose(point, [1, 4], atol=1e-4)
    np.testing.assert_allclose(state.strengths, [2, 0], atol=1e-3)


RULES = [
    balance_once(jnp.ones(2), at=3),
    balance_repeatedly(jnp.ones(2), every=1),
    dual_ascent(jnp.ones(2), rate=1.0),
]


@pytest.mark.parametrize("rule", RULES, ids=["once", "repeatedly", "dual"])
def test_states_keep_their_structure_under_vmap(rule):
    states = jax.vmap(lambda _: rule.init())(jnp.arange(4))
    strengths, after = jax.vmap(rule.update)(jnp.ones((4, 2)), states)
    assert strengths.shape == (4, 2)
    before, after = (jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), state) for state in (states, after))
    assert before == after


WRONG = [
    (
        lambda: balance(jnp.ones(2), jnp.ones(3)),
        ValueError,
        r"residuals must have the shape of strengths, \(2,\)",
    ),
    (lambda: balance(jnp.ones(2, int), jnp.ones(2)), TypeError, "strengths must be a real floating"),
    (lambda: balance(jnp.ones(2), jnp.ones(2), power=-1), ValueError, "power must be a number of at least 0"),
    (lambda: balance(jnp.ones(2), jnp.ones(2), largest_ratio=0.5), ValueError, "largest_ratio must be"),
    (lambda: balance_once(jnp.ones(2), at=0), ValueError, "at must be a number of at least 1"),
    (lambda: balance_once(jnp.ones((2, 2)), at=1), ValueError, "strengths must have shape"),
    (lambda: balance_repeatedly(jnp.ones(2), every=0), ValueError, "every must be a number of at least 1"),
    (lambda: balance_repeatedly(jnp.ones(2), every=1, decay=1.0), ValueError, "decay must be at least 0"),
    (lambda: dual_ascent(jnp.ones(2), rate=0.0), ValueError, "rate must be a number above 0"),
    (lambda: dual_ascent(jnp.ones(2), rate=1.0, strengths=jnp.ones(3)), ValueError, "shape of bounds"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG)
def test_wrong_calls_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()

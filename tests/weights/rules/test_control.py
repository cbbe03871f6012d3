import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import Power, symmetry

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=2)
W = {"in": RANDOM.normal(size=(2, 6)), "w": RANDOM.normal(size=(6, 6)), "out": RANDOM.normal(size=(6, 3))}


def sizes(model, w=W, *inputs, **options):
    return [each.size for each in symmetry(model, w, *(inputs or (X,)), **options).groups]


def layer(w, x):
    return jnp.tanh(x @ w["w"]) + x


WRAPPERS = {
    "jit": jax.jit,
    "checkpoint": jax.checkpoint,
    "nested": lambda f: jax.jit(jax.checkpoint(jax.jit(f))),
    "a gradient of its own": lambda f: _custom(f),
    "a tangent of its own": lambda f: _custom_tangent(f),
    "a batch": lambda f: lambda w, x: jax.vmap(f, (None, 0))(w, jnp.stack([x, 2 * x])).sum(0),
    "a derivative": lambda f: lambda w, x: jax.jvp(functools.partial(f, w), (x,), (x,))[1],
}


def _custom(function):
    wrapped = jax.custom_vjp(function)
    wrapped.defvjp(lambda *args: (function(*args), args), lambda args, _: args)
    return wrapped


def _custom_tangent(function):
    wrapped = jax.custom_jvp(function)
    wrapped.defjvp(lambda values, tangents: (function(*values), tangents[1]))
    return wrapped


@pytest.mark.parametrize("name", WRAPPERS)
def test_functions_within_functions(name):
    inner = WRAPPERS[name](layer)
    assert sizes(lambda w, x: inner(w, x @ w["in"]) @ w["out"]) == [6]


def test_gradients_with_respect_to_inputs():
    def slope(w, x):
        return jax.grad(lambda x: jnp.sum(layer(w, x @ w["in"]) @ w["out"]))(x)

    # Its three outputs are summed, so they may change places, too.
    assert sizes(slope) == [6, 3]


def test_loops_tie_what_they_carry_to_itself():
    def model(w, x):
        return jax.lax.fori_loop(0, 3, lambda _, h: layer(w, h), x @ w["in"]) @ w["out"]

    assert sizes(model) == [6]


def test_loops_that_begin_with_zeros():
    def model(w, x):
        def step(h, _):
            return jnp.tanh(h @ w["w"] + x @ w["in"]), None

        return jax.lax.scan(step, jnp.zeros(6), None, length=3)[0] @ w["out"]

    assert sizes(model) == [6]


def test_loops_until_a_condition_holds():
    def model(w, x):
        def is_small(h):
            return jnp.sum(h**2) < 1e3

        return jax.lax.while_loop(is_small, lambda h: 2 * layer(w, h), x @ w["in"]) @ w["out"]

    assert sizes(model) == [6]


def test_branches_are_tied():
    def model(w, x):
        h = x @ w["in"]
        h = jax.lax.cond(jnp.sum(h) > 0, lambda h: layer(w, h), lambda h: jnp.zeros_like(h) + h[::1], h)
        return jax.lax.switch(1, [jnp.tanh, jnp.sin, jnp.cumsum], h) @ w["out"]

    assert sizes(model) == []
    assert sizes(lambda w, x: jax.lax.cond(x[0] > 0, layer, lambda w, h: h, w, x @ w["in"]) @ w["out"]) == [6]


STACK = {
    "up": RANDOM.normal(size=(4, 2, 5)),
    "down": RANDOM.normal(size=(4, 5, 2)),
}


def stacked(w, x):
    def step(x, layer):
        return x + jnp.tanh(x @ layer["up"]) @ layer["down"], jnp.sum(jnp.tanh(x @ layer["up"]))

    return jax.lax.scan(step, x, w)


def test_scanned_layers_have_a_permutation_each():
    group = symmetry(stacked, STACK, X)
    assert group.factors == (Power(group.groups[0].group, 4),)
    assert group.groups[0].over == (4,)
    assert {each.reason for each in group.rigid if each.axis == 0} == {"axis of a scan"}


def test_results_of_each_step_are_told_apart():
    def hidden(w, x):
        return jax.lax.scan(lambda x, u: (x, jnp.tanh(x @ u)), x, w["up"])[1].sum()

    assert symmetry(hidden, {"up": STACK["up"]}, X).groups[0].over == (4,)

    def common(w, x):
        return jnp.cos(jax.lax.scan(lambda x, u: (x, jnp.tanh(x @ u)), x, w["up"])[1].sum(0)).sum()

    assert symmetry(common, {"up": STACK["up"]}, X).groups[0].over == ()


def test_a_weight_from_outside_ties_the_layers():
    def model(w, x):
        def step(x, u):
            return x + (jnp.tanh(x @ u["up"]) * w["gain"]) @ u["down"], None

        return jax.lax.scan(step, x, {"up": w["up"], "down": w["down"]})[0]

    group = symmetry(model, {**STACK, "gain": RANDOM.normal(size=5)}, X)
    assert [(each.size, each.over) for each in group.groups] == [(5, ())]


def test_scans_within_scans():
    w = {"up": RANDOM.normal(size=(3, 4, 2, 5)), "down": RANDOM.normal(size=(3, 4, 5, 2))}
    group = symmetry(lambda w, x: jax.lax.scan(lambda x, w: (stacked(w, x)[0], None), x, w)[0], w, X)
    assert [(each.size, each.over) for each in group.groups] == [(5, (3, 4))]
    assert group.verification.holds


def test_ensembles_by_vmap_have_a_permutation_each():
    w = {"in": RANDOM.normal(size=(3, 2, 6)), "out": RANDOM.normal(size=(3, 6, 1))}

    def member(w, x):
        return (jnp.tanh(x @ w["in"]) @ w["out"])[0]

    group = symmetry(lambda w, x: jax.vmap(member, (0, None))(w, x), w, X)
    assert [(each.size, each.over) for each in group.groups] == [(6, (3,))]
    mean = symmetry(lambda w, x: jax.vmap(member, (0, None))(w, x).mean(), w, X, heads="wreath")
    assert sorted((each.size, each.over) for each in mean.groups) == [(3, ()), (6, (3,))]

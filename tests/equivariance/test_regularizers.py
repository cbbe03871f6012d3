"""Three penalties that are called alike."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.equivariance import lie_regularizer, projection_regularizer, sampled_regularizer
from equijax.groups import SO, Cyclic, O, PermutationTensor, Regular, S, Trivial, TrivialGroup, Vector

V, T = Vector(), Trivial()
GROUPS = (SO(3), O(3))


def linear(params, x):
    return x @ params["kernel"]


def all_three(groups=GROUPS):
    return {
        "projection": projection_regularizer(groups, {"kernel": (V, V)}),
        "sampled": sampled_regularizer(linear, groups, (V,), V, num_samples=4),
        "lie": lie_regularizer(linear, groups, (V,), V),
    }


@pytest.fixture(scope="module")
def inputs():
    return jax.random.normal(jax.random.key(0), (16, 3))


@pytest.mark.parametrize("name", ["projection", "sampled", "lie"])
def test_each_can_take_the_place_of_another_in_a_loss(name, inputs, x64):
    regularizer = all_three()[name]
    x = jnp.asarray(inputs, jnp.float64)

    @jax.jit
    @jax.value_and_grad
    def loss(params):
        penalties = regularizer(params, (x,), key=jax.random.key(1))
        assert penalties.shape == (2,)
        return jnp.dot(jnp.array([1.0, 10.0]), penalties)

    value, slope = loss({"kernel": 2.0 * jnp.eye(3)})
    np.testing.assert_allclose(value, 0, atol=1e-20)
    np.testing.assert_allclose(slope["kernel"], 0, atol=1e-12)
    away = {"kernel": jnp.diag(jnp.array([1.0, 2.0, 6.0])) + jnp.eye(3)[::-1]}
    value, slope = loss(away)
    assert value > 0.1
    # A step down the slope lowers it, and the part that commutes is left alone.
    assert loss({"kernel": away["kernel"] - 1e-4 * slope["kernel"]})[0] < value
    np.testing.assert_allclose(jnp.trace(slope["kernel"]), 0, atol=1e-10)
    stacked = jax.vmap(lambda k: regularizer({"kernel": k}, (x,), key=jax.random.key(1)))(
        jnp.stack([jnp.eye(3), away["kernel"]])
    )
    np.testing.assert_allclose(stacked[0], 0, atol=1e-20)


def test_sampling_and_derivatives_of_a_linear_map_in_closed_form(inputs, x64):
    x = jnp.asarray(np.sqrt(3) * np.eye(3))  # E x xᵀ = 1: penalties are traces
    matrix = np.diag([1.0, 2.0, 6.0])
    params = {"kernel": jnp.asarray(matrix)}
    # Over Haar measure E‖W R - R W‖² = 2 ‖W - P W‖²; a mean over 3 entries.
    expected = np.sum((matrix - 3 * np.eye(3)) ** 2) / 3
    found = sampled_regularizer(linear, GROUPS, (V,), V, num_samples=20_000)(
        params, (x,), key=jax.random.key(0)
    )
    np.testing.assert_allclose(found, expected, rtol=0.03)
    basis = SO(3).algebra_basis()
    brackets = np.mean([np.sum((matrix @ a - a @ matrix) ** 2) for a in basis]) / 3 / 2
    derivative = lie_regularizer(linear, GROUPS, (V,), V)(params, (x,))
    np.testing.assert_allclose(derivative, [brackets, 0.75 * brackets], rtol=1e-10)


def test_discrete_groups_and_signatures_that_depend_on_the_group():
    def rep(group):
        return PermutationTensor(1) if isinstance(group, S) else Regular()

    groups = (S(4), Cyclic(4), TrivialGroup())
    penalty = lie_regularizer(
        lambda params, x: jnp.roll(x, 1, axis=-1),
        groups[:2],
        lambda group: (rep(group),),
        rep,
    )
    found = penalty({}, (jnp.arange(8.0).reshape(2, 4),))
    assert found[0] > 0.1
    assert found[1] == 0
    nothing = lie_regularizer(lambda params, x: x**2, groups[2:], (T,), T)
    assert nothing({}, (jnp.ones(3),)) == 0


def test_zero_inputs_have_finite_gradients():
    args, key, regularizers = (jnp.zeros((2, 3)),), jax.random.key(0), all_three(GROUPS[:1])

    @jax.jit
    @jax.grad
    def slope(params):
        return sum(jnp.sum(regularizer(params, args, key=key)) for regularizer in regularizers.values())

    assert np.isfinite(slope({"kernel": jnp.zeros((3, 3))})["kernel"]).all()


def test_wrong_calls_name_the_argument(inputs):
    with pytest.raises(TypeError, match="groups must be a sequence"):
        sampled_regularizer(linear, SO(3), (V,), V)
    with pytest.raises(TypeError, match="apply must be a function"):
        lie_regularizer(1, GROUPS, (V,), V)
    with pytest.raises(ValueError, match="num_samples must be a number of at least 1"):
        sampled_regularizer(linear, GROUPS, (V,), V, num_samples=0)
    sampled, params = all_three()["sampled"], {"kernel": jnp.eye(3)}
    with pytest.raises(TypeError, match="key must be a random key"):
        sampled(params, (inputs,))
    with pytest.raises(TypeError, match="args must be a tuple"):
        sampled(params, inputs, key=jax.random.key(0))
    with pytest.raises(ValueError, match=r"args\[0\] must have shape \(\.\.\., 3\)"):
        sampled(params, (inputs[:, :2],), key=jax.random.key(0))
    with pytest.raises(ValueError, match=r"output must have shape \(\.\.\., 3\)"):
        sampled({"kernel": jnp.ones((3, 2))}, (inputs,), key=jax.random.key(0))

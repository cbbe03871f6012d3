import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import GL, S
from equijax.weights import Monomial, ParameterAction, Power
from equijax.weights.parts import Joined, Part

RANDOM = np.random.default_rng(0)
STILL, LAYER = Part(3), Part(2, label=9)
# Actions with the group whose product with others they act by.
CASES = {
    "one axis": (S(4), ParameterAction(((STILL,), (Part(4, path=(0,)),)), ((0,), 1))),
    "both axes": (S(4), ParameterAction(((Part(4, path=(0,)),), (Part(4, path=(0,)), STILL)), ((0,), 1))),
    "segments": (
        S(2),
        ParameterAction(
            ((Joined(((STILL,), (Part(2, path=(0,)),), (STILL, Part(2, path=(0,))))),),), ((0,), 1)
        ),
    ),
    "scales": (
        Monomial(3, scales=2, signs=1),
        ParameterAction(((Part(3, path=(0,), scale=(1, -2), sign=(1,)), Part(2)),), ((0,), 1)),
    ),
    "scales in segments": (
        Monomial(2, scales=1),
        ParameterAction(((Joined(((STILL,), (Part(2, path=(0,), scale=(1,)),))),), (Part(2),)), ((0,), 1)),
    ),
    "family on one axis": (
        Power(S(3), 2),
        ParameterAction(((LAYER, Part(3, path=(0,), over=(9,))), (STILL,)), ((0,), 2)),
    ),
    "family on two axes": (
        Power(S(3), 2),
        ParameterAction(((LAYER,), (Part(5),), (Part(3, path=(0,), over=(9,)),)), ((0,), 2)),
    ),
    "family in segments": (
        Power(Monomial(3, signs=1), 2),
        ParameterAction(
            ((Joined(((STILL,), (Part(3, path=(0,), over=(9,), sign=(1,)),))),), (LAYER,)), ((0,), 2)
        ),
    ),
    "matrices": (GL(3), ParameterAction(((Part(3, path=(0,), dual=False),), (STILL,)), ((0,), 2))),
    "inverse transposes": (
        GL(3),
        ParameterAction(((Part(2), Joined(((STILL,), (Part(3, path=(0,), dual=True),)))),), ((0,), 2)),
    ),
    "a matrix for each layer": (
        Power(GL(3), 2),
        ParameterAction(((Part(3, path=(0,), over=(9,), dual=False),), (LAYER,)), ((0,), 3)),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_action_is_a_linear_representation(name, quick_jit, x64):
    group, action = CASES[name]
    shape = action._shape(None)
    x = jnp.asarray(RANDOM.normal(size=shape))
    size = x.size

    def pairs(key, x):
        g, h = ((group.sample(each),) for each in jax.random.split(key))
        gh = (group.compose(g[0], h[0]),)
        one = (group.identity(),)
        both = jax.tree.map(lambda a, b: jnp.stack([a, b]), g, h)
        yield action.act(gh, x), action.act(g, action.act(h, x))
        yield action.act(one, x), x
        yield action.act(both, x), jnp.stack([action.act(g, x), action.act(h, x)])
        yield action.act(both, jnp.stack([x, 2 * x])), jax.vmap(action.act)(both, jnp.stack([x, 2 * x]))
        yield action.act(g, jnp.stack([x, 2 * x])), jnp.stack([action.act(g, x), 2 * action.act(g, x)])
        yield action.matrix(g) @ x.reshape(size), action.act(g, x).reshape(size)
        yield action.matrix(both)[1], action.matrix(h)
        yield action.dual().matrix(g), jnp.linalg.inv(action.matrix(g)).T

    for left, right in quick_jit(lambda key, x: list(pairs(key, x)))(jax.random.key(0), x):
        np.testing.assert_allclose(left, right, atol=1e-9)
    matrix = np.asarray(action.matrix((group.sample(jax.random.key(1)),)))
    assert action.is_orthogonal == np.allclose(matrix @ matrix.T, np.eye(size))


def test_entries_move_as_points_do():
    action = ParameterAction(((Part(3, path=(0,)),),), ((0,), 1))
    image = jnp.array([2, 0, 1])
    np.testing.assert_array_equal(action.act((image,), jnp.arange(3))[image], np.arange(3))


def test_a_family_on_two_axes_moves_each_layer_by_its_own():
    _, action = CASES["family on two axes"]
    images = jnp.array([[1, 2, 0], [0, 2, 1]])
    x = jnp.asarray(RANDOM.normal(size=(2, 5, 3)))
    moved = action.act((images,), x)
    for layer in range(2):
        np.testing.assert_array_equal(moved[layer][:, images[layer]], x[layer])


def test_gradients_and_dtypes():
    _, action = CASES["scales"]
    g = (Monomial(3, scales=2, signs=1).sample(jax.random.key(0)),)
    x = jnp.ones(6, jnp.float16)
    assert action.act(g, x).dtype == jnp.float16
    gradient = jax.grad(lambda x: jnp.sum(action.act(g, x) ** 2))(jnp.ones(6))
    np.testing.assert_allclose(gradient, 2 * np.diag(action.matrix(g).T @ action.matrix(g)), rtol=1e-5)


def test_without_a_group_nothing_moves():
    action = ParameterAction(((STILL,), (Part(2),)))
    x = jnp.ones((3, 2))
    assert action.act((), x) is x
    np.testing.assert_array_equal(action.matrix(()), np.eye(6))
    assert repr(action) == "ParameterAction(3, 2; 0 axes move)"


def test_wrong_shapes_are_refused():
    action = ParameterAction(((Part(3, path=(0,)),),), ((0,), 1))
    with pytest.raises(ValueError, match=r"x must have shape \(\.\.\., 3\)"):
        action.act((jnp.arange(3),), jnp.ones(4))

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import SE, SO, Adjoint, E, O, S


def test_rotations_act_on_their_algebra_as_on_vectors(x64):
    g = SO(3).sample(jax.random.key(0), (4,))
    np.testing.assert_allclose(Adjoint(SO(3)).matrix(g), g, atol=1e-14)


def test_reflections_act_on_it_as_on_pseudovectors(x64):
    g = O(3).sample(jax.random.key(1), (4,))
    expected = jnp.linalg.det(g)[:, None, None] * g
    np.testing.assert_allclose(Adjoint(O(3)).matrix(g), expected, atol=1e-14)


def test_the_plane_group_is_in_closed_form(x64):
    # Ad of (R, t) on (angle, velocity): velocity -> R velocity - angle J t, with J the quarter turn.
    g = SE(2).sample(jax.random.key(2))
    quarter = jnp.array([[0.0, -1.0], [1.0, 0.0]])
    expected = (
        jnp.zeros((3, 3)).at[0, 0].set(1.0).at[1:, 1:].set(g.linear).at[1:, 0].set(-quarter @ g.translation)
    )
    np.testing.assert_allclose(Adjoint(SE(2)).matrix(g), expected, atol=1e-14)


def test_discrete_factors_act_trivially(x64):
    group = S(4) * E(3)
    g = group.sample(jax.random.key(3))
    np.testing.assert_allclose(Adjoint(group).matrix(g), Adjoint(E(3)).matrix(g[1]), atol=1e-14)


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match=r"group must be a Lie group, got S\(3\)"):
        Adjoint(S(3))
    with pytest.raises(TypeError, match=r"g must be an element of SE\(3\)"):
        Adjoint(SE(3)).act(jnp.eye(3), jnp.zeros(6))

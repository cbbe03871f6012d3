from typing import NamedTuple

import e3nn_jax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import E, Irreps, PermutationTensor, Point, S, Trivial, Vector, act


class State(NamedTuple):
    """Arguments as a user has them."""

    positions: jax.Array
    velocities: jax.Array
    species: jax.Array


POSITIONS, VELOCITIES = PermutationTensor(1) @ Point(), PermutationTensor(1) @ Vector()
SIGNATURE = State(POSITIONS, VELOCITIES, PermutationTensor(1) @ Trivial())


def test_a_signature_acts_on_structures():
    group = S(5) * E(3)
    g = group.sample(jax.random.key(0))
    x = State(*jax.random.normal(jax.random.key(1), (2, 5, 3)), jnp.arange(5))
    moved = jax.jit(lambda g, x: act(SIGNATURE, g, x))(g, x)
    assert isinstance(moved, State)
    np.testing.assert_allclose(moved.positions, POSITIONS.act(g, x.positions), atol=1e-6)
    np.testing.assert_allclose(moved.velocities, VELOCITIES.act(g, x.velocities), atol=1e-6)
    np.testing.assert_array_equal(moved.species[g[0]], x.species)


def test_a_representation_stands_for_every_leaf_below_it():
    x = {"a": jnp.ones(3), "b": [jnp.zeros((2, 3)), jnp.ones((4, 5, 3))]}
    moved = act(Vector(), -jnp.eye(3), x)
    for before, after in zip(jax.tree.leaves(x), jax.tree.leaves(moved), strict=True):
        np.testing.assert_array_equal(after, -before)


def test_irreps_arrays_are_leaves():
    x = e3nn_jax.IrrepsArray("0e+1o", jnp.arange(4.0))
    moved = act((Irreps("0e+1o"), Trivial()), -jnp.eye(3), (x, jnp.ones(2)))
    assert isinstance(moved[0], e3nn_jax.IrrepsArray)
    np.testing.assert_array_equal(moved[0].array, [0.0, -1.0, -2.0, -3.0])


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="reps must be a prefix of the arguments, got"):
        act((Vector(), Vector()), jnp.eye(3), (jnp.ones(3),))
    with pytest.raises(TypeError, match="reps must be a pytree of representations, got 'vector'"):
        act(("vector",), jnp.eye(3), (jnp.ones(3),))
    with pytest.raises(ValueError, match=r"x must have shape \(..., 3\)"):
        jax.jit(lambda x: act(Vector(), jnp.eye(3), x)).trace(jnp.ones(2))

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import equijax as ej
from equijax.groups import SO, E, O, PermutationTensor, Point, S, Scaling, Trivial, Vector, act

GROUP = S(4) * E(3)
POSITIONS, VECTORS = PermutationTensor(1) @ Point(), PermutationTensor(1) @ Vector()
REPS = {"energy": Trivial(), "forces": VECTORS, "points": POSITIONS}


def crooked(x):
    """Smooth, and equivariant to nothing."""
    w = jnp.arange(1.0, 4.0)
    return {"energy": jnp.sum(jnp.sin(x) * w), "forces": x**2 + w, "points": jnp.tanh(x * w)}


def straight(x):
    d = x[:, None] - x[None]
    forces = jnp.sum(d * jnp.exp(-jnp.sum(d**2, -1, keepdims=True)), 1)
    return {"energy": jnp.sum(forces**2), "forces": forces, "points": x + forces}


def test_agrees_with_finite_differences(x64):
    x = jax.random.normal(jax.random.key(0), (4, 3))
    found = ej.equivariance.lie_derivative(crooked, GROUP, (POSITIONS,), REPS, (x,))
    step = 1e-5

    @jax.jit
    def conjugated(a):
        return act(REPS, GROUP.exp(-a), crooked(*act((POSITIONS,), GROUP.exp(a), (x,))))

    for index, a in enumerate(step * jnp.eye(6)):
        expected = jax.tree.map(lambda p, m: (p - m) / (2 * step), conjugated(a), conjugated(-a))
        for name in REPS:
            np.testing.assert_allclose(found[name][index], expected[name], rtol=1e-6, atol=1e-6)
            assert np.linalg.norm(expected[name]) > 1e-2


def test_vanishes_on_equivariant_functions(x64):
    x = jax.random.normal(jax.random.key(1), (4, 3))
    found = ej.equivariance.lie_derivative(straight, GROUP, (POSITIONS,), REPS, (x,))
    assert found["forces"].shape == (6, 4, 3)
    assert all(np.abs(leaf).max() < 1e-12 for leaf in found.values())
    assert all(
        value < 1e-12
        for value in jax.tree.leaves(ej.equivariance.local_error(straight, GROUP, (POSITIONS,), REPS, (x,)))
    )


def test_closed_form_and_units(x64):
    # d/dt of f(R(t) x) for f(x) = x_0 is -x_1; a function of degree p has derivative p f under scaling.
    x = jnp.array([3.0, 4.0])
    found = ej.equivariance.lie_derivative(lambda x: x[0], SO(2), (Vector(),), Trivial(), (x,))
    np.testing.assert_allclose(found, [-4.0], atol=1e-14)
    found = ej.equivariance.local_error(lambda x: x[0], SO(2), (Vector(),), Trivial(), (x,))
    np.testing.assert_allclose(found, 4 / 3, rtol=1e-14)
    found = ej.equivariance.lie_derivative(lambda x: jnp.sum(x**3), Scaling(2), (Vector(),), Trivial(), (x,))
    np.testing.assert_allclose(found, [3 * np.sum(np.array([3.0, 4.0]) ** 3)], rtol=1e-12)


def test_jit_vmap_grad(x64):
    def size(x):
        return ej.equivariance.local_error(lambda x: x * x, O(3), (Vector(),), Vector(), (x,))

    batch = jax.random.normal(jax.random.key(0), (3, 3))
    compiled = jax.jit(size)
    one_by_one = jnp.stack([compiled(x) for x in batch])
    np.testing.assert_allclose(one_by_one[0], size(batch[0]), rtol=1e-12)
    np.testing.assert_allclose(jax.jit(jax.vmap(size))(batch), one_by_one, rtol=1e-12)
    slope = jax.jit(jax.grad(size))(batch[0])
    step = 1e-6 * jnp.array([1.0, 0.0, 0.0])
    np.testing.assert_allclose(
        slope[0], (compiled(batch[0] + step) - compiled(batch[0] - step)) / 2e-6, rtol=1e-5
    )


def test_errors_name_the_argument():
    x = (jnp.ones((4, 3)),)
    with pytest.raises(TypeError, match="group must be a Lie group"):
        ej.equivariance.lie_derivative(lambda x: x, S(4), (PermutationTensor(1) * Trivial(),), Trivial(), x)
    with pytest.raises(TypeError, match="output must be floating"):
        ej.equivariance.lie_derivative(lambda x: jnp.argmax(x), SO(3), (Vector(),), Trivial(), x)
    with pytest.raises(ValueError, match="output must have shape"):
        ej.equivariance.lie_derivative(jnp.sum, SO(3), (Vector(),), Vector(), x)

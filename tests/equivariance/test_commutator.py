import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import equijax as ej
from equijax.groups import SO, E, Irreps, O, PermutationTensor, Point, S, Trivial, Vector

GROUP = S(6) * E(3)
POSITIONS, VECTORS = PermutationTensor(1) @ Point(), PermutationTensor(1) @ Vector()


def cloud(dtype="float64"):
    return jax.random.normal(jax.random.key(0), (6, 3), dtype)


def centred(x):
    return x - jnp.mean(x, -2, keepdims=True)


def test_equivariant_functions_have_no_error(x64):
    def f(x):
        weights = jnp.exp(-jnp.sum((x[:, None] - x[None]) ** 2, -1, keepdims=True))
        forces = jnp.sum(weights * (x[:, None] - x[None]), 1)
        return {"energy": jnp.sum(weights), "forces": forces, "moved": x + forces}

    reps = {"energy": Trivial(), "forces": VECTORS, "moved": POSITIONS}
    found = ej.equivariance.error(f, GROUP, (POSITIONS,), reps, (cloud(),), key=jax.random.key(1))
    assert set(found) == set(reps)
    assert all(value < 1e-12 and value.shape == () for value in found.values())


def test_error_is_the_largest_relative_commutator(x64):
    def f(x):
        return x * jnp.array([1.0, 2.0, 3.0])

    x, key = cloud(), jax.random.key(2)
    found = ej.equivariance.error(f, O(3), (Vector(),), Vector(), (x,), key=key, num_samples=7, batch_size=3)
    elements = O(3).sample(key, (7,), x.dtype)
    differences = [f(x @ g.T) - f(x) @ g.T for g in elements]
    expected = max(np.linalg.norm(difference) for difference in differences) / np.linalg.norm(f(x))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    by_commutator = ej.equivariance.commutator(f, elements[0], (Vector(),), Vector(), (x,))
    np.testing.assert_allclose(by_commutator, differences[0], atol=1e-12)


def test_points_are_measured_about_their_centroid(x64):
    def error_at(x):
        return ej.equivariance.error(
            lambda x: 1.1 * x, E(3), (Point(),), Point(), (x,), key=jax.random.key(1)
        )

    # The commutator is 0.1 times the translation, however far away the cloud is.
    np.testing.assert_allclose(error_at(cloud()), error_at(cloud() + 1e3), rtol=1e-9)


def test_zero_outputs_have_absolute_errors(x64):
    def f(x):
        return jnp.where(x[0] == 1.0, 0.0, 0.25)

    x = jnp.array([1.0, 0.0, 0.0])
    assert ej.equivariance.error(f, SO(3), (Vector(),), Trivial(), (x,), key=jax.random.key(0)) == 0.25


def test_irreps_arrays():
    x = e3nn.normal("2x0e + 1o", jax.random.key(0), (4,))
    rep = Irreps("2x0e + 1o")
    found = ej.equivariance.error(lambda x: (3 * x, x), O(3), (rep,), rep, (x,), key=jax.random.key(1))
    assert isinstance(found, tuple)
    assert max(found) < 1e-5
    biased = ej.equivariance.error(
        lambda x: e3nn.IrrepsArray(x.irreps, x.array + 1), O(3), (rep,), rep, (x,), key=jax.random.key(1)
    )
    assert biased.shape == ()
    assert biased > 0.1


def test_jit_vmap_grad(x64):
    def error_of(scale, x):
        def f(x):
            return centred(x) * (1 + scale * jnp.array([0.0, 1.0, 0.0]))

        return ej.equivariance.error(
            f, GROUP, (POSITIONS,), VECTORS, (x,), key=jax.random.key(3), num_samples=4
        )

    x = cloud()
    eager = error_of(0.5, x)
    error_of = jax.jit(error_of)
    np.testing.assert_allclose(error_of(0.5, x), eager, rtol=1e-12)
    batch = jnp.stack([x, 2 * x, x**2])
    np.testing.assert_allclose(
        jax.vmap(lambda each: error_of(0.5, each))(batch), [error_of(0.5, each) for each in batch], rtol=1e-12
    )
    slope_of = jax.jit(jax.grad(error_of))
    slope = slope_of(0.5, x)
    step = (error_of(0.5 + 1e-6, x) - error_of(0.5 - 1e-6, x)) / 2e-6
    np.testing.assert_allclose(slope, step, rtol=1e-6)
    assert np.isfinite(slope_of(0.0, jnp.zeros_like(x)))
    assert np.isfinite(slope_of(0.0, x))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"group": "SO(3)"}, TypeError, "group must be a Group"),
        ({"args": np.zeros(3)}, TypeError, "args must be a tuple"),
        ({"args": (np.zeros(4),)}, ValueError, r"args\[0\] must have shape"),
        ({"out_reps": (Vector(), Vector())}, ValueError, "signature of output"),
        ({"num_samples": 0}, ValueError, "num_samples must be a number of at least 1"),
        ({"batch_size": 0}, ValueError, "batch_size must be a number of at least 1"),
    ],
)
def test_errors_name_the_argument(change, error, message):
    call = {"group": SO(3), "in_reps": (Vector(),), "out_reps": Vector(), "args": (np.ones(3),)} | change
    with pytest.raises(error, match=message):
        ej.equivariance.error(lambda x: x, **call, key=jax.random.key(0))


def test_wrong_keys_counts_and_functions_are_named():
    x = jnp.ones((4, 3))
    rest = (SO(3), (Vector(),), Vector(), (x,))
    key = jax.random.key(0)
    with pytest.raises(TypeError, match="key must be a random key"):
        ej.equivariance.error(jnp.abs, *rest, key=3)
    with pytest.raises(TypeError, match=r"num_samples must be an integer, got 2.5"):
        ej.equivariance.error(jnp.abs, *rest, key=key, num_samples=2.5)
    with pytest.raises(TypeError, match="f must be a function, got NoneType"):
        ej.equivariance.error(None, *rest, key=key)
    with pytest.raises(ValueError, match="output must hold at least one array, got None"):
        ej.equivariance.error(lambda x: None, *rest, key=key)

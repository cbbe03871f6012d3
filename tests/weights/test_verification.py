import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import symmetry, verify
from equijax.weights.verification import Verification, dynamic

W = {"in": jnp.ones((2, 6)), "out": jnp.zeros((6, 3))}
X = jnp.ones(2)


def model(w, x, power=1):
    return jnp.tanh(x @ w["in"]) ** power @ w["out"]


def test_a_symmetry_holds_for_its_model_only():
    group = symmetry(model, W, X, verify=False)
    assert verify(jax.random.key(0), group, model, W, X).holds

    def other(w, x):
        return model(w, x) + jnp.arange(6.0) @ w["out"]

    found = verify(jax.random.key(0), group, other, W, X)
    assert not found.holds
    assert found.change > 0.01 * found.size


def test_zeros_do_not_hide_an_error():
    group = symmetry(model, W, X, verify=False)
    wrong = symmetry(lambda w, x: jnp.sum(w["in"]) + jnp.sum(w["out"]), W, X, verify=False)
    assert not verify(jax.random.key(0), wrong, model, W, X).holds
    assert verify(jax.random.key(0), wrong, model, W, X, perturb=False).holds
    assert verify(jax.random.key(0), group, model, W, X, num_samples=1).num_samples == 1


def test_results_are_bounded_and_print():
    found = symmetry(model, W, X).verification
    assert 0 <= found.change <= found.tolerance < 1e-3 * found.size
    assert "2 random elements" in str(found)
    assert not dataclasses.is_dataclass(found)
    assert not Verification(float("inf"), 1.0, 1e-4, 1).holds


def test_infinite_outputs_agree_with_themselves():
    group = symmetry(lambda w, x: jnp.sum(w) / 0.0 * x, jnp.ones(3), 1.0, verify=False)
    assert verify(jax.random.key(0), group, lambda w, x: jnp.sum(w**2) / 0.0 * x, jnp.ones(3), 1.0).holds


def test_flags_among_inputs_are_kept():
    arrays, rebuild = dynamic((np.ones(2), True, {"name": "mean", "scale": 2.0}))
    assert len(arrays) == 2
    assert rebuild(["a", "b"]) == ("a", True, {"name": "mean", "scale": "b"})


def test_wrong_arguments_are_named():
    group = symmetry(model, W, X, verify=False)
    with pytest.raises(TypeError, match="key must be a random key"):
        verify(0, group, model, W, X)
    with pytest.raises(TypeError, match="group must be a WeightSymmetry"):
        verify(jax.random.key(0), "S(6)", model, W, X)
    with pytest.raises(TypeError, match="apply_fn must be a function"):
        verify(jax.random.key(0), group, "model", W, X)
    with pytest.raises(ValueError, match="num_samples must be a number of at least 1"):
        verify(jax.random.key(0), group, model, W, X, num_samples=0)

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax.test_util import check_grads

from equijax.weights import barrier, barrier_taylor_estimate, lerp, slerp

random = np.random.default_rng(0)
A, B = ({"w": random.normal(size=(4, 3)), "b": random.normal(size=3), "n": np.int32(i)} for i in range(2))
X = random.normal(size=(20, 4))


def loss(w):
    return jnp.mean(jnp.tanh(X @ w["w"] + w["b"]) ** 2) + jnp.sum(w["b"] ** 4)


def flat(w):
    return np.concatenate([np.ravel(w["w"]), np.ravel(w["b"])])


@pytest.mark.parametrize("path", [lerp, slerp])
def test_paths_run_from_one_network_to_the_other(path, x64):
    for t, end in ((0.0, A), (1.0, B)):
        point = path(A, B, t)
        np.testing.assert_allclose(flat(point), flat(end), atol=1e-12)
        assert point["n"] == 0
    batched = jax.jit(jax.vmap(lambda t: path(A, B, t)))(jnp.linspace(0, 1, 5))
    np.testing.assert_allclose(batched["w"][2], path(A, B, 0.5)["w"], atol=1e-12)


@given(st.integers(0, 10**6), st.floats(0, 1))
def test_arcs_keep_lengths_and_turn_evenly(seed, t):
    random = np.random.default_rng(seed)
    a, b = (x / np.linalg.norm(x) for x in random.normal(size=(2, 6)))
    point = np.asarray(slerp(jnp.asarray(a), jnp.asarray(b), t))
    assert np.linalg.norm(point) == pytest.approx(1, abs=1e-4)
    assert np.arccos(np.clip(point @ a, -1, 1)) == pytest.approx(t * np.arccos(a @ b), abs=2e-3)


def test_arcs_between_parallel_networks_are_lines_with_finite_gradients():
    a = jnp.array([1.0, 2.0])
    for b in (a, 3 * a, -a, jnp.zeros(2)):
        np.testing.assert_allclose(slerp(a, b, 0.25), 0.75 * a + 0.25 * b, atol=1e-6)
        gradient = jax.grad(lambda x, b=b: jnp.sum(slerp(x, b, 0.3) ** 2))(a)
        assert jnp.isfinite(gradient).all()


def test_barriers_are_never_negative_and_vanish_between_equal_networks(x64):
    same = barrier(loss, A, A, num_points=5)
    assert same.rise < 1e-12
    assert same.drop < 1e-12
    found = barrier(loss, A, B, num_points=9)
    t = np.linspace(0, 1, 9)
    values = np.array([loss(lerp(A, B, each)) for each in t])
    np.testing.assert_allclose(found.values, values, rtol=1e-12)
    excess = values - (1 - t) * values[0] - t * values[-1]
    assert found.rise == pytest.approx(max(excess.max(), 0))
    assert found.drop == pytest.approx(max(-excess.min(), 0))
    assert min(float(found.rise), float(found.drop)) >= 0


def test_losses_and_accuracies_are_measured_at_once():
    found = barrier(
        lambda w: {"loss": (w**2 - 1) ** 2, "accuracy": w**2}, jnp.float32(-1), jnp.float32(1), num_points=3
    )
    assert float(found.rise["loss"]) == 1
    assert float(found.drop["accuracy"]) == 1
    assert found.values["loss"].shape == (3,)


def test_barriers_compile_map_and_have_gradients(x64):
    real_a, real_b = ({"w": jnp.asarray(v["w"]), "b": jnp.asarray(v["b"])} for v in (A, B))
    stacked = jax.tree.map(lambda x: jnp.stack([x, 2 * x]), real_b)
    mapped = jax.jit(jax.vmap(lambda b: barrier(loss, real_a, b, num_points=5).drop))(stacked)
    assert mapped[0] == pytest.approx(float(barrier(loss, real_a, real_b, num_points=5).drop))
    check_grads(lambda b: barrier(loss, real_a, b, num_points=3).drop, (real_b,), order=1, modes=["rev"])
    check_grads(lambda b: barrier_taylor_estimate(loss, real_a, b), (real_b,), order=1, modes=["rev"])


def test_the_taylor_estimate_is_exact_for_quadratic_losses_and_tends_to_the_barrier(x64):
    def quadratic(w):
        return jnp.sum(jnp.asarray(X @ w["w"]) ** 2) + jnp.sum(w["b"]) ** 2

    for t in (0.3, 0.5):
        line = (1 - t) * quadratic(A) + t * quadratic(B)
        exact = quadratic(lerp(A, B, t)) - line
        assert barrier_taylor_estimate(quadratic, A, B, t) == pytest.approx(float(exact), rel=1e-10)
    errors = []
    for size in (0.1, 0.01):
        near = lerp(A, B, size)
        exact = loss(lerp(A, near, 0.5)) - (loss(A) + loss(near)) / 2
        errors.append(abs(float(barrier_taylor_estimate(loss, A, near) / exact) - 1))
    assert errors[1] < 0.2 * errors[0] < 0.1


def test_networks_of_two_architectures_are_refused():
    for function in (lerp, slerp):
        with pytest.raises(ValueError, match="a and b must have one structure"):
            function(A, {"w": A["w"]}, 0.5)
        with pytest.raises(ValueError, match=r"a\['w'\] and b\['w'\] must have one shape"):
            function(A, {**A, "w": np.ones((3, 4))}, 0.5)
    with pytest.raises(ValueError, match="a and b must have one structure"):
        barrier(loss, A, {})
    with pytest.raises(ValueError, match="a and b must have one structure"):
        barrier_taylor_estimate(loss, A, {})
    with pytest.raises(ValueError, match="num_points must be a number of at least 2"):
        barrier(loss, A, B, num_points=1)
    with pytest.raises(ValueError, match=r"measure must give scalars, got an array of shape \(3,\)"):
        barrier(lambda w: w["b"], A, B)

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import lerp
from equijax.weights.matching import straight_through_matching, weight_matching

X = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def problem(network):
    model, draw, group = network

    def loss(w, batch):
        x, y = batch
        return jnp.mean((model(w, x) - y) ** 2)

    a, b = draw(1, np.float32), draw(2, np.float32)
    return group, loss, a, b, (X, model(a, X) + model(b, X))


def test_the_best_permutation_met_is_kept(problem):
    group, loss, a, b, data = problem
    found = straight_through_matching(jax.random.key(0), group, loss, a, b, [data] * 12, learning_rate=0.3)
    assert found.history.shape == (12,)
    assert found.objective == found.history.max()
    assert len(set(found.history.tolist())) > 1
    midpoint = loss(lerp(a, group.act(found.element, b), 0.5), data)
    assert found.objective == pytest.approx(-float(midpoint), rel=1e-5)
    # The first step is weight matching, from the identity on.
    first = weight_matching(jax.random.key(0), group, a, b, num_starts=1).element
    assert found.objective >= -float(loss(lerp(a, group.act(first, b), 0.5), data)) * (1 + 1e-3)


def test_permutations_are_compared_on_the_selection(problem):
    group, loss, a, b, (x, y) = problem
    batches = [(x[i : i + 5], y[i : i + 5]) for i in (0, 5, 10)]
    found = straight_through_matching(jax.random.key(0), group, loss, a, b, batches, selection=(x, y))
    midpoint = loss(lerp(a, group.act(found.element, b), 0.5), (x, y))
    assert found.objective == pytest.approx(-float(midpoint), rel=1e-5)


def test_integer_leaves_do_not_move():
    from equijax.weights import symmetry

    def model(w, x):
        return jnp.tanh(x @ w["in"]) @ w["out"] * w["steps"]

    random = np.random.default_rng(0)
    a = {"in": random.normal(size=(3, 4)), "out": random.normal(size=(4, 1)), "steps": np.int32(1)}
    group = symmetry(model, a, X[0], verify=False)
    found = straight_through_matching(
        jax.random.key(0), group, lambda w, x: jnp.mean(model(w, x) ** 2), a, a, [X] * 2
    )
    assert found.history.shape == (2,)


def test_wrong_arguments_are_refused(problem):
    group, loss, a, b, data = problem
    key = jax.random.key(0)
    with pytest.raises(ValueError, match="batches must hold at least one batch"):
        straight_through_matching(key, group, loss, a, b, [])
    with pytest.raises(ValueError, match="learning_rate must be a number above 0"):
        straight_through_matching(key, group, loss, a, b, [data], learning_rate=0)
    with pytest.raises(ValueError, match="b must have the structure"):
        straight_through_matching(key, group, loss, a, {"w": b["in"]}, [data])

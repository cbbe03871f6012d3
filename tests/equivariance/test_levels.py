"""The level of a symmetry: closed forms, intervals, controls."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.equivariance import levels
from equijax.groups import SE, SO, O, Point, Translation, Trivial, Vector

V, T = Vector(), Trivial()
KEY = jax.random.key(1)


@pytest.fixture(scope="module")
def normal():
    return jax.random.normal(jax.random.key(0), (400, 3))


def level(f, x, group=None, rep=V, out_rep=T, num_elements=32):
    (found,) = levels.commutations([f], group or SO(3), (rep,), out_rep, (x,), KEY, num_elements)
    return found


@pytest.mark.parametrize("eps", [0.01, 0.1, 1.0])
def test_a_known_mixture_has_a_known_level(eps, normal):
    # |x|² has variance 6, x_1 has 1 and no part that turns leave alone.
    found = level(lambda x: jnp.sum(x**2, axis=-1) / jnp.sqrt(6.0) + eps * x[..., 0], normal)
    expected = eps / np.sqrt(1 + eps**2)
    assert abs(found.level / expected - 1) < 0.15
    low, high = found.interval(0.95)
    assert low < expected < high
    narrow = found.interval(0.5)
    assert low < narrow[0] < narrow[1] < high


def test_what_turns_leave_alone_of_a_square_lowers_its_level(normal):
    found = level(lambda x: x[..., 0] ** 2, normal, num_elements=512)
    assert abs(found.level - np.sqrt(2 / 3)) < 0.06


def test_exact_symmetries_have_level_zero_in_both_precisions(normal):
    for dtype in (jnp.float32, jnp.float64):
        with jax.enable_x64(dtype == jnp.float64):
            x = jnp.asarray(np.asarray(normal), dtype)
            found = level(lambda x: 100 + jnp.linalg.norm(x, axis=-1), x)
            assert found.level < (1e-5 if dtype == jnp.float32 else 1e-12)
            assert found.error < 1e-6


def test_constants_count_by_whether_they_are_invariant(normal):
    ones = level(lambda x: jnp.ones((400, 3)) + 0 * x, normal, out_rep=V)
    assert ones.level == pytest.approx(1, abs=1e-5)
    # Seven times the unit matrix is invariant, and turning it is off by rounding only.
    unit = level(lambda x: 7.1 * jnp.eye(3) + jnp.zeros((400, 1, 1)), normal, out_rep=V * V)
    assert (unit.level, unit.error) == (0, 0)


def test_points_are_compared_wherever_the_origin_is(normal):
    for shift in (0.0, 1000.0):
        x = normal + shift
        moved = level(lambda x: x + jnp.array([1.0, 0, 0]), x, SE(3), Point(), Point())
        assert 0.4 < moved.level < 0.9
        assert level(lambda x: x + 1, x, Translation(3), Point(), Point()).level < 1e-3
        stuck = level(jnp.zeros_like, x, Translation(3), Point(), Point())
        assert stuck.level == pytest.approx(1, abs=1e-5)


def test_the_unrelated_control_is_what_shuffled_values_have(normal):
    rng = np.random.default_rng(0)
    table = jnp.asarray(rng.normal(size=400), jnp.float32)

    def unrelated(x):
        return table[(jnp.abs(x[..., 0]) * 1e4).astype(int) % 400]

    found = level(unrelated, normal)
    assert abs(found.level - 1) < 0.05
    assert abs(found.error - found.unrelated_errors.mean()) < 0.05


def test_linear_and_constant_controls_fit(normal):
    matrix = jnp.asarray(np.random.default_rng(0).normal(size=(3, 3)), jnp.float32)
    output = {"y": normal @ matrix + 2, "s": normal[..., 0]}
    linear = levels.linear_control((normal,), output)
    found = linear(normal[:5] + 1)
    np.testing.assert_allclose(found["y"], (normal[:5] + 1) @ matrix + 2, atol=1e-4)
    np.testing.assert_allclose(found["s"], normal[:5, 0] + 1, atol=1e-4)
    constant = levels.constant_control(output)(normal[:5])
    np.testing.assert_allclose(constant["y"], np.tile(output["y"].mean(axis=0), (5, 1)), atol=1e-5)


def test_trees_of_outputs_and_several_arguments(normal):
    def f(x, scale):
        return {"v": scale[:, None] * x, "s": jnp.sum(x**2, axis=-1)}

    args = (normal, jnp.ones(400))
    found, same = levels.commutations([f, f], O(3), (V, T), {"v": V, "s": T}, args, KEY, 4)
    assert found.squares.shape == (4, 400)
    assert found.level == same.level < 1e-5


def test_wrong_inputs_are_named(normal):
    with pytest.raises(ValueError, match=r"args\[0\] must have a leading axis of inputs, got shape \(3,\)"):
        level(lambda x: x[None], normal[0], out_rep=V)
    with pytest.raises(ValueError, match="must have one number of inputs, at least 2"):
        level(lambda x: x[:5], normal, out_rep=V)
    with pytest.raises(ValueError, match=r"output must have shape"):
        level(lambda x: x[:, :2], normal, out_rep=V)

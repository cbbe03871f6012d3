import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.equivariance import error
from equijax.groups import O, Trivial, Vector
from experiments.soft_symmetry.groups import plane_group
from experiments.tasks.inertia import draw_bodies, scaled_inertia

BODIES = draw_bodies(50, seed=1)
REPS = {"in_reps": (5 * Trivial() + 5 * Vector(),), "out_reps": Vector() * Vector(), "key": jax.random.key(0)}


def test_tensors_are_those_of_a_loop(x64):
    masses, places = BODIES[:, :5], BODIES[:, 5:].reshape(50, 5, 3)
    for index in (0, 7):
        expected = sum(m * (r @ r * np.eye(3) - np.outer(r, r)) for m, r in zip(masses[index], places[index]))
        np.testing.assert_allclose(scaled_inertia(BODIES[index]), expected, rtol=1e-12)
        # The paper's way to write a scaled column: I + eps (I e) eᵀ.
        e, eps = np.eye(3)[2], -0.3
        scaled = expected + eps * np.outer(expected @ e, e)
        np.testing.assert_allclose(scaled_inertia(BODIES[index], (1, 1, 1 + eps)), scaled, rtol=1e-12)


@pytest.mark.parametrize(
    ("factors", "exact", "broken"),
    [
        ((1.0, 1.0, 1.0), (O(3), plane_group("xy")), ()),
        ((1.0, 1.0, 0.0), (plane_group("xy"),), (O(3), plane_group("yz"), plane_group("xz"))),
        ((1.0, 0.0, 1.0), (plane_group("xz"),), (plane_group("xy"), plane_group("yz"))),
        ((1.3, 0.7, 1.0), (), (plane_group("xy"), plane_group("yz"), plane_group("xz"))),
    ],
)
def test_which_symmetries_hold(factors, exact, broken, x64):
    bodies = jnp.asarray(BODIES)
    for groups, holds in ((exact, True), (broken, False)):
        for group in groups:
            found = error(lambda x: scaled_inertia(x, factors), group, args=(bodies,), **REPS)
            assert found < 1e-12 if holds else found > 0.05


def test_draws_are_masses_and_normal_positions():
    many = draw_bodies(4000, seed=0)
    assert many[:, :5].min() > 0
    np.testing.assert_allclose(many[:, 5:].std(), 1, atol=0.02)
    np.testing.assert_allclose(np.median(many[:, :5]), np.log(2), atol=0.02)
    np.testing.assert_array_equal(draw_bodies(3, seed=5), draw_bodies(3, seed=5))
    # The best constant of the task without a column has the error that the card of the paper gives.
    target = np.asarray(scaled_inertia(many.astype(np.float32), (1, 1, 0)))
    assert abs(np.mean((target - target.mean(axis=0)) ** 2) - 7.6) < 0.6
    with pytest.raises(ValueError, match="num must be a number of at least 1"):
        draw_bodies(0, seed=0)
    with pytest.raises(ValueError, match=r"bodies must have shape \(\.\.\., 20\)"):
        scaled_inertia(np.ones(19))

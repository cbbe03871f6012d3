import jax
import jax.numpy as jnp
import numpy as np
import pytest

import equijax as ej
from equijax.groups import SO, Irreps, O, Vector
from experiments.baselines.pair_messages import (
    ClebschGordanMessage,
    GauntMessage,
    Pairs,
    ThreeFactorGauntMessage,
    coupling_paths,
    others,
    pairs_of,
    slope_coefficients,
)

MESSAGES = [
    ClebschGordanMessage(2),
    ClebschGordanMessage(1, "all"),
    GauntMessage(2),
    GauntMessage(2, "all"),
    ThreeFactorGauntMessage(1),
]


def random_inputs(message, degree, dtype=float):
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.normal(size=(5, 3, (degree + 1) ** 2)), dtype)
    positions = jnp.asarray(rng.normal(size=(5, 3)), dtype)
    weights = jnp.asarray(rng.normal(size=(4, 5, 3, message.num_weights(degree))), dtype)
    return x, positions, weights


def test_others_are_all_others_once():
    x = jnp.arange(5.0)
    table = np.asarray(others(x, -1))
    for point in range(5):
        assert sorted(table[:, point]) == [value for value in range(5) if value != point]
    assert others(jnp.ones((2, 5, 3)), -2).shape == (2, 4, 5, 3)
    with pytest.raises(ValueError, match="axis must be counted from the end, by a negative number, got 0"):
        others(x, 0)


def test_pairs_point_from_each_to_the_other():
    positions = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)))
    pairs = pairs_of(positions)
    ends = positions + pairs.distance[..., None] * pairs.direction
    np.testing.assert_allclose(ends, others(positions, -2), atol=1e-6)
    with pytest.raises(ValueError, match=r"positions must have shape \(\.\.\., n, 3\)"):
        pairs_of(jnp.ones((4, 2)))


@pytest.mark.parametrize("paths", ["even", "all"])
def test_on_the_grid_as_by_the_products_of_the_library(paths, x64):
    message = GauntMessage(2, paths)
    x, positions, weights = random_inputs(message, 2)
    pairs = pairs_of(positions)
    degrees = np.arange(3)
    harmonics = ej.sphere.spherical_harmonics(2, pairs.direction)[..., None, :]
    zonal = 4 * np.pi / np.sqrt(2 * degrees + 1)
    senders = others(x, -3)
    expected = ej.sphere.gaunt_product(
        senders, ej.sphere.per_degree(weights[..., :3] * zonal, harmonics), 2, method="direct"
    )
    if paths == "all":
        odd = jnp.concatenate([jnp.zeros_like(weights[..., :1]), weights[..., 3:]], axis=-1)
        scale = zonal / np.sqrt(np.maximum(degrees * (degrees + 1), 1))
        expected += ej.sphere.bracket_product(
            senders, ej.sphere.per_degree(odd * scale, harmonics), 2, method="direct"
        )
    np.testing.assert_allclose(message(x, pairs, weights), expected.sum(axis=0), atol=1e-11)


def test_three_factors_are_the_weights_of_the_paper(x64):
    message = ThreeFactorGauntMessage(1)
    x, positions, weights = random_inputs(message, 2)
    pairs = pairs_of(positions)
    harmonics = 4 * np.pi / np.sqrt(2) * ej.sphere.spherical_harmonics(1, pairs.direction)[..., None, :]
    parts = tuple(jnp.split(weights, [3, 5], axis=-1))
    expected = ej.sphere.gaunt_product(others(x, -3), harmonics, 1, method="direct", weights=parts)
    np.testing.assert_allclose(message(x, pairs, weights), expected.sum(axis=0), atol=1e-11)


@pytest.mark.parametrize("message", MESSAGES, ids=repr)
def test_even_paths_commute_with_reflections_and_odd_ones_with_rotations(message):
    degree = 1
    _, _, weights = random_inputs(message, degree, np.float32)
    odd = getattr(message, "paths", "even") == "all"
    irreps = [Irreps("0e"), Irreps("0e+1o"), Irreps("0e+1o+2e")]

    def function(x, positions):
        return message(x, pairs_of(positions), weights)

    ej.testing.assert_equivariant(
        function, SO(3) if odd else O(3), (irreps[degree], Vector()), irreps[message.lmax],
        shapes=((5, 3, 4), (5, 3)), max_examples=5,
    )  # fmt: skip
    if odd:
        x, positions, _ = random_inputs(message, degree, np.float32)
        flipped = x * np.array([1.0, -1, -1, -1], np.float32)
        parity = (-1.0) ** ej.sphere.degree_index(message.lmax)
        difference = function(flipped, -positions) - parity * function(x, positions)
        assert np.abs(difference).max() > 0.1


@pytest.mark.parametrize("message", MESSAGES, ids=repr)
def test_coincident_points_have_finite_gradients(message):
    x, positions, weights = random_inputs(message, 1, np.float32)
    positions = positions.at[1].set(positions[0])
    gradients = jax.jit(
        jax.grad(lambda *a: jnp.sum(message(a[0], pairs_of(a[1]), a[2]) ** 2), argnums=(0, 1, 2))
    )(x, positions, weights)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


def test_batches_are_axes_in_front():
    message = GauntMessage(1, "all")
    x, positions, weights = random_inputs(message, 1, np.float32)
    two = [jnp.stack([array, 2 * array]) for array in (x, positions, weights)]
    together = jax.jit(lambda x, r, w: message(x, pairs_of(r), w))(*two)
    one_by_one = jax.jit(jax.vmap(lambda x, r, w: message(x, pairs_of(r), w)))(*two)
    np.testing.assert_allclose(together, one_by_one, atol=1e-4)


def test_counts_of_paths_are_those_of_the_literature():
    counts = [len(coupling_paths(l, l, l, paths)) for paths in ("even", "all") for l in (1, 2, 3, 4, 6)]
    assert counts == [4, 11, 23, 42, 106, 5, 15, 34, 65, 175]
    with pytest.raises(ValueError, match="paths must be one of 'even', 'all', got 'odd'"):
        coupling_paths(1, 1, 1, "odd")
    with pytest.raises(ValueError, match="paths must be one of"):
        GauntMessage(1, "odd").num_weights(1)


def test_slopes_are_derivatives(x64):
    lmax = 4
    polar = jnp.asarray([0.0, 0.0, 1.0])
    t = np.linspace(-0.9, 0.9, 7)
    points = np.stack([np.sqrt(1 - t**2), 0 * t, t], axis=-1)
    harmonics = ej.sphere.spherical_harmonics(lmax - 1, jnp.asarray(points))
    at_pole = ej.sphere.spherical_harmonics(lmax - 1, polar)
    index = ej.sphere.degree_index(lmax - 1)
    zonal = np.stack([np.sum((harmonics * at_pole)[:, index == l], axis=-1) for l in range(lmax)])
    for l in range(1, lmax + 1):
        slope = np.polynomial.legendre.Legendre.basis(l).deriv()(t)
        ours = slope_coefficients(lmax)[l - 1] @ zonal
        np.testing.assert_allclose(ours, np.sqrt((2 * l + 1) / (l * (l + 1))) * slope, atol=1e-12)


def test_without_degrees_the_message_is_a_weighted_sum():
    x, weights = jnp.ones((3, 2, 1)), jnp.full((2, 3, 2, 1), 0.5)
    pairs = Pairs(jnp.ones((2, 3)), jnp.zeros((2, 3, 3)))
    for message in (GauntMessage(0, "all"), ClebschGordanMessage(0)):
        np.testing.assert_allclose(message(x, pairs, weights), np.ones((3, 2, 1)), atol=1e-6)

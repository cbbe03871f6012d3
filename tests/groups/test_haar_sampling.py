import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
import scipy.stats

from equijax.groups import (
    GL,
    SL,
    SO,
    Affine,
    AffineMap,
    LinearMap,
    SamplePolicy,
    WeightedSamples,
    effective_sample_size,
    linear_part,
    normalized_weights,
    sample_affine,
    sample_polar,
)
from equijax.groups.decompositions import coordinate_basis, log_modular, num_symmetric, polar

pytestmark = pytest.mark.usefixtures("x64")
COUNT = 4096
DRAWS = ("independent", "antithetic", "quasi_random")


@functools.lru_cache
def drawn(group, draw="independent", count=COUNT, sets=1, log_std=0.4, radius=None):
    sampler = jax.jit(
        lambda key: sample_polar(key, group, (sets, count), log_std=log_std, radius=radius, draw=draw)
    )
    return sampler(jax.random.key(0))


def symmetric_coordinates(group, elements):
    basis = jnp.asarray(coordinate_basis(group)[: num_symmetric(group)])
    return jnp.einsum("...ij,kij->...k", polar(elements).log_stretch, basis)


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("group", [GL(2), SL(3)], ids=repr)
def test_every_draw_has_the_stated_distribution(group, draw):
    elements = drawn(group, draw).elements
    coords = np.asarray(symmetric_coordinates(group, elements))[0]
    for column in coords.T[:3]:
        # A standard deviation, not a variance.
        assert scipy.stats.kstest(column, scipy.stats.norm(0, 0.4).cdf).pvalue > 0.001
    rotation = np.asarray(polar(elements).rotation)[0]
    np.testing.assert_allclose(np.linalg.det(rotation), 1, atol=1e-10)
    if group.n == 2:
        angle = np.arctan2(rotation[:, 1, 0], rotation[:, 0, 0])
        assert scipy.stats.kstest(angle / np.pi, scipy.stats.uniform(-1, 2).cdf).pvalue > 0.001
    else:
        # Each entry of a uniform rotation is uniform in [-1, 1].
        assert scipy.stats.kstest(rotation[:, 2, 0], scipy.stats.uniform(-1, 2).cdf).pvalue > 0.001


def test_quasi_random_rotations_of_the_plane_are_equally_spaced_and_distinct():
    """No endpoint twice: N samples are N rotations."""
    for group in (SO(2), SL(2)):
        rotation = np.asarray(polar(drawn(group, "quasi_random", count=10).elements).rotation)[0]
        angles = np.sort(np.arctan2(rotation[:, 1, 0], rotation[:, 0, 0]))
        gaps = np.diff(np.append(angles, angles[0] + 2 * np.pi))
        np.testing.assert_allclose(gaps, 2 * np.pi / 10, atol=1e-10)


def test_antithetic_sets_hold_inverses():
    for group in (SL(2), GL(3), SO(3)):
        matrix = linear_part(drawn(group, "antithetic", count=6).elements)[0]
        np.testing.assert_allclose(matrix[:3] @ matrix[3:], np.tile(np.eye(group.n), (3, 1, 1)), atol=1e-12)


@pytest.mark.parametrize("draw", DRAWS)
def test_the_volume_of_a_ball(draw):
    samples = drawn(SL(2), draw, sets=8, log_std=0.5, radius=1.0)
    estimates = np.asarray(samples.integral(jnp.ones((8, COUNT))))
    exact = np.sqrt(2) * np.pi * (np.cosh(np.sqrt(2)) - 1)
    assert abs(estimates.mean() - exact) < 4 * estimates.std() / np.sqrt(8) + 1e-3
    np.testing.assert_allclose(estimates, exact, rtol=0.1)
    np.testing.assert_allclose(samples.mean(jnp.full((8, COUNT), 3.0)), 3, atol=1e-12)


def near_identity(square):
    """A function of compact support: below distance one of the identity all matrices are invertible."""
    return jnp.maximum(1 - square / 0.8, 0.0)


@pytest.mark.parametrize("group", [SL(2), GL(2), SL(3)], ids=repr)
def test_haar_integrals_do_not_change_by_shifts(group):
    samples = drawn(group, count=200_000, log_std=0.3)
    matrix, weights = linear_part(samples.elements)[0], np.exp(np.asarray(samples.log_weights[0]))
    direction = np.diag([0.3, -0.3, 0.0][: group.n])
    direction[0, 1] = 0.15
    shift = jnp.asarray(scipy.linalg.expm(direction))

    def contributions(g):
        return weights * np.asarray(near_identity(jnp.sum((g - jnp.eye(group.n)) ** 2, axis=(-2, -1))))

    plain = contributions(matrix)
    for moved in (jnp.linalg.inv(shift) @ matrix, matrix @ shift):
        shifted = contributions(moved)
        error = np.hypot(plain.std(), shifted.std()) / np.sqrt(len(plain))
        assert abs(plain.mean() - shifted.mean()) < 3 * error
        # Against the proposal itself the means differ: the test would notice.
        assert abs((shifted / weights).mean() / (plain / weights).mean() - 1) > 0.1
        assert error < 0.12 * plain.mean()


@pytest.mark.parametrize("side", ["left", "right"])
def test_left_haar_measure_of_affine_maps(side):
    group = Affine(2)
    samples = jax.jit(lambda key: sample_affine(key, GL(2), (200_000,), shift=1.5, log_std=0.3))(
        jax.random.key(1)
    )
    shift = AffineMap(jnp.array([[1.3, 0.2], [0.0, 1.2]]), jnp.array([0.3, -0.2]))

    def contributions(g):
        square = jnp.sum((g.linear - jnp.eye(2)) ** 2, axis=(-2, -1)) + jnp.sum(g.translation**2, axis=-1)
        return np.exp(np.asarray(samples.log_weights)) * np.asarray(near_identity(square))

    inverse = group.inverse(shift)
    sides = (inverse, samples.elements) if side == "left" else (samples.elements, inverse)
    # Where f(s^-1 g) lives is s A, where f(g s^-1) lives is A s, and m(A s) = modular(s) m(A).
    growth = 1.0 if side == "left" else float(jnp.exp(log_modular(shift)))
    plain, shifted = contributions(samples.elements), contributions(group.compose(*sides))
    error = np.hypot(growth * plain.std(), shifted.std()) / np.sqrt(len(plain))
    assert abs(shifted.mean() - growth * plain.mean()) < 3 * error
    assert side == "left" or abs(growth - 1) * plain.mean() > 4 * error, "the test tells the sides apart"


def test_even_sets_have_a_lower_variance():
    """A smooth function of the group, averaged over 16 elements, 400 times."""
    spread = {}
    for draw in DRAWS:
        matrix = linear_part(drawn(SL(2), draw, count=16, sets=400).elements)
        values = matrix[..., 0, 0] ** 2 + matrix[..., 0, 1] + matrix[..., 1, 1]
        spread[draw] = float(np.std(values.mean(axis=-1)))
    assert spread["quasi_random"] < 0.4 * spread["independent"]


def test_effective_sample_size():
    assert float(effective_sample_size(jnp.zeros(7))) == pytest.approx(7)
    assert float(effective_sample_size(jnp.full(7, -jnp.inf))) == 0
    weights = normalized_weights(jnp.full((2, 4), -jnp.inf))
    np.testing.assert_allclose(weights, 0.25)
    samples = drawn(SL(2), radius=1.0, log_std=0.5)
    size = float(effective_sample_size(samples.log_weights)[0])
    w = np.exp(np.asarray(samples.log_weights[0]))
    assert size == pytest.approx(COUNT / (1 + (w.std() / w.mean()) ** 2))
    narrow = drawn(SL(2), radius=1.0, log_std=0.2)
    assert float(effective_sample_size(narrow.log_weights)[0]) < size < COUNT
    grad = jax.grad(lambda lw: effective_sample_size(lw))(jnp.array([0.0, 1.0, -jnp.inf]))
    assert np.isfinite(grad).all()


def test_policies():
    key = jax.random.key(0)
    sets = {}
    for refresh in ("fixed", "per_step", "per_layer"):
        policy = SamplePolicy(SL(2), 4, refresh=refresh)
        draw = jax.jit(policy, static_argnames="layer")
        sets[refresh] = [
            np.asarray(draw(key, step, layer=layer).elements.matrix)
            for step, layer in ((0, 0), (0, 1), (1, 0))
        ]
        # A function of key, step and layer: test-time results are the same every time.
        np.testing.assert_allclose(sets[refresh][2], draw(key, 1, layer=0).elements.matrix)
    same = {name: (np.array_equal(a, b), np.array_equal(a, c)) for name, (a, b, c) in sets.items()}
    assert same == {"fixed": (True, True), "per_step": (True, False), "per_layer": (False, False)}
    batched = jax.jit(jax.vmap(SamplePolicy(SO(3), 4)))(jax.random.split(key, 3))
    assert batched.elements.shape == (3, 4, 3, 3)


def test_a_policy_weighs_against_haar_measure_or_not():
    proposal = jax.jit(SamplePolicy(GL(2), 8))(jax.random.key(0))
    np.testing.assert_array_equal(proposal.log_weights, 0)
    haar = jax.jit(SamplePolicy(GL(2), 8, measure="haar", radius=0.5))(jax.random.key(0))
    np.testing.assert_allclose(haar.elements.matrix, proposal.elements.matrix)
    assert np.ptp(np.asarray(normalized_weights(haar.log_weights))) > 0.01


def test_elements_come_in_the_dtype_asked_for():
    sampler = functools.partial(
        sample_polar, group=GL(3), shape=(2, 4), draw="quasi_random", dtype=jnp.float32
    )
    samples = jax.jit(sampler)(jax.random.key(0))
    assert samples.elements.matrix.dtype == samples.log_weights.dtype == jnp.float32
    assert isinstance(samples.elements, LinearMap)
    assert isinstance(samples, WeightedSamples)


@pytest.mark.parametrize(
    ("error", "message", "arguments"),
    [
        (ValueError, "shape must have at least one axis", {"shape": ()}),
        (
            ValueError,
            r"shape must end in an even number .* got \(3,\)",
            {"shape": (3,), "draw": "antithetic"},
        ),
        (ValueError, "draw must be one of 'independent', .*, got 'sobol'", {"draw": "sobol"}),
        (ValueError, r"log_std must be a number above 0, got 0\.0", {"log_std": 0.0}),
        (ValueError, r"radius must be a number above 0, got -1\.0", {"radius": -1.0}),
        (
            ValueError,
            "draw must be 'independent' or .* above 3, got 'quasi_random', n=4",
            {"group": SL(4), "draw": "quasi_random"},
        ),
        (TypeError, r"group must be GL\(n\), SL\(n\) or SO\(n\), got Affine\(2\)", {"group": Affine(2)}),
    ],
)
def test_wrong_arguments_are_named(error, message, arguments):
    arguments = {"group": SL(2), "shape": (4,)} | arguments
    with pytest.raises(error, match=message):
        sample_polar(jax.random.key(0), **arguments)


def test_wrong_policies_are_named():
    with pytest.raises(
        ValueError, match="refresh must be one of 'fixed', 'per_step', 'per_layer', got 'never'"
    ):
        SamplePolicy(SL(2), 4, refresh="never")
    with pytest.raises(ValueError, match="radius must be given for measure='haar'"):
        SamplePolicy(SL(2), 4, measure="haar")
    with pytest.raises(ValueError, match="count must be a number of at least 1"):
        SamplePolicy(SL(2), 0)

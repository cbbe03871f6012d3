"""Weights that turn the two products into the Clebsch-Gordan one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import sphere
from equijax.sphere import couplings


def ratios(lmax, rank, **options):
    """Weight times norm of every path, and which paths exist, for even and odd paths."""
    for parity, factors in zip(("even", "odd"), sphere.path_weights(lmax, lmax, lmax, rank, **options)):
        norms = couplings.path_norms(parity, lmax, lmax, lmax)
        yield np.einsum("ra,rb,rc->abc", *factors) * norms, norms > 0


@pytest.mark.parametrize(("lmax", "rank"), [(0, 1), (1, 1), (2, 2), (3, 3), (4, 4)])
def test_ranks_that_are_exact(lmax, rank):
    errors = sphere.path_weights_errors(lmax, lmax, lmax, rank)
    assert max(errors) < 1e-9
    for ratio, mask in ratios(lmax, rank, irrep_normalization="none"):
        np.testing.assert_allclose(ratio[mask], 1, rtol=1e-9)


@pytest.mark.parametrize(
    ("lmax", "rank", "even", "odd"),
    [
        (2, 1, 0.0466, 0),
        (4, 1, 0.0743, 0.0311),
        (4, 2, 0.0125, 0.0046),
        (6, 1, 0.0938, 0.0446),
        (6, 3, 0.0127, 0.0034),
    ],
)
def test_errors_are_those_of_the_weights_and_fall_with_the_rank(lmax, rank, even, odd):
    errors = sphere.path_weights_errors(lmax, lmax, lmax, rank)
    np.testing.assert_allclose(errors, (even, odd), atol=1e-3)
    for error, (ratio, mask) in zip(errors, ratios(lmax, rank, irrep_normalization="none")):
        np.testing.assert_allclose(np.sqrt(np.mean((ratio[mask] - 1) ** 2)), error, atol=1e-12)


def test_normalizations_scale_the_degrees():
    degrees = 2 * np.arange(3) + 1
    kinds = {"component": degrees[None, None, :], "norm": (degrees[:, None] * degrees)[..., None]}
    for kind, scale in kinds.items():
        for ratio, mask in ratios(2, 2, irrep_normalization=kind):
            expected = np.sqrt(np.broadcast_to(scale, mask.shape))
            np.testing.assert_allclose(ratio[mask], expected[mask], rtol=1e-9)
    (even, mask_even), (odd, mask_odd) = ratios(2, 2, path_normalization="element")
    np.testing.assert_allclose(np.sum(even**2 + odd**2, axis=(0, 1)) / degrees, 1, rtol=1e-9)
    assert (mask_even.sum(), mask_odd.sum()) == (11, 4)


def test_unequal_degrees_and_results_above_the_sum():
    weights = sphere.path_weights(2, 1, 5, 2)
    assert [[factor.shape for factor in factors] for factors in weights] == 2 * [[(2, 3), (2, 2), (2, 6)]]
    assert all(np.isfinite(factor).all() for factors in weights for factor in factors)
    assert max(sphere.path_weights_errors(2, 1, 5, 2)) < 1e-9


def test_no_odd_paths_gives_zeros():
    weights = sphere.path_weights(0, 3, 3)
    assert not any(np.any(factor) for factor in weights.odd)
    assert sphere.path_weights_errors(0, 3, 3).odd == 0


def test_dense_under_jit_vmap_and_grad():
    random = np.random.default_rng(0)
    factors = sphere.DegreeFactors(*(jnp.asarray(random.normal(size=(5, 2, size))) for size in (3, 2, 4)))
    expected = np.einsum("nra,nrb,nrc->nabc", *factors)
    np.testing.assert_allclose(jax.jit(sphere.DegreeFactors.dense)(factors), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(jax.vmap(sphere.DegreeFactors.dense)(factors), expected, rtol=1e-5, atol=1e-6)
    gradient = jax.grad(lambda f: jnp.sum(f.dense()))(factors)
    np.testing.assert_allclose(gradient.x[..., 0], factors.y.sum(-1) * factors.out.sum(-1), rtol=1e-4)


def test_shared_results_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        sphere.path_weights(1, 1, 1, irrep_normalization="none").even.x[0] = 0
    weights = sphere.path_weights(1, 1, 1).even
    with pytest.raises(ValueError, match="read-only"):
        weights.out[0] = 0


WRONG_CALLS = [
    (lambda: sphere.path_weights(-1, 1, 1), ValueError, "l1 must be a number of at least 0, got -1"),
    (lambda: sphere.path_weights(1, 1.0, 1), TypeError, "l2 must be an integer"),
    (lambda: sphere.path_weights(1, 1, 1, 0), ValueError, "rank must be a number of at least 1, got 0"),
    (
        lambda: sphere.path_weights_errors(1, 1, 1, 0),
        ValueError,
        "rank must be a number of at least 1, got 0",
    ),
    (
        lambda: sphere.path_weights(1, 1, 1, irrep_normalization="integral"),
        ValueError,
        "irrep_normalization must be one of 'component', 'norm', 'none', got 'integral'",
    ),
    (
        lambda: sphere.path_weights(1, 1, 1, path_normalization="path"),
        ValueError,
        "path_normalization must be one of 'none', 'element', got 'path'",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()

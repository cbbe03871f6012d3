import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import GL, SL, SO, WeightedSamples, sample_polar
from equijax.nn.lie import relative

pytestmark = pytest.mark.usefixtures("x64")


@pytest.mark.parametrize("group", [GL(2), SO(3)], ids=repr)
def test_offsets_and_relative_elements(group):
    g, h = (sample_polar(jax.random.key(seed), group, (count,)) for seed, count in ((0, 3), (1, 4)))
    left = g.elements if isinstance(group, SO) else g.elements.matrix
    right = h.elements if isinstance(group, SO) else h.elements.matrix
    between = relative.relative_elements(group, g, h)
    between = between if isinstance(group, SO) else between.matrix
    np.testing.assert_allclose(left[:, None] @ between, jnp.broadcast_to(right, between.shape), atol=1e-12)
    offsets = jax.random.normal(jax.random.key(2), (5, group.n))
    seen = relative.pulled_back(g, offsets)
    np.testing.assert_allclose(jnp.einsum("iab,ikb->ika", left, seen)[1], offsets, atol=1e-12)


def test_weights_are_a_mean_against_left_haar_measure():
    samples = sample_polar(jax.random.key(0), GL(2), (5,), radius=1.0, log_std=0.3)
    determinants = np.linalg.det(samples.elements.matrix)
    np.testing.assert_allclose(relative.inverse_determinants(samples), 1 / determinants, rtol=1e-10)
    weights = np.asarray(relative.haar_weights(samples)) * determinants
    assert weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(np.diff(np.log(weights)), np.diff(np.asarray(samples.log_weights)), atol=1e-10)


def test_wrong_samples_are_named():
    with pytest.raises(TypeError, match="samples must be a WeightedSamples, got ArrayImpl"):
        relative.check_samples("samples", jnp.ones(3), SL(2))
    with pytest.raises(TypeError, match=r"samples.elements must be an element of SL\(2\)"):
        relative.check_samples("samples", WeightedSamples(SO(2).identity((3,)), jnp.zeros(3)), SL(2))
    with pytest.raises(ValueError, match=r"samples.log_weights must have shape \(count\), got \(2, 3\)"):
        relative.check_samples("samples", WeightedSamples(SO(2).identity((2, 3)), jnp.zeros((2, 3))), SO(2))

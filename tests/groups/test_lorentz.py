import jax
import numpy as np
import pytest
import scipy.stats

from equijax.groups import FullLorentz, Lorentz
from equijax.groups.lorentz import metric

COUNT = 3000


@pytest.mark.parametrize("group", [Lorentz(), FullLorentz(), Lorentz(1, bound=3.0), FullLorentz(2)], ids=repr)
def test_samples_keep_the_interval(group, x64):
    matrices = np.asarray(group.sample(jax.random.key(0), (COUNT,)).matrix)
    form = metric(group.n)
    np.testing.assert_allclose(np.swapaxes(matrices, 1, 2) @ form @ matrices - form, 0, atol=1e-11)
    rapidity = np.arccosh(np.maximum(np.abs(matrices[:, 0, 0]), 1)) / group.bound
    assert scipy.stats.kstest(rapidity, scipy.stats.uniform(0, 1).cdf).pvalue > 0.01


def test_components(x64):
    matrices = np.asarray(Lorentz().sample(jax.random.key(0), (COUNT,)).matrix)
    assert np.all(matrices[:, 0, 0] > 0)
    assert np.all(np.linalg.det(matrices) > 0)
    matrices = np.asarray(FullLorentz().sample(jax.random.key(0), (COUNT,)).matrix)
    signs = 2 * (matrices[:, 0, 0] > 0) + (np.linalg.det(matrices) > 0)
    assert scipy.stats.chisquare(np.bincount(signs, minlength=4)).pvalue > 0.01


def test_boosts_and_rotations(x64):
    rapidity = 0.7
    boost = Lorentz().exp(np.array([0, 0, 0, rapidity, 0, 0])).matrix
    np.testing.assert_allclose(boost[:2, :2], [[np.cosh(0.7), np.sinh(0.7)], [np.sinh(0.7), np.cosh(0.7)]])
    np.testing.assert_allclose(boost[2:, 2:], np.eye(2), atol=1e-12)
    turn = Lorentz().exp(np.array([0, 0, np.pi / 2, 0, 0, 0])).matrix
    np.testing.assert_allclose(turn[1:, 1], [0, 1, 0], atol=1e-12)


def test_wrong_arguments_are_named():
    for cls in (Lorentz, FullLorentz):
        with pytest.raises(ValueError, match="n must be a number of at least 1, got 0"):
            cls(0)
        with pytest.raises(ValueError, match="bound must be a number above 0, got -1"):
            cls(bound=-1)

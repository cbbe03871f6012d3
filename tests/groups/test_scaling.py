import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from equijax.groups import Dilation, Irreps, Pseudovector, Scaling, Vector


def test_vectors_and_covectors_scale_oppositely():
    g = Dilation(jnp.array(2.0), n=3)
    np.testing.assert_array_equal(Vector().act(g, jnp.ones(3)), [2.0] * 3)
    np.testing.assert_array_equal(Vector().dual().act(g, jnp.ones(3)), [0.5] * 3)
    np.testing.assert_array_equal(Pseudovector().act(g, jnp.ones(3)), [2.0] * 3)


def test_samples_are_log_uniform():
    factors = Scaling(3, bound=4.0).sample(jax.random.key(0), (5000,)).factor
    logs = np.log(np.asarray(factors)) / np.log(4.0)
    assert scipy.stats.kstest(logs, scipy.stats.uniform(-1, 2).cdf).pvalue > 0.01


def test_irreps_refuse_scalings():
    with pytest.raises(TypeError, match="g must be a group element that preserves lengths, got Dilation"):
        Irreps("1o").act(Scaling(3).identity(), jnp.ones(3))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"bound must be a number above 1, got 0\.5"):
        Scaling(bound=0.5)
    with pytest.raises(TypeError, match=r"a Dilation\(n=3\), got a Dilation\(n=2\)"):
        Scaling(3).inverse(Scaling(2).identity())

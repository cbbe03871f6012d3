import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.baselines.point_net import PointNet


def test_it_does_not_see_the_order_of_the_points_but_the_pose():
    net = PointNet((8, 8), (8,))
    x = jax.random.normal(jax.random.key(0), (2, 6, 3))
    params = jax.jit(net.init)(jax.random.key(1), x)
    apply = jax.jit(net.apply)
    y = apply(params, x)
    order = np.array([3, 1, 5, 0, 2, 4])
    np.testing.assert_allclose(apply(params, x[:, order]), y[:, order], atol=1e-5)
    assert np.abs(apply(params, -x) + y).max() > 1e-2
    # Every point's output depends on the whole cloud.
    assert np.abs(apply(params, x.at[:, 0].add(3.0)) - y)[:, 1:].max() > 1e-4


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match=r"x must have shape \(..., n, d\)"):
        PointNet().init(jax.random.key(0), jnp.ones(3))
    with pytest.raises(TypeError, match="x must be a real floating-point array"):
        PointNet().init(jax.random.key(0), jnp.ones((4, 3), int))

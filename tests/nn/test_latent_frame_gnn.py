import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.euclid import weighted_pair_frame
from equijax.groups import SE, E, Point, S, Vector
from equijax.nn import LatentFrameGNN, MessageLayer

N = 5


quick_jit = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})


def quick_init(model, key, *args):
    return quick_jit(model.init)(key, *args)


def network(group, **options):
    """A network on three arrays, with weights larger than at first, so that errors show."""
    model = LatentFrameGNN(group, width=6 * group.n // 3, num_layers=2, **options)
    d = group.n
    keys = jax.random.split(jax.random.key(0), 4)
    x, v = jax.random.normal(keys[0], (N, d)), jax.random.normal(keys[1], (N, 2, d))
    charges = jax.random.normal(keys[2], (N, N))
    variables = quick_init(model, keys[3], x, v, charges[..., None])
    variables = jax.tree.map(
        lambda leaf: 2 * leaf + 0.3 * jnp.arange(leaf.size).reshape(leaf.shape) / leaf.size, variables
    )
    return lambda x, v, e: model.apply(variables, x, v, e[..., None]), (x, v, charges)


def moved_error(f, group, args):
    """The relative error of f(g x) - g f(x) for a motion and a permutation at once."""
    key = jax.random.key(5)
    permutation, motion = S(N).sample(key), group.sample(key)

    def moved(x, v, e):
        x, v = Point().act(motion, x), Vector().act(motion, v)
        return f(x[permutation], v[permutation], e[permutation][:, permutation])

    want = Point().act(motion, f(*args))[permutation]
    return float(jnp.max(jnp.abs(moved(*args) - want)) / jnp.max(jnp.abs(want)))


@pytest.mark.parametrize("group", [E(3, bound=5.0), SE(2, bound=5.0)], ids=repr)
def test_the_network_is_equivariant(group, x64):
    f, args = network(group)
    f = quick_jit(f)
    assert moved_error(f, group, args) < 1e-11


def test_frames_of_rotations_see_reflections(x64):
    f, args = network(SE(3))
    assert moved_error(quick_jit(f), SE(3), args) < 1e-11
    mirrored = [-args[0], -args[1], args[2]]
    assert np.max(np.abs(quick_jit(f)(*mirrored) + quick_jit(f)(*args))) > 1e-3


def test_other_frames(x64):
    f, args = network(E(3), frame=weighted_pair_frame)
    assert moved_error(quick_jit(f), E(3), args) < 1e-11


def test_masked_points_change_nothing(x64):
    model = LatentFrameGNN(E(3), width=6, num_layers=2)
    keys = jax.random.split(jax.random.key(0), 3)
    x, v = jax.random.normal(keys[0], (2, N, 3)), jax.random.normal(keys[1], (2, N, 1, 3))
    variables = quick_init(model, keys[2], x, v)
    mask = jnp.arange(N) < jnp.array([[3], [N]])
    padded = jnp.where(mask[..., None], x, 7.0)
    got = quick_jit(model.apply)(variables, padded, v, mask=mask)
    apply = quick_jit(model.apply)
    np.testing.assert_allclose(got[0, :3], apply(variables, x[0, :3], v[0, :3]), atol=1e-11)
    np.testing.assert_allclose(got[1], apply(variables, x[1], v[1]), atol=1e-11)
    np.testing.assert_allclose(got[0, 3:], 0)


def test_derivatives_are_finite_for_coincident_points():
    model = LatentFrameGNN(E(3), width=6, num_layers=2)
    x, v = jnp.zeros((N, 3)), jnp.zeros((N, 1, 3))
    variables = quick_init(model, jax.random.key(0), x, v)

    def total(variables, x):
        return jnp.sum(model.apply(variables, x, v) ** 2)

    for leaf in jax.tree.leaves(quick_jit(jax.grad(total, (0, 1)))(variables, x)):
        assert np.all(np.isfinite(leaf))


def test_message_layers_agree_with_a_loop(x64):
    layer = MessageLayer(4)
    keys = jax.random.split(jax.random.key(0), 3)
    h, pairs = jax.random.normal(keys[0], (3, 4)), jax.random.normal(keys[1], (3, 3, 2))
    variables = layer.init(keys[2], h, pairs, jnp.ones(3, bool))
    weights = jax.tree.map(np.asarray, variables["params"])

    def dense(name, x):
        return x @ weights[name]["kernel"] + weights[name].get("bias", 0)

    def silu(x):
        return x / (1 + np.exp(-x))

    want = []
    for i in range(3):
        total = 0
        for j in {0, 1, 2} - {i}:
            joined = dense("to", h[i]) + dense("from", h[j]) + dense("pair", pairs[i, j])
            total = total + silu(dense("message", silu(joined)))
        want.append(h[i] + dense("update", silu(dense("hidden", np.concatenate([h[i], total])))))
    np.testing.assert_allclose(layer.apply(variables, h, pairs, jnp.ones(3, bool)), want, rtol=1e-10)


def test_errors_name_the_argument():
    x, v, key = jnp.ones((N, 3)), jnp.ones((N, 1, 3)), jax.random.key(0)
    with pytest.raises(ValueError, match="width must be divisible by the dimension 3, got 8"):
        LatentFrameGNN(E(3), width=8).init(key, x, v)
    with pytest.raises(ValueError, match="vectors must have shape"):
        LatentFrameGNN(E(3), width=6).init(key, x, v[:, 0])
    with pytest.raises(ValueError, match="pairs must have shape"):
        LatentFrameGNN(E(3), width=6).init(key, x, v, jnp.ones((N, N + 1, 1)))
    with pytest.raises(ValueError, match="mask must have shape"):
        LatentFrameGNN(E(3), width=6).init(key, x, v, mask=jnp.ones(N + 1, bool))
    with pytest.raises(ValueError, match="num_layers must be a number of at least 1"):
        LatentFrameGNN(E(3), width=6, num_layers=0).init(key, x, v)
    with pytest.raises(ValueError, match=r"h must have shape \(..., n, 6\)"):
        MessageLayer(6).init(key, jnp.ones((N, 3)), jnp.ones((N, N, 1)), jnp.ones(N, bool))

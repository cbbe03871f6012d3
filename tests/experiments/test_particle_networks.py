import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.equivariance import error
from equijax.groups import E, Point, Trivial, Vector
from experiments.baselines.particle_networks import EGNN, ParticleGNN, pair_attributes
from experiments.baselines.side_by_side import initial_params

KEYS = jax.random.split(jax.random.key(0), 4)
ARGS = (
    jnp.sign(jax.random.normal(KEYS[0], (5,))),
    jax.random.normal(KEYS[1], (5, 3)),
    jax.random.normal(KEYS[2], (5, 3)),
)


NETWORKS = (EGNN(8, 2), ParticleGNN(8, 2))
HASTE = {"xla_backend_optimization_level": 0}


@functools.cache
def applied(net):
    params = jax.tree.map(lambda leaf: leaf[0], initial_params(net, KEYS[3:], *ARGS))
    if isinstance(net, EGNN):
        # The reference's small weights of differences would hide errors.
        for layer in params.values():
            if layer["kernel"].shape[1] == 1 and "bias" not in layer:
                layer["kernel"] = layer["kernel"] + 0.1
    return jax.jit(functools.partial(net.apply, {"params": params}))


def symmetry(net):
    reps = (Trivial(), Point(), Vector())

    f = applied(net)

    def measure(key):
        return error(f, E(3), reps, Point(), ARGS, key=key, num_samples=4)

    return jax.jit(measure, compiler_options=HASTE)(KEYS[0])


def test_egnn_is_equivariant_and_the_plain_network_is_not():
    assert symmetry(NETWORKS[0]) < 1e-4
    assert symmetry(NETWORKS[1]) > 1e-2


@pytest.mark.parametrize("net", NETWORKS)
def test_both_permute_with_the_particles(net):
    f = applied(net)
    order = np.array([3, 1, 4, 0, 2])
    np.testing.assert_allclose(f(*(each[order] for each in ARGS)), f(*ARGS)[order], rtol=1e-4, atol=1e-4)
    # Charges matter by their products.
    np.testing.assert_allclose(f(-ARGS[0], *ARGS[1:]), f(*ARGS), rtol=1e-4, atol=1e-4)
    assert np.abs(f(ARGS[0].at[0].multiply(-1), *ARGS[1:]) - f(*ARGS)).max() > 1e-4


def test_attributes_of_pairs():
    attributes = pair_attributes(ARGS[0], ARGS[1])
    np.testing.assert_allclose(attributes[1, 3, 0], ARGS[0][1] * ARGS[0][3])
    np.testing.assert_allclose(attributes[1, 3, 1], np.sum((ARGS[1][1] - ARGS[1][3]) ** 2), rtol=1e-5)


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="velocities must have shape"):
        EGNN(8, 1).init(KEYS[0], ARGS[0], ARGS[1], ARGS[2][:4])

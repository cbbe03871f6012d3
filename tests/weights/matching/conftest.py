"""What the tests of matching share: two small networks, and planted permutations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import symmetry


def two_layers(w, x):
    return jnp.tanh(jnp.tanh(x @ w["in"] + w["bias"]) @ w["middle"]) @ w["out"]


def draw(seed, dtype=np.float64):
    random = np.random.default_rng(seed)
    shapes = {"in": (3, 8), "bias": (8,), "middle": (8, 6), "out": (6, 2)}
    return {name: random.normal(size=shape).astype(dtype) for name, shape in shapes.items()}


@pytest.fixture(scope="session")
def network():
    """The model, a function that draws its weights, and its symmetry."""
    return two_layers, draw, symmetry(two_layers, draw(0), np.ones(3), verify=False)


@pytest.fixture(scope="session")
def plant(act):
    """A permuted copy of variables, and the element that made it."""

    def planted(group, variables, seed):
        element = group.sample(jax.random.key(seed))
        return act(group, element, variables), element

    return planted


@pytest.fixture(scope="session")
def distance():
    """The largest absolute difference of two pytrees."""

    def largest(a, b):
        pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
        return max(float(np.abs(np.asarray(x) - np.asarray(y)).max()) for x, y in pairs)

    return largest

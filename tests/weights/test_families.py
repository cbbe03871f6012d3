import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights.families import families
from equijax.weights.occurrences import Occurrences
from equijax.weights.propagation import Propagation

T, H, D = 5, 3, 4
X = np.ones((T, H, D))


def is_family(function, *weights):
    """Whether the last leaf of the first weight ``(..., h, d)`` is a family over the leaf before it."""
    walk, values = Propagation(), (*weights, X)
    arrays = [walk.data(np.shape(value)) for value in values]
    walk.run(jax.make_jaxpr(function)(*values), arrays)
    found = Occurrences(walk)
    leaf, base = (found.leaves(arrays[0].axes[axis])[0].leaf for axis in (-1, -2))
    return base in families(found, arrays[: len(weights)], {leaf}).get(leaf, set())


WEIGHT = np.ones((H, D))
FAMILIES = {
    "entry by entry": lambda w, x: jnp.tanh(x * w),
    "a product over features": lambda w, x: jnp.einsum("thd,hd->th", x, w),
    "a product in batches": lambda w, x: jnp.einsum("thd,shd->hts", x * w, x),
    "a norm in each head": lambda w, x: (x * w) / jnp.linalg.norm(x * w, axis=-1, keepdims=True),
    "flattened and back": lambda w, x: jnp.sin((x * w).reshape(T, H * D)).reshape(T, H, D),
    "another order of axes": lambda w, x: jnp.swapaxes(x * w, 0, 2),
}
OTHERS = {
    "a sum over heads": lambda w, x: (x * w).sum(axis=1),
    "a mean over heads, and back": lambda w, x: x * w - (x * w).mean(axis=1, keepdims=True),
    "heads that mix": lambda w, x: jnp.einsum("thd,gh->tgd", x * w, np.ones((H, H))) + x * w,
    "heads compared": lambda w, x: jnp.einsum("thd,tgd->thg", x * w, x * w),
    "sorted heads": lambda w, x: jnp.sort(x * w, axis=1),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_families(name):
    assert is_family(FAMILIES[name], WEIGHT)


@pytest.mark.parametrize("name", OTHERS)
def test_operations_that_tie_the_members(name):
    assert not is_family(OTHERS[name], WEIGHT)


def test_a_parameter_common_to_all_heads_ties_them():
    assert not is_family(lambda w, gain, x: x * w * gain, WEIGHT, np.ones(D))
    assert is_family(lambda w, gain, x: x * w * gain[:, None], WEIGHT, np.ones(H))


def test_layers_of_a_scan_are_families_and_what_is_carried_is_not():
    def layers(v, w, x):
        def layer(x, vw):
            return x + jnp.tanh(x @ vw[1]) @ vw[0].T, None

        return jax.lax.scan(layer, x[:, 0], (v, w))[0]

    v, w = np.ones((H, D, 7)), np.ones((H, D, 7))
    walk = Propagation()
    arrays = [walk.data(value.shape) for value in (v, w, X)]
    walk.run(jax.make_jaxpr(layers)(v, w, X), arrays)
    found = Occurrences(walk)
    layer, stream, hidden = (found.leaves(axis)[0].leaf for axis in arrays[0].axes)
    assert families(found, arrays[:2], {stream, hidden}) == {hidden: {layer}, stream: set()}

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import symmetry
from equijax.weights.propagation import Propagation

RANDOM = np.random.default_rng(0)


def walk(function, *shapes):
    state = Propagation()
    inputs = [state.data(shape) for shape in shapes]
    outputs = state.run(jax.make_jaxpr(function)(*map(np.ones, shapes)), inputs)
    return state.factors, inputs, outputs


def test_contractions_and_batches_are_tied():
    factors, (a, b), (c,) = walk(lambda a, b: jnp.einsum("bij,bjk->kbi", a, b), (2, 3, 4), (2, 4, 5))
    expand = factors.expand
    assert expand(a.axes[0]) == expand(b.axes[0]) == expand(c.axes[1])
    assert expand(a.axes[2]) == expand(b.axes[1])
    assert (c.axes[0], c.axes[2]) == (b.axes[2], a.axes[1])


def convolve(x, w, **options):
    return jax.lax.conv_general_dilated(
        x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"), **options
    )


def test_convolutions_tie_channels_and_freeze_pixels():
    factors, (x, w), (y,) = walk(convolve, (1, 5, 6, 3), (3, 3, 3, 4))
    assert factors.expand(x.axes[3]) == factors.expand(w.axes[2])
    assert y.axes[3] == w.axes[3]
    assert {factors.reason(axis[0]) for axis in (*x.axes[1:3], *w.axes[:2], *y.axes[1:3])} == {
        "spatial axis of a convolution"
    }


def test_windows_of_one_pixel_let_pixels_pass():
    factors, (x, _), (y,) = walk(convolve, (1, 5, 6, 3), (1, 1, 3, 4))
    assert y.axes[1:3] == x.axes[1:3]
    assert factors.reason(x.axes[1][0]) is None


@pytest.mark.parametrize(("groups", "inputs", "outputs"), [(6, 1, 6), (6, 1, 12), (3, 2, 12), (2, 3, 2)])
def test_groups_of_channels(groups, inputs, outputs):
    w = {"in": RANDOM.normal(size=(1, 1, 2, 6)), "out": RANDOM.normal(size=(3, 3, inputs, outputs))}
    x = RANDOM.normal(size=(1, 4, 4, 2))

    def model(w, x):
        return jnp.sum(
            jnp.tanh(convolve(jnp.tanh(convolve(x, w["in"])), w["out"], feature_group_count=groups))
        )

    found = symmetry(model, w, x, heads="wreath")
    expected = [size for size in (groups, inputs, outputs // groups) if size > 1]
    assert sorted(each.size for each in found.groups) == sorted(expected)


def test_groups_of_the_batch_are_frozen():
    factors, (x, w), _ = walk(lambda x, w: convolve(x, w, batch_group_count=2), (2, 4, 4, 3), (3, 3, 3, 4))
    assert all(factors.reason(axis[0]) for axis in (*x.axes, *w.axes))

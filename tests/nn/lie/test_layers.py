import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import GL, SL, SO, WeightedSamples, linear_part, sample_polar
from equijax.nn import (
    LieConvolution,
    LieKernel,
    LieProjection,
    LiftConvolution,
    PointLieConvolution,
    PointLift,
)
from equijax.nn.lie import layers
from equijax.nn.lie.layers import correlate, grid_offsets
from equijax.nn.lie.relative import relative_elements

pytestmark = pytest.mark.usefixtures("x64")
SMALL = {"hidden": (6,), "kernel_size": 3}


def draw(group, count, seed=0):
    return sample_polar(jax.random.key(seed), group, (count,), log_std=0.3, radius=2.0)


def direct(kernel_at, weights, x):
    """``sum_y sum_j weights[j] x(. + y, j) kernel_at(y)[j]`` by loops over pixels."""
    side, n = 3, x.ndim - 2
    shape = [size - side + 1 for size in x.shape[:n]]
    out = 0.0
    for offset in np.ndindex(*[side] * n):
        window = x[tuple(slice(o, o + size) for o, size in zip(offset, shape, strict=True))]
        kernel = kernel_at(np.array(offset) - 1.0)
        out = out + np.einsum("...jc,j,jcf->...f", window, weights, kernel)
    return out


@pytest.mark.parametrize("group", [GL(2), GL(3)], ids=repr)
def test_layers_are_sums_over_pixels_and_samples(group):
    """Different samples of determinants of their own go in and come out."""
    n, ins, outs = group.n, draw(group, 3), draw(group, 2, seed=1)
    x = np.asarray(jax.random.normal(jax.random.key(2), (*[4] * n, 3, 2)))
    g, h = linear_part(outs.elements), linear_part(ins.elements)
    cell = (2 / 3) ** n
    weights = np.exp(np.asarray(ins.log_weights))
    weights = weights / weights.sum() / np.linalg.det(h) * cell

    layer = LieConvolution(group, 2, **SMALL)
    params = jax.jit(layer.init)(jax.random.key(3), x, ins, outs)
    kernel = LieKernel(group, 2, 2, hidden=(6,))
    relative = relative_elements(group, outs, ins)
    got = jax.jit(layer.apply)(params, x, ins, outs)

    @jax.jit
    def evaluate(params, u, relative=None):
        return kernel.apply({"params": params["params"]["kernel"]}, u, relative)

    for i in range(2):
        between = jax.tree.map(lambda leaf, i=i: leaf[i], relative)
        expected = direct(
            lambda y, i=i, between=between: evaluate(params, jnp.linalg.inv(g[i]) @ y / 1.5, between),
            weights,
            x,
        )
        np.testing.assert_allclose(got[..., i, :], expected, atol=1e-12)

    project = LieProjection(group, 2, **SMALL)
    params = jax.jit(project.init)(jax.random.key(3), x, ins)
    expected = direct(lambda y: evaluate(params, jnp.linalg.inv(h) @ y / 1.5), weights, x)
    np.testing.assert_allclose(jax.jit(project.apply)(params, x, ins), expected, atol=1e-12)

    lift = LiftConvolution(group, 2, **SMALL)
    params = jax.jit(lift.init)(jax.random.key(3), x[..., 0, :], outs)
    got = jax.jit(lift.apply)(params, x[..., 0, :], outs)
    expected = direct(
        lambda y: evaluate(params, jnp.linalg.inv(g[1]) @ y / 1.5)[None],
        [cell / np.linalg.det(g[1])],
        x[..., :1, :],
    )
    np.testing.assert_allclose(got[..., 1, :], expected, atol=1e-12)


def test_grid_and_point_layers_are_the_same_function():
    """Rotations keep the kernel's window inside of the square of pixels: nothing is cut off."""
    samples = draw(SO(2), 3)
    x = jax.random.normal(jax.random.key(1), (7, 7, 1))
    nodes = jnp.asarray(np.stack(np.meshgrid(*[np.arange(7.0)] * 2, indexing="ij"), -1).reshape(-1, 2))
    grid, points = LiftConvolution(SO(2), 2, hidden=(6,)), PointLift(SO(2), 2, radius=2.5, hidden=(6,))
    params = jax.jit(grid.init)(jax.random.key(2), x, samples)
    centers = jnp.asarray(grid_offsets(3, 2)) + 3
    got = grid.apply(params, x, samples)
    expected = points.apply(params, nodes, jnp.ones(49), centers, x.reshape(49, 1), samples)
    np.testing.assert_allclose(got.reshape(9, 3, 2), expected, atol=1e-12)
    deep, lifted = LieConvolution(SO(2), 2, **SMALL), got
    params = jax.jit(deep.init)(jax.random.key(3), lifted, samples)
    expected = PointLieConvolution(SO(2), 2, radius=1.5, hidden=(6,)).apply(
        params, centers, jnp.ones(9), centers[4:5], lifted.reshape(9, 3, 2), samples
    )
    np.testing.assert_allclose(deep.apply(params, lifted, samples)[0], expected, atol=1e-12)


def quarter_turn(x):
    """The image turned by ``(i, j) -> (-j, i)``."""
    return jnp.rot90(x, 1, axes=(0, 1))


def network(x, params, samples):
    lifted = LiftConvolution(SO(2), 2, **SMALL).apply(params[0], x, samples)
    hidden = jnp.tanh(LieConvolution(SO(2), 2, **SMALL).apply(params[1], lifted, samples))
    return LieProjection(SO(2), 2, **SMALL).apply(params[2], hidden, samples)


def network_params(x, samples):
    lift = LiftConvolution(SO(2), 2, **SMALL)
    keys = jax.random.split(jax.random.key(5), 3)
    first = jax.jit(lift.init)(keys[0], x, samples)
    lifted = lift.apply(first, x, samples)
    deep = LieConvolution(SO(2), 2, **SMALL)
    second = jax.jit(deep.init)(keys[1], lifted, samples)
    hidden = deep.apply(second, lifted, samples)
    return first, second, LieProjection(SO(2), 2, **SMALL).init(keys[2], hidden, samples)


def test_exact_under_quarter_turns_and_shifts_by_pixels():
    angles = jnp.arange(4)[:, None] * np.pi / 2 + 0.3
    samples = WeightedSamples(SO(2).exp(angles), jnp.zeros(4))
    x = jnp.zeros((13, 13, 1)).at[3:10, 3:10].set(jax.random.normal(jax.random.key(0), (7, 7, 1)))
    params = network_params(x, samples)
    run = jax.jit(lambda x: network(x, params, samples))
    y = run(x)
    np.testing.assert_allclose(run(quarter_turn(x)), quarter_turn(y), atol=1e-12)
    shifted = run(jnp.roll(x, (2, -1), (0, 1)))
    np.testing.assert_allclose(shifted[3:-2, 1:-3], jnp.roll(y, (2, -1), (0, 1))[3:-2, 1:-3], atol=1e-12)
    assert np.abs(np.asarray(y)).max() > 1e-3


def test_padding_breaks_the_border_only():
    samples = draw(SL(2), 2)
    x = jax.random.normal(jax.random.key(0), (6, 6, 1))
    valid, same = (LiftConvolution(SL(2), 2, padding=padding, **SMALL) for padding in ("VALID", "SAME"))
    params = jax.jit(valid.init)(jax.random.key(1), x, samples)
    padded = same.apply(params, x, samples)
    assert padded.shape == (6, 6, 2, 2)
    np.testing.assert_allclose(padded[1:-1, 1:-1], valid.apply(params, x, samples), atol=1e-12)


def blobs(matrix):
    """A smooth image, seen through a linear map."""
    pixels = np.asarray(grid_offsets(25, 2)) @ np.linalg.inv(matrix).T
    centers, widths = np.array([[2.0, 1.0], [-3.0, 2.0], [0.0, -3.0]]), np.array([2.0, 1.5, 1.8])
    square = ((pixels[:, None] - centers) ** 2).sum(axis=-1)
    return jnp.asarray((np.exp(-square / (2 * widths**2)) @ [1.0, -0.7, 0.8]).reshape(25, 25, 1))


def test_the_error_on_pixels_falls_with_the_number_of_samples():
    """Largest lifted response: an invariant, up to what pixels and the finite set of samples miss."""
    layer = LiftConvolution(SO(2), 3, kernel_size=7, hidden=(6,), frequency=3.0)
    turn = np.asarray(SO(2).exp(jnp.array([0.4])))
    images = jnp.stack([blobs(np.eye(2)), blobs(turn)])
    params = jax.jit(layer.init)(jax.random.key(0), images, draw(SO(2), 2))

    def invariant(key, count):
        samples = sample_polar(key, SO(2), (count,), draw="quasi_random")
        return jnp.max(layer.apply(params, images, samples), axis=(1, 2, 3))

    errors = {}
    for count in (2, 16):
        values = jax.jit(jax.vmap(lambda key, count=count: invariant(key, count)))(
            jax.random.split(jax.random.key(1), 16)
        )
        errors[count] = float(jnp.abs(values[:, 0] - values[:, 1]).mean() / jnp.abs(values).mean())
    assert errors[16] < 0.4 * errors[2]
    assert errors[16] < 0.05


def test_gradients_batches_and_dtypes():
    samples = draw(SL(2), 2)
    layer = LieConvolution(SL(2), 2, stretch_radius=1.0, **SMALL)
    x = jax.random.normal(jax.random.key(0), (2, 3, 5, 5, 2, 1))
    params = jax.jit(layer.init)(jax.random.key(1), x, samples)
    y = jax.jit(layer.apply)(params, x, samples)
    assert y.shape == (2, 3, 3, 3, 2, 2)
    mapped = jax.jit(jax.vmap(jax.vmap(lambda x: layer.apply(params, x, samples))))(x)
    np.testing.assert_allclose(mapped, y, atol=1e-12)

    def total(params, samples):
        return jnp.sum(layer.apply(params, x, samples) ** 2)

    grads = jax.jit(jax.grad(total, argnums=(0, 1)))(params, samples)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(grads))
    single = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), (params, x, samples))
    low = jax.jit(layer.apply)(*single)
    assert low.dtype == jnp.float32
    np.testing.assert_allclose(low, y, atol=1e-4)


def test_correlation_of_volumes():
    x, kernel = (
        jax.random.normal(jax.random.key(0), (2, 4, 4, 4, 1)),
        jnp.zeros((3, 3, 3, 1, 1)).at[0, 1, 2].set(1),
    )
    np.testing.assert_allclose(correlate(x, kernel), x[:, :2, 1:3, 2:4])


@pytest.mark.parametrize("n", [2, 3])
def test_both_ways_to_correlate_agree(n):
    """A CPU takes the matrix product of patches, other devices the convolution."""
    x = jax.random.normal(jax.random.key(0), (2, *[5] * n, 3))
    kernels = jax.random.normal(jax.random.key(1), (*[3] * n, 3, 2))
    expected = layers._convolution(x, kernels, padding="VALID")
    np.testing.assert_allclose(layers._patch_product(x, kernels), expected, atol=1e-12)
    np.testing.assert_allclose(jax.jit(correlate)(x, kernels), expected, atol=1e-12)


def test_wrong_arguments_are_named():
    samples = draw(SL(2), 2)
    with pytest.raises(ValueError, match="kernel_size must be odd, got 4"):
        LiftConvolution(SL(2), 2, kernel_size=4)
    with pytest.raises(ValueError, match="padding must be one of 'VALID', 'SAME', got 'CIRCULAR'"):
        LieProjection(SL(2), 2, padding="CIRCULAR")
    with pytest.raises(ValueError, match=r"group.n must be one of 2, 3, got 4"):
        LiftConvolution(SL(4), 2)
    with pytest.raises(ValueError, match=r"x must have shape \(..., m, c\), m=2, got \(5, 5, 3, 1\)"):
        LieConvolution(SL(2), 2).init(jax.random.key(0), jnp.ones((5, 5, 3, 1)), samples)
    with pytest.raises(ValueError, match="x must have at least 4 axes, 2 of space and 2 after them"):
        LieProjection(SL(2), 2).init(jax.random.key(0), jnp.ones((5, 5, 1)), samples)
    with pytest.raises(TypeError, match="samples must be a WeightedSamples"):
        LiftConvolution(SL(2), 2).init(jax.random.key(0), jnp.ones((5, 5, 1)), samples.elements)

"""Products with the harmonics of a direction, on a grid."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import sphere, testing
from equijax.groups import Irreps, O, Vector

RANDOM = np.random.default_rng(0)
POLES = [[0.0, 1.0, 0.0], [0.0, -2.0, 0.0], [0.0, 0.0, 0.0]]
VECTORS = np.concatenate([RANDOM.normal(size=(5, 3)), POLES])
SIZES = [(2, 2, 2), (0, 2, 2), (1, 3, 4), (0, 0, 0), (6, 4, 6)]


def arrays(degree, filter_lmax, lmax):
    x = RANDOM.normal(size=(8, 2, (degree + 1) ** 2))
    return x, tuple(RANDOM.normal(size=(8, 2, l + 1)) for l in (degree, filter_lmax, lmax))


@pytest.mark.parametrize("sizes", SIZES)
def test_is_the_gaunt_product_with_harmonics(x64, sizes):
    degree, filter_lmax, lmax = sizes
    x, weights = arrays(*sizes)
    harmonics = sphere.spherical_harmonics(filter_lmax, VECTORS)[:, None]
    for given in (None, weights, (None, None, weights[2])):
        found = sphere.gaunt_convolution(x, VECTORS, lmax, filter_lmax=filter_lmax, weights=given)
        expected = sphere.gaunt_product(x, harmonics, lmax, method="direct", weights=given)
        np.testing.assert_allclose(found, expected, atol=1e-11)
    assert (
        sphere.gaunt_convolution(x, VECTORS, filter_lmax=filter_lmax).shape[-1]
        == (degree + filter_lmax + 1) ** 2
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_is_equivariant(dtype):
    weights = tuple(RANDOM.normal(size=(4, 2, l + 1)).astype(dtype) for l in (2, 3, 2))
    testing.assert_equivariant(
        lambda x, v: sphere.gaunt_convolution(x, v, 2, filter_lmax=3, weights=weights),
        O(3),
        in_reps=(Irreps("0e+1o+2e"), Vector()),
        out_reps=Irreps("0e+1o+2e"),
        shapes=((4, 2, 9), (4, 3)),
        dtype=dtype,
        rtol=1e-10 if dtype == "float64" else 1e-4,
        gradient=True,
        max_examples=20,
    )


def test_component_normalisation_gives_unit_variance():
    keys = jax.random.split(jax.random.key(0), 3)
    x = jax.random.normal(keys[0], (4000, 4, 16))
    vectors = jax.random.normal(keys[1], (4000, 3))
    weights = (None, jax.random.normal(keys[2], (4000, 4, 3)), None)
    convolve = jax.jit(
        lambda *a: sphere.gaunt_convolution(
            a[0], a[1], 4, filter_lmax=2, weights=a[2], normalization="component"
        )
    )
    variance = jnp.mean(convolve(x, vectors, weights) ** 2, axis=(0, 1))
    for l in range(5):
        np.testing.assert_allclose(variance[l * l : (l + 1) ** 2].mean(), 1, rtol=0.05)


def test_values_weighted_by_channel_are_those_of_weighted_signals(x64):
    signal, weights = RANDOM.normal(size=(5, 16)), RANDOM.normal(size=(5, 3, 4))
    grid = sphere.smallest_grid(6)
    expected = sphere.to_grid(sphere.per_degree(weights, signal[:, None]), grid)
    np.testing.assert_allclose(sphere.weighted_values(signal, weights, grid), expected, atol=1e-13)

    def loss(values_of):
        return jax.jit(jax.hessian(lambda s, w: jnp.sum(jnp.sin(values_of(s, w))), argnums=(0, 1)))

    found = loss(lambda s, w: sphere.weighted_values(s, w, grid))(signal[0], weights[0])
    plain = loss(lambda s, w: sphere.to_grid(sphere.per_degree(w, s[None]), grid))(signal[0], weights[0])
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(plain)):
        np.testing.assert_allclose(one, other, atol=1e-11)


SECOND = jax.jit(
    jax.hessian(lambda x, v: jnp.sum(sphere.gaunt_convolution(x + v[0], v, 2, filter_lmax=2) ** 2), (0, 1))
)


@pytest.mark.parametrize("vector", [*POLES, [1.0, 2.0, 3.0]], ids=str)
def test_second_derivatives_are_finite(vector):
    second = jax.tree.leaves(SECOND(jnp.zeros((2, 9)), jnp.array(vector)))
    assert all(np.isfinite(part).all() for part in second)


def test_jit_vmap_and_short_formats():
    x, weights = jax.tree.map(lambda a: a.astype(np.float32), arrays(2, 2, 2))
    vectors = VECTORS.astype(np.float32)
    plain = sphere.gaunt_convolution(x, vectors, 2, filter_lmax=2, weights=weights)
    mapped = jax.jit(jax.vmap(lambda x, v, w: sphere.gaunt_convolution(x, v, 2, filter_lmax=2, weights=w)))
    np.testing.assert_allclose(mapped(x, vectors, weights), plain, atol=1e-5)
    short = sphere.gaunt_convolution(x, vectors, 2, filter_lmax=2, weights=weights, matmul_dtype=jnp.bfloat16)
    error = jnp.linalg.norm(short - plain) / jnp.linalg.norm(plain)
    assert short.dtype == jnp.float32
    assert 1e-5 < error < 2e-2


X = jnp.ones((4, 8, 9))
V = jnp.ones((4, 3))
WRONG_CALLS = [
    ((X, V[:, :2]), dict(filter_lmax=2), ValueError, r"vectors must have shape \(..., 3\), got \(4, 2\)"),
    ((X, V[:3]), dict(filter_lmax=2), ValueError, r"vectors must have leading axes .*\(4,\), got \(3,\)"),
    ((X[0, 0], V), dict(filter_lmax=2), ValueError, r"x must have shape .*channels, k\), got \(9,\)"),
    ((X, V), dict(filter_lmax=-1), ValueError, "filter_lmax must be .*at least 0, got -1"),
    ((X, V, -1), dict(filter_lmax=2), ValueError, "lmax must be .*at least 0, got -1"),
    (
        (X, V),
        dict(filter_lmax=2, normalization="norm"),
        ValueError,
        "normalization must be .*got 'norm'",
    ),
    ((X, V), dict(filter_lmax=2, weights=jnp.ones(3)), TypeError, "weights must be a tuple of"),
    (
        (X, V),
        dict(filter_lmax=2, weights=(None, jnp.ones((8, 2)), None)),
        ValueError,
        r"weights\[1\] must have shape \(..., c, 3\), got \(8, 2\)",
    ),
    ((X, V), dict(filter_lmax=2, matmul_dtype="int8"), TypeError, "matmul_dtype must be .*got int8"),
]


@pytest.mark.parametrize(("arguments", "options", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(arguments, options, error, message):
    with pytest.raises(error, match=message):
        sphere.gaunt_convolution(*arguments, **options)

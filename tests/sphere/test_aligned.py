"""Products with the harmonics of a direction, in the frame of the direction."""

import e3nn_jax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import sphere, testing
from equijax.groups import SO, Irreps, O, Vector

RANDOM = np.random.default_rng(0)
POLES = [[0.0, 1.0, 0.0], [0.0, -2.0, 0.0], [0.0, 0.0, 0.0]]
VECTORS = np.concatenate([RANDOM.normal(size=(5, 3)), POLES])
SIZES = [(2, 2, 2), (0, 2, 2), (1, 3, 4), (0, 0, 0), (6, 4, 6)]


@pytest.mark.parametrize("sizes", SIZES)
def test_is_the_gaunt_product_with_harmonics(x64, sizes):
    degree, filter_lmax, lmax = sizes
    x = RANDOM.normal(size=(8, 2, (degree + 1) ** 2))
    weights = tuple(RANDOM.normal(size=(8, 2, l + 1)) for l in sizes)
    harmonics = sphere.spherical_harmonics(filter_lmax, VECTORS)[:, None]
    alignment = sphere.align(VECTORS, max(degree, lmax))
    for given in (None, weights, (weights[0], None, None)):
        found = sphere.aligned_convolution(x, alignment, lmax, filter_lmax=filter_lmax, weights=given)
        expected = sphere.gaunt_product(x, harmonics, lmax, method="direct", weights=given)
        np.testing.assert_allclose(found, expected, atol=1e-11)
    options = dict(filter_lmax=filter_lmax, normalization="component", weights=weights)
    found = sphere.aligned_convolution(x, alignment, lmax, **options)
    np.testing.assert_allclose(found, sphere.gaunt_convolution(x, VECTORS, lmax, **options), atol=1e-11)


@pytest.mark.parametrize("sizes", SIZES)
def test_odd_paths_are_those_of_the_bracket(x64, sizes):
    degree, filter_lmax, lmax = sizes
    x = RANDOM.normal(size=(8, 2, (degree + 1) ** 2))
    harmonics = sphere.spherical_harmonics(filter_lmax, VECTORS)[:, None]
    bracket = sphere.bracket_product(x, harmonics, lmax, method="direct")
    gaunt = sphere.gaunt_product(x, harmonics, lmax, method="direct")
    alignment = sphere.align(VECTORS, max(degree, lmax))
    for parity, expected in (("odd", bracket), ("all", gaunt + bracket)):
        ones = np.ones((1, len(sphere.convolution_paths(degree, filter_lmax, lmax, parity=parity))))
        found = sphere.path_convolution(
            x, alignment, lmax, filter_lmax=filter_lmax, weights=ones, parity=parity
        )
        np.testing.assert_allclose(found, expected, atol=1e-11)


def test_every_path_is_a_clebsch_gordan_product(x64):
    degree, filter_lmax, lmax = 2, 2, 3
    paths = sphere.convolution_paths(degree, filter_lmax, lmax, parity="all")
    x, vector = RANDOM.normal(size=(1, 9)), VECTORS[0]
    harmonics = np.asarray(sphere.spherical_harmonics(filter_lmax, vector))
    alignment = sphere.align(vector, lmax)
    one = jax.jit(
        lambda weights: sphere.path_convolution(
            x, alignment, lmax, filter_lmax=filter_lmax, weights=weights[None], parity="all"
        )
    )
    for number, (l1, l2, l3) in enumerate(paths):
        found = np.array(one(np.eye(len(paths))[number]))[0]
        block = np.asarray(e3nn_jax.clebsch_gordan(l1, l2, l3))
        expected = np.einsum(
            "abc,a,b->c", block, x[0, l1 * l1 : (l1 + 1) ** 2], harmonics[l2 * l2 : (l2 + 1) ** 2]
        )
        part = found[l3 * l3 : (l3 + 1) ** 2].copy()
        found[l3 * l3 : (l3 + 1) ** 2] = 0
        assert not found.any()
        cosine = part @ expected / (np.linalg.norm(part) * np.linalg.norm(expected))
        np.testing.assert_allclose(abs(cosine), 1, atol=1e-10, err_msg=str((l1, l2, l3)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("parity", ["even", "all"])
def test_is_equivariant(parity, dtype):
    # With odd paths too, of natural signals, only rotations are left.
    paths = sphere.convolution_paths(2, 3, 2, parity=parity)
    weights = RANDOM.normal(size=(4, 2, len(paths))).astype(dtype)
    testing.assert_equivariant(
        lambda x, v: sphere.path_convolution(
            x, sphere.align(v, 2), 2, filter_lmax=3, weights=weights, parity=parity
        ),
        O(3) if parity == "even" else SO(3),
        in_reps=(Irreps("0e+1o+2e"), Vector()),
        out_reps=Irreps("0e+1o+2e"),
        shapes=((4, 2, 9), (4, 3)),
        dtype=dtype,
        rtol=1e-10 if dtype == "float64" else 1e-4,
        gradient=True,
        max_examples=20,
    )


def test_odd_paths_are_not_equivariant_under_reflections(x64):
    paths = sphere.convolution_paths(1, 1, 1, parity="odd")
    x, v = RANDOM.normal(size=(1, 4)), VECTORS[0]

    def convolve(x, v):
        weights = np.ones((1, len(paths)))
        return sphere.path_convolution(x, sphere.align(v, 1), 1, filter_lmax=1, weights=weights, parity="odd")

    inverted = x * np.array([1, -1, -1, -1])
    np.testing.assert_allclose(convolve(inverted, -v), convolve(x, v), atol=1e-12)
    assert np.abs(convolve(x, v)).max() > 0.01


@pytest.mark.parametrize("parity", ["even", "odd", "all"])
def test_component_normalisation_gives_unit_variance(parity):
    keys = jax.random.split(jax.random.key(0), 3)
    paths = sphere.convolution_paths(2, 2, 2, parity=parity)
    x = jax.random.normal(keys[0], (6000, 4, 9))
    weights = jax.random.normal(keys[1], (6000, 4, len(paths)))
    vectors = jax.random.normal(keys[2], (6000, 3))
    z = jax.jit(
        lambda x, v, w: sphere.path_convolution(
            x, sphere.align(v, 2), 2, filter_lmax=2, weights=w, parity=parity, normalization="component"
        )
    )(x, vectors, weights)
    variance = jnp.mean(z**2, axis=(0, 1))
    for l in {l3 for _, _, l3 in paths}:
        np.testing.assert_allclose(variance[l * l : (l + 1) ** 2].mean(), 1, rtol=0.05)


NODES, RADIAL, OUT = RANDOM.normal(size=(2, 9)), RANDOM.normal(size=(2, 3)), RANDOM.normal(size=(2, 9))


def aligned_loss(x, v):
    z = sphere.aligned_convolution(x, sphere.align(v, 2), 2, filter_lmax=2, weights=(None, RADIAL, None))
    return jnp.sum(OUT * z**2)


def grid_loss(x, v):
    z = sphere.gaunt_convolution(x, v, 2, filter_lmax=2, weights=(None, RADIAL, None))
    return jnp.sum(OUT * z**2)


SECOND = [jax.jit(jax.hessian(loss, (0, 1))) for loss in (aligned_loss, grid_loss)]


@pytest.mark.parametrize("vector", [*POLES, [1.0, 2.0, 3.0]], ids=str)
def test_derivatives_are_those_of_the_form_without_rotation(x64, vector):
    # Second derivatives at the poles included; at zero all are finite.
    found, expected = (jax.tree.leaves(second(NODES, np.array(vector))) for second in SECOND)
    for one, other in zip(found, expected):
        assert np.isfinite(one).all()
        np.testing.assert_allclose(one, other, atol=1e-10)


def test_jit_and_vmap():
    x, vectors = RANDOM.normal(size=(8, 2, 9)).astype(np.float32), VECTORS.astype(np.float32)
    weights = RANDOM.normal(size=(8, 2, 11)).astype(np.float32)

    def convolve(x, v, w):
        return sphere.path_convolution(x, sphere.align(v, 2), 2, filter_lmax=2, weights=w)

    found = jax.jit(jax.vmap(convolve))(x, vectors, weights)
    np.testing.assert_allclose(found, jax.jit(convolve)(x, vectors, weights), atol=1e-5)
    assert found.dtype == jnp.float32


def test_counts_of_paths():
    even = [len(sphere.convolution_paths(l, l, l)) for l in (1, 2, 3, 4, 6)]
    both = [len(sphere.convolution_paths(l, l, l, parity="all")) for l in (1, 2, 3, 4, 6)]
    assert even == [4, 11, 23, 42, 106]
    assert both == [5, 15, 34, 65, 175]


X = jnp.ones((4, 8, 9))
ALIGNMENT = sphere.align(jnp.ones((4, 3)), 2)
WRONG_CALLS = [
    ((X, ALIGNMENT, 3), dict(weights=jnp.ones((8, 3))), ValueError, "alignment must .*at least 3, got 2"),
    (
        (X, ALIGNMENT, 2),
        dict(weights=jnp.ones((8, 3))),
        ValueError,
        r"weights must have .*c, 11\)",
    ),
    ((X, ALIGNMENT, 2), dict(weights=jnp.ones((8, 11), int)), TypeError, "weights must be .*got dtype int32"),
    (
        (X, ALIGNMENT, 2),
        dict(weights=jnp.ones((8, 11)), parity="o"),
        ValueError,
        "parity must be .*'o'",
    ),
    ((X, jnp.ones((4, 3)), 2), dict(weights=jnp.ones((8, 11))), TypeError, "alignment must be a Alignment"),
    ((X[0, 0], ALIGNMENT, 2), dict(weights=jnp.ones((8, 11))), ValueError, r"x must have .*got \(9,\)"),
]


@pytest.mark.parametrize(("arguments", "options", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(arguments, options, error, message):
    with pytest.raises(error, match=message):
        sphere.path_convolution(*arguments, filter_lmax=2, **options)


def test_weights_of_the_filter_must_fit():
    with pytest.raises(ValueError, match=r"weights\[1\] must have shape \(..., c, 3\), got \(8, 2\)"):
        sphere.aligned_convolution(X, ALIGNMENT, 2, filter_lmax=2, weights=(None, jnp.ones((8, 2)), None))

"""Products of arrays that carry their irreps: against e3nn's product, with every parity kept."""

import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import sphere, testing
from equijax.groups import Irreps, O

MIXED = "2x0e+2x0o+2x1o+2x1e+2x2e+2x2o"
NATURAL = "2x0e+2x1o+2x2e"
PAIRS = [(NATURAL, NATURAL), (MIXED, NATURAL), (MIXED, MIXED), ("2x1e", "2x1o+2x2o"), ("2x0e+2x2o", "2x1o")]


jitted_product = jax.jit(sphere.irreps_product, static_argnames=("paths", "normalization"))


def random_array(irreps, *leading, seed=0):
    return e3nn.normal(irreps, jax.random.key(seed), leading, dtype=float)


def sum_of_e3nn_paths(x, y, parity=None, norms=False, filter_ir_out=None):
    """Channel by channel, the sum of e3nn's paths into each irrep; of all or one kind, with their norms."""
    sums = {}
    for (_, ir1), a in zip(x.irreps, x.chunks):
        for (_, ir2), b in zip(y.irreps, y.chunks):
            for ir3 in ir1 * ir2:
                even = (ir1.l + ir2.l + ir3.l) % 2 == 0
                if parity not in (None, "even" if even else "odd"):
                    continue
                block = e3nn.clebsch_gordan(ir1.l, ir2.l, ir3.l)
                coefficients = sphere.gaunt_coefficients if even else sphere.bracket_coefficients
                scale = np.linalg.norm(coefficients(ir1.l, ir2.l, ir3.l)) if norms else np.sqrt(ir3.dim)
                path = scale * np.einsum("...ui,...uj,ijk->...uk", a, b, block)
                sums[ir3] = sums.get(ir3, 0) + path
    kept = [ir for ir in sorted(sums) if filter_ir_out is None or ir in filter_ir_out]
    leading = np.broadcast_shapes(x.shape[:-1], y.shape[:-1])
    irreps = e3nn.Irreps([(sums[ir].shape[-2], ir) for ir in kept])
    return e3nn.from_chunks(irreps, [jnp.asarray(sums[ir]) for ir in kept], leading, float)


@pytest.mark.parametrize("paths", ["all", "even", "odd"])
@pytest.mark.parametrize(("irreps_x", "irreps_y"), PAIRS)
def test_every_path_goes_to_its_irrep(x64, irreps_x, irreps_y, paths):
    x, y = random_array(irreps_x, 3, seed=1), random_array(irreps_y, 3, seed=2)
    found = jitted_product(x, y, paths=paths)
    expected = sum_of_e3nn_paths(x, y, None if paths == "all" else paths, norms=True)
    assert found.irreps == expected.irreps
    np.testing.assert_allclose(found.array, expected.array, atol=1e-11)


@pytest.mark.parametrize("method", ["direct", "grid", "auto"])
def test_with_exact_weights_it_is_the_product_of_e3nn(x64, method):
    x, y = random_array(MIXED, 3, seed=1), random_array(MIXED, 3, seed=2)
    kept = [ir for _, ir in e3nn.Irreps(MIXED)]
    weights = sphere.path_weights(2, 2, 2, 2)
    found = sphere.irreps_product(x, y, filter_ir_out=kept, weights=weights, method=method)
    expected = sum_of_e3nn_paths(x, y, filter_ir_out=kept)
    assert found.irreps == expected.irreps
    np.testing.assert_allclose(found.array, expected.array, atol=1e-10)


def test_e3nn_itself_gives_the_same_irreps_and_sums(x64):
    x, y = random_array("0e+0o+1o+1e", 4, seed=1), random_array("0e+1o+1e", 4, seed=2)
    every = e3nn.tensor_product(x, y)
    found = jitted_product(x, y, weights=sphere.path_weights(1, 1, 2, 2))
    assert [ir for _, ir in found.irreps] == [ir for _, ir in every.irreps]
    for chunk, expected in zip(found.chunks, every.chunks):
        np.testing.assert_allclose(chunk[:, 0], expected.sum(axis=-2), atol=1e-10)


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        ("0e", "2x0e"),
        ("1e", "2x1e"),
        ("0e+1e+1o+7e", "2x0e+2x1o+2x1e"),
        (["2o"], "2x2o"),
        ("5e", ""),
        ([], ""),
    ],
)
def test_filter_says_what_is_kept(x64, kept, expected):
    x, y = random_array(NATURAL, 3, seed=1), random_array(NATURAL, 3, seed=2)
    found = sphere.irreps_product(x, y, filter_ir_out=kept)
    whole = sphere.irreps_product(x, y)
    assert found.irreps == e3nn.Irreps(expected)
    assert found.shape == (3, e3nn.Irreps(expected).dim)
    np.testing.assert_allclose(found.array, whole.filter(keep=e3nn.Irreps(expected)).array, atol=1e-12)


def test_only_what_is_kept_is_computed():
    x, y = random_array(NATURAL, 64, seed=1), random_array(NATURAL, 64, seed=2)

    def flops(kept):
        product = jax.jit(lambda x, y: sphere.irreps_product(x, y, filter_ir_out=kept, method="grid"))
        return product.lower(x, y).compile().cost_analysis()["flops"]

    assert flops("0e+1o+2e") < 0.6 * flops("0e+1o+2e+1e+2o")


@pytest.mark.parametrize("paths", ["all", "even", "odd"])
@pytest.mark.parametrize(("irreps_x", "irreps_y"), [(MIXED, NATURAL), ("2x0e+2x2o", "2x1o")])
def test_component_normalization_gives_unit_variance(x64, irreps_x, irreps_y, paths):
    x, y = random_array(irreps_x, 20_000, seed=1), random_array(irreps_y, 20_000, seed=2)
    z = jitted_product(x, y, paths=paths, normalization="component")
    for chunk in z.chunks:
        np.testing.assert_allclose(np.mean(np.asarray(chunk) ** 2, axis=(0, 1)), 1, atol=0.06)


def test_leading_axes_and_a_single_channel_broadcast(x64):
    x, y = random_array("4x0e+4x1o", 5, 1, seed=1), random_array("0e+1o+2e", 3, seed=2)
    z = jitted_product(x, y)
    assert z.shape == (5, 3, z.irreps.dim)
    assert all(mul == 4 for mul, _ in z.irreps)
    repeated = e3nn.from_chunks("4x0e+4x1o+4x2e", [jnp.repeat(c, 4, axis=-2) for c in y.chunks], (3,))
    one = jitted_product(x[2, 0], repeated[1])
    np.testing.assert_allclose(z[2, 1].array, one.array, atol=1e-12)


def test_channels_on_their_own_axis(x64):
    x, y = random_array("4x0e+4x1o", 3, seed=1), random_array("4x0e+4x1o", 3, seed=2)
    on_axis = jitted_product(x.mul_to_axis(), y.mul_to_axis()).axis_to_mul()
    np.testing.assert_allclose(on_axis.array, jitted_product(x, y).array, atol=1e-12)


@pytest.mark.parametrize("paths", ["even", "odd"])
def test_weights_of_one_kind_of_paths(x64, paths):
    random = np.random.default_rng(0)
    x, y = random_array(MIXED, 3, seed=1), random_array(NATURAL, 3, seed=2)
    factors = sphere.DegreeFactors(*(random.normal(size=(3, 2, 2, l + 1)) for l in (2, 2, 3)))
    kept = [e3nn.Irrep(l, p) for l in range(4) for p in (1, -1)]
    found = sphere.irreps_product(x, y, paths=paths, weights=factors, filter_ir_out=kept)
    none = sphere.DegreeFactors(*(np.zeros_like(factor) for factor in factors))
    whole = {"even": sphere.PathWeights(factors, none), "odd": sphere.PathWeights(none, factors)}[paths]
    expected = sphere.irreps_product(x, y, weights=whole, filter_ir_out=kept).filter(keep=found.irreps)
    np.testing.assert_allclose(found.array, expected.array, atol=1e-11)
    assert np.abs(found.array).max() > 1


@pytest.mark.parametrize("paths", ["all", "even", "odd"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_is_equivariant_under_reflections_too(paths, dtype):
    kept = e3nn.Irreps("1o+1e+2e+2o" if paths == "odd" else MIXED)

    def product(x, y):
        arrays = e3nn.IrrepsArray(MIXED, x), e3nn.IrrepsArray(NATURAL, y)
        return sphere.irreps_product(*arrays, paths=paths, filter_ir_out=kept).array

    testing.assert_equivariant(
        product,
        O(3),
        in_reps=(Irreps(MIXED), Irreps(NATURAL)),
        out_reps=Irreps("+".join(f"2x{ir}" for _, ir in kept)),
        shapes=((3, 36), (3, 18)),
        dtype=dtype,
    )


def test_jit_vmap_grad_and_hessian_vector_products():
    x, y = (e3nn.normal(MIXED, jax.random.key(seed), (5,)) for seed in (0, 1))
    weights = sphere.path_weights(2, 2, 4, 1)

    def product(x, y):
        return sphere.irreps_product(x, y, weights=weights)

    whole = jax.jit(product)(x, y)
    np.testing.assert_allclose(jax.vmap(product)(x, y).array, whole.array, atol=1e-4)

    def loss(array):
        x = e3nn.IrrepsArray(MIXED, array)
        return jnp.sum(product(x, x * 2).array ** 2)

    hessian_vector = jax.jit(lambda x: jax.jvp(jax.grad(loss), (x,), (jnp.ones_like(x),))[1])
    assert np.isfinite(hessian_vector(jnp.zeros(36))).all()
    assert np.abs(hessian_vector(x.array[0])).max() > 1e-2


X, Y = e3nn.IrrepsArray("2x0e+2x1o", jnp.ones((5, 8))), e3nn.IrrepsArray("3x0e", jnp.ones((5, 3)))
FACTORS = sphere.path_weights(1, 1, 2)
WRONG_CALLS = [
    (lambda: sphere.irreps_product(X, jnp.ones((5, 8))), TypeError, "y must be an e3nn_jax.IrrepsArray"),
    (lambda: sphere.irreps_product(X, Y), ValueError, "y must have the 2 channels of x, or one, got 3"),
    (lambda: sphere.irreps_product(X, X[:3]), ValueError, r"y must .*of x, \(5,\), got \(3,\)"),
    (
        lambda: sphere.irreps_product(X, X, paths="both"),
        ValueError,
        "paths must be one of 'all', 'even', 'odd'",
    ),
    (lambda: sphere.irreps_product(X, X, method="fft"), ValueError, "method must be one of .*got 'fft'"),
    (lambda: sphere.irreps_product(X, X, normalization="norm"), ValueError, "normalization must be one of"),
    (lambda: sphere.irreps_product(X, X, filter_ir_out="x"), ValueError, "filter_ir_out must be irreps"),
    (
        lambda: sphere.irreps_product(X, X, weights=FACTORS.even),
        TypeError,
        "weights must be a PathWeights, got DegreeFactors",
    ),
    (
        lambda: sphere.irreps_product(X, X, paths="even", weights=FACTORS),
        TypeError,
        "weights must be a DegreeFactors, got PathWeights",
    ),
    (
        lambda: sphere.irreps_product(X, X, filter_ir_out="0e", weights=FACTORS),
        ValueError,
        r"weights.even.out must have shape|weights.out must have shape",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()

"""Modules of products: Gaunt, all paths, self-mixing."""

import functools

import e3nn_jax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import nn, sphere, testing
from equijax.groups import SO, Irreps, O

SIGNALS = Irreps("0e+1o+2e"), Irreps("0e+1o")


def signals(*leading):
    random = np.random.default_rng(0)
    return tuple(random.normal(size=(*leading, k)).astype(np.float32) for k in (9, 4))


def varied(variables, dtype):
    random = np.random.default_rng(0)
    return jax.tree.map(lambda leaf: random.normal(size=leaf.shape).astype(dtype), variables)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_is_equivariant(dtype):
    module = nn.GauntProduct(lmax=2)
    variables = varied(module.init(jax.random.key(0), *signals(5, 3)), dtype)
    testing.assert_equivariant(
        lambda x, y: module.apply(variables, x, y),
        O(3),
        in_reps=SIGNALS,
        out_reps=SIGNALS[0],
        shapes=((5, 3, 9), (5, 3, 4)),
        dtype=dtype,
        gradient=True,
        max_examples=20,
    )


@pytest.mark.parametrize("normalization", ["integral", "component"])
def test_starts_as_the_plain_product(normalization):
    x, y = signals(5, 3)
    z = nn.GauntProduct(normalization=normalization).init_with_output(jax.random.key(0), x, y)[0]
    np.testing.assert_allclose(z, sphere.gaunt_product(x, y, normalization=normalization), atol=1e-5)


def test_has_a_weight_for_each_channel_and_degree():
    variables = nn.GauntProduct(lmax=2).init(jax.random.key(0), *signals(5, 3))
    assert jax.tree.map(jnp.shape, variables)["params"] == {
        "weight_x": (3, 3),
        "weight_y": (3, 2),
        "weight_out": (3, 3),
    }


@pytest.mark.parametrize("method", ["direct", "fourier"])
def test_methods_agree(method):
    x, y = signals(5, 3)
    variables = nn.GauntProduct(lmax=2).init(jax.random.key(0), x, y)
    expected = nn.GauntProduct(lmax=2).apply(variables, x, y)
    found = nn.GauntProduct(lmax=2, method=method).apply(variables, x, y)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_jit_and_vmap():
    module = nn.GauntProduct(lmax=2)
    x, y = signals(5, 3)
    z, variables = module.init_with_output(jax.random.key(0), x, y)
    found = jax.jit(jax.vmap(lambda x, y: module.apply(variables, x, y)))(x, y)
    np.testing.assert_allclose(found, z, atol=1e-5)


@pytest.mark.parametrize(
    "make", [functools.partial(nn.GauntProduct, lmax=2), functools.partial(nn.TensorProduct, 2)]
)
@pytest.mark.parametrize("carried", [False, True])
def test_short_formats_change_little(make, carried):
    x, y = signals(5, 3)
    if carried:
        x, y = (sphere.irreps_from_signals(sphere.ParitySignals(signal, None)) for signal in (x, y))
    exact, variables = make().init_with_output(jax.random.key(0), x, y)
    short = make(matmul_dtype=jnp.bfloat16).apply(variables, x, y)
    if carried:
        exact, short = exact.array, short.array
    assert 1e-5 < jnp.linalg.norm(short - exact) / jnp.linalg.norm(exact) < 2e-2


def test_full_product_starts_as_that_of_clebsch_gordan():
    # Of three ranks at degree 2 the fit of the paths is exact.
    x, y = (np.random.default_rng(seed).normal(size=(5, 1, 9)).astype(np.float32) for seed in (0, 1))
    irreps = e3nn_jax.Irreps("0e+1o+2e")
    z = nn.TensorProduct(lmax=2, rank=3, path_normalization="none").init_with_output(jax.random.key(0), x, y)[
        0
    ]
    product = e3nn_jax.tensor_product(
        e3nn_jax.IrrepsArray(irreps, x[:, 0]), e3nn_jax.IrrepsArray(irreps, y[:, 0])
    )
    for l in range(3):
        chunks = [chunk for (_, ir), chunk in zip(product.irreps, product.chunks) if ir.l == l]
        expected = sum(chunk.sum(axis=-2) for chunk in chunks)
        np.testing.assert_allclose(z[:, 0, l * l : (l + 1) ** 2], expected, atol=1e-4)


def test_full_product_has_weights_of_every_channel_and_rank():
    x, y = signals(5, 3)
    params = nn.TensorProduct(lmax=2, rank=2).init(jax.random.key(0), x, y)["params"]
    assert jax.tree.map(jnp.shape, params) == {
        f"{parity}_{name}": (3, 2, size)
        for parity in ("even", "odd")
        for name, size in (("x", 3), ("y", 2), ("out", 3))
    }


@pytest.mark.parametrize("path_normalization", ["element", "none"])
@pytest.mark.parametrize("irreps", [None, "4x0e+4x1o+4x1e"])
def test_full_product_of_unit_variance_signals_has_unit_variance(irreps, path_normalization):
    module = nn.TensorProduct(lmax=1, rank=3, path_normalization=path_normalization)
    keys = jax.random.split(jax.random.key(0))
    if irreps is None:
        x, y = (jax.random.normal(key, (8000, 4, 4)) for key in keys)
    else:
        x, y = (e3nn_jax.normal(irreps, key, (8000,), normalization="component") for key in keys)
    z = jax.jit(lambda x, y: module.init_with_output(keys[0], x, y)[0])(x, y)
    chunks = [z[..., :1], z[..., 1:]] if irreps is None else z.chunks
    squares = [float(jnp.mean(chunk**2)) for chunk in chunks]
    if path_normalization == "element":
        np.testing.assert_allclose(squares, 1, rtol=0.06)
    else:
        # Of degrees 0 and 1: 0x0, 1x1 to 0, and 0x1, 1x0, 1x1 to 1; with both parities of degree 1, more.
        paths = {"0e": 3, "0o": 2, "1e": 4, "1o": 4}
        expected = [2, 3] if irreps is None else [paths[str(ir)] for _, ir in z.irreps]
        np.testing.assert_allclose(squares, expected, rtol=0.06)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_full_product_is_equivariant(dtype):
    module = nn.TensorProduct(lmax=2)
    variables = varied(module.init(jax.random.key(0), *signals(5, 3)), dtype)
    testing.assert_equivariant(
        lambda x, y: module.apply(variables, x, y),
        SO(3),
        in_reps=SIGNALS,
        out_reps=SIGNALS[0],
        shapes=((5, 3, 9), (5, 3, 4)),
        dtype=dtype,
        rtol=1e-10 if dtype == "float64" else 1e-4,
        max_examples=20,
    )


MIXED = "2x0e+2x1o+2x1e+2x2e"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "module", [nn.GauntProduct(filter_ir_out="0e+0o+1o+1e"), nn.TensorProduct(lmax=2)], ids=["gaunt", "full"]
)
def test_products_of_irreps_are_equivariant_under_reflections(module, dtype):
    example = e3nn_jax.IrrepsArray(MIXED, jnp.ones((5, 24)))
    z, variables = jax.jit(module.init_with_output)(jax.random.key(0), example, example)
    variables = varied(variables, dtype)

    def product(x, y):
        x, y = (e3nn_jax.IrrepsArray(MIXED, array) for array in (x, y))
        return module.apply(variables, x, y).array

    testing.assert_equivariant(
        product,
        O(3),
        in_reps=(Irreps(MIXED), Irreps(MIXED)),
        out_reps=Irreps(str(z.irreps)),
        shapes=((5, 24), (5, 24)),
        dtype=dtype,
        rtol=1e-10 if dtype == "float64" else 1e-4,
        max_examples=20,
    )


def test_products_of_irreps_have_the_irreps_of_e3nn():
    x = e3nn_jax.normal(MIXED, jax.random.key(0), (5,))
    for filtered in (None, "0e+1o"):
        module = nn.TensorProduct(filter_ir_out=filtered)
        found = jax.eval_shape(lambda m=module: m.init_with_output(jax.random.key(0), x, x)[0])
        one = e3nn_jax.IrrepsArray("0e+1o+1e+2e", jnp.ones(12))
        kept = None if filtered is None else e3nn_jax.Irreps(filtered)
        expected = jax.eval_shape(lambda k=kept, x=one: e3nn_jax.tensor_product(x, x, filter_ir_out=k))
        assert {ir for _, ir in found.irreps} == {ir for _, ir in expected.irreps}
        assert all(mul == 2 for mul, _ in found.irreps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_selfmix_is_equivariant(dtype):
    module = nn.Selfmix()
    variables = varied(module.init(jax.random.key(0), signals(5, 3)[0]), dtype)
    testing.assert_equivariant(
        lambda x: module.apply(variables, x),
        O(3),
        in_reps=(SIGNALS[0],),
        out_reps=SIGNALS[0],
        shapes=((5, 3, 9),),
        dtype=dtype,
        rtol=1e-10 if dtype == "float64" else 1e-4,
        gradient=True,
        max_examples=20,
    )


def test_selfmix_adds_the_square():
    x, _ = signals(5, 3)
    y = nn.Selfmix(normalization="integral").init_with_output(jax.random.key(0), x)[0]
    np.testing.assert_allclose(y - x, sphere.gaunt_power(x, 2, 2), atol=1e-5)


def test_selfmix_keeps_irreps_in_their_order():
    x = e3nn_jax.normal("2x1o+2x0e+2x3o", jax.random.key(0), (5,))
    y = nn.Selfmix().init_with_output(jax.random.key(0), x)[0]
    assert y.irreps == x.irreps
    assert np.abs((y - x).array).max() > 0.1
    # The square of odd and even natural signals reaches degree 1 by 0e x 1o alone.
    alone = e3nn_jax.normal("2x1o", jax.random.key(0), (5,))
    with pytest.raises(ValueError, match="filter_ir_out must keep an irrep"):
        nn.Selfmix().init(jax.random.key(0), alone)


@pytest.mark.parametrize("module", [nn.GauntProduct(lmax=2), nn.TensorProduct(lmax=2)], ids=["gaunt", "full"])
def test_second_derivatives_at_zero_are_finite(module):
    zero = jnp.zeros((3, 9)), jnp.zeros((3, 4))
    variables = module.init(jax.random.key(0), *zero)
    second = jax.jit(jax.hessian(lambda x: module.apply(variables, x, zero[1] + 1).sum() ** 2))(zero[0])
    assert np.isfinite(second).all()


X, Y = signals(5, 3)
IRREPS = e3nn_jax.IrrepsArray("3x0e+3x1o", jnp.ones((5, 12)))
WRONG_CALLS = [
    (nn.GauntProduct(), (X, Y[:, :2]), ValueError, "y must have the 3 channels of x, got 2"),
    (nn.GauntProduct(), (X[0, 0], Y), ValueError, r"x must have shape .*got \(9,\)"),
    (nn.GauntProduct(), (X, Y[..., :3]), ValueError, "y must have .*got 3"),
    (nn.GauntProduct(-1), (X, Y), ValueError, "lmax must be a number of at least 0, got -1"),
    (nn.GauntProduct(method="best"), (X, Y), ValueError, "method must be one of .*got 'best'"),
    (nn.GauntProduct(), (X.astype(int), Y), TypeError, "x must be .*got dtype int"),
    (nn.GauntProduct(normalization="norm"), (X, Y), ValueError, "normalization must be .*got 'norm'"),
    (nn.GauntProduct(filter_ir_out="0e"), (X, Y), ValueError, "filter_ir_out must be None .*got '0e'"),
    (nn.GauntProduct(), (IRREPS, Y), TypeError, "x and y must both be e3nn_jax.IrrepsArray or both"),
    (nn.GauntProduct(filter_ir_out="3e"), (IRREPS, IRREPS), ValueError, "filter_ir_out must keep an irrep"),
    (nn.GauntProduct(matmul_dtype=int), (IRREPS, IRREPS), TypeError, "matmul_dtype must be None or a real"),
    (nn.TensorProduct(rank=0), (X, Y), ValueError, "rank must be .*at least 1, got 0"),
    (nn.TensorProduct(irrep_normalization="unit"), (X, Y), ValueError, "irrep_normalization must be"),
    (nn.TensorProduct(path_normalization="path"), (X, Y), ValueError, "path_normalization must be"),
    (nn.TensorProduct(), (X, Y[:, :2]), ValueError, "y must have the 3 channels of x, got 2"),
]


@pytest.mark.parametrize(("module", "arguments", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(module, arguments, error, message):
    with pytest.raises(error, match=message):
        module.init(jax.random.key(0), *arguments)

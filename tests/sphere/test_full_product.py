"""The product with all paths: against its two parts, e3nn's product, and the symmetries of both."""

import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import equivariance, sphere, testing
from equijax.groups import SO, Irreps, O
from equijax.sphere import full_product

METHODS = ("direct", "grid", "auto")


def random_signal(lmax, *leading, seed=0):
    return np.random.default_rng([seed, lmax]).normal(size=(*leading, (lmax + 1) ** 2))


def random_weights(degrees, rank, *leading, seed=0):
    random = np.random.default_rng(seed)
    factors = [[random.normal(size=(*leading, rank, l + 1)) for l in degrees] for _ in range(2)]
    return sphere.PathWeights(*(sphere.DegreeFactors(*each) for each in factors))


def irreps(lmax, sign=1):
    return Irreps("+".join(f"{l}{'e' if sign * (-1) ** l == 1 else 'o'}" for l in range(lmax + 1)))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("l1", "l2", "lmax"), [(0, 0, 0), (0, 2, 3), (1, 1, 1), (3, 2, 5), (2, 4, 1)])
def test_is_the_sum_of_gaunt_product_and_bracket(x64, method, l1, l2, lmax):
    x, y = random_signal(l1, 4, 1, seed=1), random_signal(l2, 3, seed=2)
    even = sphere.gaunt_product(x, y, lmax, method="direct")
    odd = sphere.bracket_product(x, y, lmax, method="direct")
    total = sphere.tensor_product(x, y, lmax, method=method)
    parts = sphere.tensor_product_parts(x, y, lmax, method=method)
    assert total.shape == (4, 3, (lmax + 1) ** 2)
    np.testing.assert_allclose(total, even + odd, atol=1e-11)
    np.testing.assert_allclose(parts[0], even, atol=1e-11)
    np.testing.assert_allclose(parts[1], odd, atol=1e-11)


@pytest.mark.parametrize("method", METHODS)
def test_weights_multiply_paths(x64, method):
    x, y, weights = (
        random_signal(2, 5, 4, seed=1),
        random_signal(1, 5, 4, seed=2),
        random_weights((2, 1, 3), 3, 4),
    )
    expected = np.zeros((2, 5, 4, 16))
    coefficients = sphere.gaunt_coefficients, sphere.bracket_coefficients
    for part, (factors, blocks) in enumerate(zip(weights, coefficients)):
        dense = np.einsum("ura,urb,urc->uabc", *factors)
        for l1, l2, l3 in np.ndindex(3, 2, 4):
            a, b, c = (slice(l * l, (l + 1) ** 2) for l in (l1, l2, l3))
            block = np.einsum("nui,nuj,ijk->nuk", x[..., a], y[..., b], blocks(l1, l2, l3))
            expected[part, ..., c] += dense[:, l1, l2, l3, None] * block
    found = sphere.tensor_product(x, y, 3, method=method, weights=weights)
    np.testing.assert_allclose(found, expected.sum(0), atol=1e-11)
    parts = sphere.tensor_product_parts(x, y, 3, method=method, weights=weights)
    np.testing.assert_allclose(parts, expected, atol=1e-11)


@pytest.mark.parametrize(
    ("l1", "l2", "lmax", "rank"), [(1, 1, 2, 1), (2, 2, 2, 2), (3, 3, 3, 3), (2, 3, 4, 3)]
)
@pytest.mark.parametrize("normalization", ["component", "norm", "none"])
def test_path_weights_make_it_the_tensor_product_of_e3nn(x64, l1, l2, lmax, rank, normalization):
    weights = sphere.path_weights(l1, l2, lmax, rank, irrep_normalization=normalization)
    assert max(sphere.path_weights_errors(l1, l2, lmax, rank)) < 1e-9
    x, y = random_signal(l1, 5, seed=1), random_signal(l2, 5, seed=2)
    arrays = [
        e3nn.IrrepsArray(e3nn.Irreps([(1, (l, 1)) for l in range(n + 1)]), a) for a, n in ((x, l1), (y, l2))
    ]
    outputs = [e3nn.Irrep(l, 1) for l in range(lmax + 1)]
    products = e3nn.tensor_product(*arrays, filter_ir_out=outputs, irrep_normalization=normalization)
    expected = np.concatenate([chunk.sum(axis=-2) for chunk in products.chunks], axis=-1)
    np.testing.assert_allclose(sphere.tensor_product(x, y, lmax, weights=weights), expected, atol=1e-9)


def test_component_normalization_gives_unit_variance(x64):
    x, y = (np.random.default_rng(seed).normal(size=(40_000, 9)) for seed in (0, 1))
    z = sphere.tensor_product(x, y, 5, normalization="component")
    squares = np.mean(np.asarray(z) ** 2, axis=0)
    np.testing.assert_allclose(squares[:25], 1, atol=0.06)
    np.testing.assert_allclose(squares[25:], 0, atol=1e-20)
    even, odd = sphere.tensor_product_parts(x, y, 3, normalization="component")
    np.testing.assert_allclose(np.mean(np.asarray(even) ** 2, axis=0), 1, atol=0.06)
    np.testing.assert_allclose(np.mean(np.asarray(odd) ** 2, axis=0)[1:], 1, atol=0.06)
    weights = sphere.path_weights(2, 2, 3, 3, path_normalization="element")
    z = sphere.tensor_product(x, y, 3, weights=weights)
    np.testing.assert_allclose(np.mean(np.asarray(z) ** 2, axis=0), 1, atol=0.06)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_is_equivariant_under_rotations(dtype):
    weights = sphere.path_weights(2, 3, 3, 2)
    testing.assert_equivariant(
        lambda x, y: sphere.tensor_product(x, y, 3, weights=weights),
        SO(3),
        in_reps=(irreps(2), irreps(3)),
        out_reps=irreps(3),
        shapes=((4, 9), (4, 16)),
        dtype=dtype,
    )


@pytest.mark.parametrize("method", ["direct", "grid"])
def test_parts_have_their_parities_and_the_sum_has_none(x64, method):
    args = random_signal(2, 4), random_signal(3, 4)

    def errors(f, out):
        reps = irreps(2), irreps(3)
        return equivariance.error(f, O(3), reps, out, args, key=jax.random.key(0))

    def parts(x, y):
        return sphere.tensor_product_parts(x, y, 3, method=method)

    assert max(errors(parts, (irreps(3), irreps(3, sign=-1)))) < 1e-12
    assert errors(lambda x, y: sum(parts(x, y)), irreps(3)) > 0.1


@pytest.mark.parametrize("method", ["direct", "grid"])
def test_jit_vmap_grad_and_hessian_vector_products(method):
    weights = sphere.path_weights(2, 2, 2, 2)

    def product(x, y):
        return sphere.tensor_product(x, y, 2, method=method, weights=weights)

    def loss(x):
        return jnp.sum(product(x, x[::-1]) ** 2)

    x, y = (jnp.asarray(random_signal(2, 5, seed=seed), jnp.float32) for seed in (0, 1))
    np.testing.assert_allclose(jax.jit(jax.vmap(product))(x, y), product(x, y), atol=1e-5)
    hessian_vector = jax.jit(lambda x: jax.jvp(jax.grad(loss), (x,), (jnp.ones_like(x),))[1])
    assert np.isfinite(hessian_vector(jnp.zeros(9))).all()
    assert np.abs(hessian_vector(x[0])).max() > 1e-2


def test_weights_have_gradients():
    x, y = (jnp.asarray(random_signal(1, 5, 4, seed=seed), jnp.float32) for seed in (0, 1))
    weights = jax.tree.map(lambda w: jnp.asarray(w, jnp.float32), random_weights((1, 1, 1), 2, 4))
    gradient = jax.grad(lambda w: jnp.sum(sphere.tensor_product(x, y, 1, weights=w) ** 2))(weights)
    assert isinstance(gradient, sphere.PathWeights)
    assert all(np.abs(leaf).min() > 0 for leaf in (gradient.even.x, gradient.even.y, gradient.even.out))
    assert all(np.abs(leaf[..., 1]).min() > 0 for leaf in gradient.odd)


@pytest.mark.parametrize("lmax", [1, 4, 8])
def test_single_precision_stays_and_is_close_to_double(lmax):
    x, y = (jnp.asarray(random_signal(lmax, 8, seed=seed), jnp.float32) for seed in (1, 2))
    rough = sphere.tensor_product(x, y, lmax)
    assert rough.dtype == jnp.float32
    with jax.enable_x64(True):
        exact = np.asarray(sphere.tensor_product(np.asarray(x, np.float64), np.asarray(y, np.float64), lmax))
        weights = sphere.path_weights(1, 1, 1)
        assert sphere.tensor_product(
            np.ones(4, np.float32), jnp.ones(4, jnp.float32), 1, weights=weights
        ).dtype == (jnp.float32)
    assert np.linalg.norm(rough - exact) < 1e-6 * np.linalg.norm(exact)


@pytest.mark.parametrize("product", [sphere.tensor_product, sphere.bracket_product])
@pytest.mark.parametrize("method", ["direct", "grid"])
def test_short_matrix_products_are_close(product, method):
    x, y = (jnp.asarray(random_signal(3, 64, seed=seed), jnp.float32) for seed in (1, 2))
    exact = product(x, y, 3, method=method)
    rough = product(x, y, 3, method=method, matmul_dtype=jnp.bfloat16)
    assert rough.dtype == jnp.float32
    assert 1e-4 < np.linalg.norm(rough - exact) / np.linalg.norm(exact) < 2e-2


def test_sum_of_ranks_adds_one_product_a_rank(x64):
    x, y, factors = random_signal(2, 3), random_signal(2, 3, seed=1), random_weights((2, 2, 2), 4)[0]
    found = full_product.sum_of_ranks(sphere.gaunt_product, x, y, 2, factors)
    each = [sphere.gaunt_product(x, y, 2, weights=tuple(f[rank] for f in factors)) for rank in range(4)]
    np.testing.assert_allclose(found, sum(each), atol=1e-12)


X, Y = np.ones((5, 9)), np.ones((5, 4))
GOOD = random_weights((2, 1, 3), 2)
WRONG_CALLS = [
    ({"method": "fourier"}, ValueError, "method must be one of 'auto', 'direct', 'grid', got 'fourier'"),
    ({"normalization": "norm"}, ValueError, "normalization must be one of"),
    ({"matmul_dtype": jnp.int8}, TypeError, "matmul_dtype must be None or a real"),
    ({"weights": tuple(GOOD)}, TypeError, "weights must be a PathWeights, got tuple"),
    ({"weights": GOOD._replace(odd=None)}, TypeError, "weights.odd must be a DegreeFactors, got NoneType"),
    (
        {"weights": GOOD._replace(odd=GOOD.odd._replace(y=np.ones((2, 3))))},
        ValueError,
        r"weights.odd.y must have shape \(..., rank, 2\), rank=2, got \(2, 3\)",
    ),
    (
        {"weights": GOOD._replace(even=GOOD.even._replace(out=np.ones((3, 4))))},
        ValueError,
        r"weights.even.out must have shape \(..., rank, 4\), rank=2, got \(3, 4\)",
    ),
    (
        {"weights": GOOD._replace(even=GOOD.even._replace(x=np.ones((3, 2, 3))))},
        ValueError,
        r"weights.even.x must have leading axes .* the signals, \(5,\), got \(3,\)",
    ),
    (
        {"weights": GOOD._replace(even=GOOD.even._replace(x=np.ones((2, 3), int)))},
        TypeError,
        "weights.even.x must be a real floating-point array",
    ),
]


@pytest.mark.parametrize("function", [sphere.tensor_product, sphere.tensor_product_parts])
@pytest.mark.parametrize(("options", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(function, options, error, message):
    with pytest.raises(error, match=message):
        function(X, Y, 3, **options)


def test_wrong_signals_name_the_argument():
    with pytest.raises(ValueError, match=r"y must .*of x, \(5,\), got \(3,\)"):
        sphere.tensor_product(X, Y[:3])
    with pytest.raises(TypeError, match="y must be an array of coefficients, got an IrrepsArray"):
        sphere.tensor_product(np.ones(4), e3nn.IrrepsArray("0e+1o", jnp.ones(4)))

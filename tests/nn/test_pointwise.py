"""A network of the values at the points of the sphere."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import equivariance, nn, sphere, testing
from equijax.groups import SO, Irreps, O

SIGNAL = Irreps("0e+1o+2e")
X = np.random.default_rng(0).normal(size=(5, 3, 9)).astype(np.float32)


def initialised(module, dtype="float32"):
    random = np.random.default_rng(0)
    variables = module.init(jax.random.key(0), jnp.asarray(X))
    return jax.tree.map(lambda leaf: random.normal(size=leaf.shape).astype(dtype), variables)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_is_equivariant_with_a_polynomial_activation(dtype):
    module = nn.PointwiseMLP((6, 2), activation=jnp.square, order=2)
    variables = initialised(module, dtype)
    testing.assert_equivariant(
        lambda x: module.apply(variables, x),
        O(3),
        in_reps=(SIGNAL,),
        out_reps=SIGNAL,
        shapes=((5, 3, 9),),
        dtype=dtype,
        rtol=1e-10 if dtype == "float64" else 1e-4,
        gradient=True,
        max_examples=20,
    )


def test_aliasing_falls_with_the_grid(x64):
    errors = []
    for order in (2, 4, 8):
        module = nn.PointwiseMLP((6, 2), order=order)
        variables = initialised(module, "float64")
        errors.append(
            equivariance.error(
                lambda x, module=module, variables=variables: module.apply(variables, x),
                SO(3),
                (SIGNAL,),
                SIGNAL,
                (X.astype(float),),
                key=jax.random.key(1),
                num_samples=4,
            )
        )
    assert errors[1] < errors[0] / 2
    assert errors[2] < errors[1] / 4


def test_short_formats_change_little():
    variables = initialised(nn.PointwiseMLP((6, 2)))
    exact, short = (
        nn.PointwiseMLP((6, 2), matmul_dtype=dtype).apply(variables, X) for dtype in (None, jnp.bfloat16)
    )
    assert 1e-5 < jnp.linalg.norm(short - exact) / jnp.linalg.norm(exact) < 3e-2


def test_one_layer_is_a_linear_map():
    module = nn.PointwiseMLP((2,))
    variables = initialised(module)
    kernel, bias = variables["params"]["kernel_0"], variables["params"]["bias_0"]
    expected = np.einsum("nck,cd->ndk", X, kernel)
    expected[..., 0] += bias[:, 0] * np.sqrt(4 * np.pi)
    np.testing.assert_allclose(module.apply(variables, X), expected, atol=1e-5)


def test_degrees_jit_vmap_and_second_derivatives_at_zero():
    module = nn.PointwiseMLP((4, 2), lmax=1)
    variables = initialised(module)
    plain = module.apply(variables, X)
    assert plain.shape == (5, 2, 4)
    np.testing.assert_allclose(jax.jit(jax.vmap(lambda x: module.apply(variables, x)))(X), plain, atol=1e-5)
    second = jax.jit(jax.hessian(lambda x: module.apply(variables, x).sum()))(jnp.zeros((3, 9)))
    assert np.isfinite(second).all()
    scalars = sphere.num_coefficients(0)
    assert nn.PointwiseMLP((4, 2)).init_with_output(jax.random.key(0), X[..., :scalars])[0].shape == (5, 2, 1)


@pytest.mark.parametrize(
    ("attributes", "x", "error", "message"),
    [
        (dict(features=()), X, ValueError, "features must hold at least one size, got none"),
        (dict(features=(4, 0)), X, ValueError, r"features\[1\] must be .*at least 1, got 0"),
        (dict(features=(4,), order=0), X, ValueError, "order must be .*at least 1, got 0"),
        (dict(features=(4,)), X[0, 0], ValueError, r"x must have .*got \(9,\)"),
        (dict(features=(4,)), X.astype(int), TypeError, "x must be .*got dtype int"),
    ],
)
def test_wrong_calls_name_the_argument(attributes, x, error, message):
    with pytest.raises(error, match=message):
        nn.PointwiseMLP(**attributes).init(jax.random.key(0), x)

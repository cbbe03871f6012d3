import jax
import jax.numpy as jnp
import numpy as np
import pytest

import equijax as ej
from equijax.groups import SO, Cyclic, Dihedral, E, O, PermutationTensor, Regular, S, Trivial, Vector

FINITE = [
    (S(4), PermutationTensor(1), PermutationTensor(1), 4),
    (S(3) * Cyclic(4), PermutationTensor(1) @ Regular(), PermutationTensor(1) @ Trivial(), (3, 4)),
    (Dihedral(3), Regular(), Trivial(), 6),
    (Dihedral(4), Vector(), Vector(), 2),
]


def crooked(shape):
    def f(x):
        weights = jnp.arange(1.0, 1 + x.size).reshape(x.shape)
        y = jnp.tanh(x * weights) + jnp.cos(weights) * jnp.sum(x * weights)
        return jnp.sum(y, axis=range(len(shape), x.ndim)) if shape else jnp.sum(y)

    return f


@pytest.mark.parametrize(("group", "in_rep", "out_rep", "shape"), FINITE, ids=lambda value: str(value))
def test_exact_averages_are_equivariant(group, in_rep, out_rep, shape, x64):
    f = crooked(out_rep.shape(group))
    averaged = ej.equivariance.symmetrise(f, group, (in_rep,), out_rep)
    x = jax.random.normal(jax.random.key(0), shape if isinstance(shape, tuple) else (shape,))
    options = {"key": jax.random.key(1), "num_samples": 8}
    assert ej.equivariance.error(f, group, (in_rep,), out_rep, (x,), **options) > 1e-2
    assert ej.equivariance.error(averaged, group, (in_rep,), out_rep, (x,), **options) < 1e-12
    again = ej.equivariance.symmetrise(averaged, group, (in_rep,), out_rep)
    np.testing.assert_allclose(jax.jit(again)(x), averaged(x), rtol=1e-12, atol=1e-12)


def test_monte_carlo_average_converges(x64):
    def f(x):
        return x[0] ** 2 + x[1]

    # The average of x_0^2 + x_1 over rotations is |x|^2 / 3.
    x = jnp.array([1.0, 2.0, -2.0])
    errors = []
    for num_samples in (100, 10_000):
        averaged = ej.equivariance.symmetrise(
            f, SO(3), (Vector(),), Trivial(), key=jax.random.key(0), num_samples=num_samples
        )
        errors.append(abs(float(jax.jit(averaged)(x)) - 3.0))
    assert errors[1] < 0.1
    assert errors[1] < errors[0]


def test_averages_differentiate_and_map(x64):
    averaged = ej.equivariance.symmetrise(crooked(()), Dihedral(3), (Regular(),), Trivial())
    batch = jax.random.normal(jax.random.key(0), (2, 6))
    np.testing.assert_allclose(jax.vmap(averaged)(batch), [averaged(x) for x in batch], rtol=1e-12)
    gradient = ej.equivariance.error(
        jax.grad(averaged), Dihedral(3), (Regular(),), Regular(), (batch[0],), key=jax.random.key(1)
    )
    assert gradient < 1e-12


def test_finite_groups_can_be_sampled_too(x64):
    x = jnp.array([1.0, 2.0, 3.0, 6.0])
    sampled = ej.equivariance.symmetrise(
        lambda x: x[0], Cyclic(4), (Regular(),), Trivial(), key=jax.random.key(0), num_samples=2000
    )
    np.testing.assert_allclose(sampled(x), 3.0, atol=0.2)
    assert sampled(x) != 3.0


@pytest.mark.parametrize(
    ("group", "options", "message"),
    [
        (E(3), {"key": jax.random.key(0), "num_samples": 4}, "group must be compact.*E\\(3\\)"),
        (S(2) * E(3), {"key": jax.random.key(0), "num_samples": 4}, "group must be compact"),
        (O(3), {}, "key and num_samples must be given to average over O\\(3\\)"),
        (S(3), {"num_samples": 4}, "key and num_samples must be given together"),
        (S(3), {"num_samples": 0, "key": jax.random.key(0)}, "num_samples must be a number of at least 1"),
    ],
)
def test_errors_name_the_argument(group, options, message):
    with pytest.raises(ValueError, match=message):
        ej.equivariance.symmetrise(jnp.sum, group, (Trivial(),), Trivial(), **options)

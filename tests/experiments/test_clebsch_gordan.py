import itertools

import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import equijax as ej
from equijax.groups import Irreps, O, Vector
from experiments.baselines.clebsch_gordan import (
    ClebschGordanConvolution,
    SymmetricContraction,
    monomial_couplings,
    symmetric_couplings,
)


@pytest.mark.parametrize(("lmax", "order"), [(1, 2), (2, 2), (1, 3)])
def test_couplings_are_symmetric_orthonormal_and_equivariant(lmax, order, x64):
    turn = ej.groups.O(3).sample(jax.random.key(1), dtype=jnp.float64)
    full = Irreps(str(e3nn.Irreps.spherical_harmonics(lmax))).matrix(turn)
    for degree, table in enumerate(symmetric_couplings(lmax, order)):
        for swap in itertools.permutations(range(order)):
            np.testing.assert_allclose(np.transpose(table, (*swap, order, order + 1)), table, atol=1e-6)
        flat = table.reshape(-1, table.shape[-1])
        gram = flat.T @ flat / (2 * degree + 1)
        np.testing.assert_allclose(gram, np.diag(np.diag(gram)), atol=1e-6)
        out = full[degree**2 : (degree + 1) ** 2, degree**2 : (degree + 1) ** 2]
        moved = table
        for axis in range(order):
            moved = np.moveaxis(np.tensordot(full, moved, (0, axis)), 0, axis)
        np.testing.assert_allclose(moved, np.einsum("...mp,nm->...np", table, out), atol=1e-6)


def test_monomials_contract_as_the_full_tensor_does():
    index, table, paths = monomial_couplings(2, 3)
    x = np.random.default_rng(0).normal(size=9)
    coupled = np.prod(x[index], axis=-1) @ table
    full = np.concatenate(
        [np.einsum("abcmp,a,b,c->mp", t, x, x, x).ravel() for t in symmetric_couplings(2, 3)]
    )
    np.testing.assert_allclose(coupled, full, atol=1e-6)
    assert sum((2 * l + 1) * p for l, p in enumerate(paths)) == len(coupled)


def test_symmetric_contraction_is_equivariant():
    module = SymmetricContraction(order=3, num_species=2)
    species = jnp.array([0, 1])
    variables = jax.jit(module.init)(jax.random.key(0), jnp.ones((2, 3, 4)), species)
    ej.testing.assert_equivariant(
        lambda x: module.apply(variables, x, species), O(3), (Irreps("0e+1o"),), Irreps("0e+1o"),
        shapes=((2, 3, 4),), max_examples=10,
    )  # fmt: skip


def test_convolution_is_equivariant():
    module = ClebschGordanConvolution(lmax=1)
    radial = jnp.linspace(0.5, 1.0, 2)[:, None]
    edges = jnp.array([0, 1]), jnp.array([1, 0])

    def convolve(features, vectors):
        harmonics = ej.sphere.spherical_harmonics(1, vectors)
        return module.apply(variables, features, radial, harmonics, *edges)

    variables = jax.jit(module.init)(jax.random.key(0), jnp.ones((2, 3, 4)), radial, jnp.ones((2, 4)), *edges)
    ej.testing.assert_equivariant(
        convolve, O(3), (Irreps("0e+1o"), Vector()), Irreps("0e+1o"),
        shapes=((2, 3, 4), (2, 3)), max_examples=10,
    )  # fmt: skip


def test_scalar_filters_only_scale():
    module = ClebschGordanConvolution(lmax=0)
    arguments = (jnp.ones((2, 3, 1)), jnp.ones((1, 4)), jnp.ones((1, 1)), jnp.array([0]), jnp.array([1]))
    variables = jax.jit(module.init)(jax.random.key(0), *arguments)
    out = module.apply(variables, *arguments)
    assert out.shape == (2, 3, 1)
    np.testing.assert_array_equal(out[0], 0)
    assert np.all(out[1] != 0)

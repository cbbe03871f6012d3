import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import SE, SO, E, LieGroup, S, Scaling, Translation

GROUPS = [SO(2), SO(3), SO(4), SE(2), E(3), Translation(2), Scaling(3), S(3) * SE(2)]


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_bases_are_orthogonal_constants(group):
    basis = group.algebra_basis()
    assert basis.dtype == np.float64
    assert len(basis) == group.algebra_dim
    gram = np.einsum("iab,jab->ij", basis, basis)
    np.testing.assert_array_equal(gram, np.diag(np.diag(gram)))
    assert np.diag(gram).min() > 0


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_brackets_stay_in_the_algebra(group):
    basis = group.algebra_basis()
    flat = basis.reshape(len(basis), -1)
    for a in basis:
        for b in basis:
            bracket = (a @ b - b @ a).ravel()
            coordinates = np.linalg.lstsq(flat.T, bracket, rcond=None)[0]
            np.testing.assert_allclose(coordinates @ flat, bracket, atol=1e-12)


@pytest.mark.parametrize("group", [SO(3), SE(3)], ids=repr)
def test_the_adjoint_differentiates_to_the_bracket(group, x64):
    basis = group.algebra_basis()
    flat = basis.reshape(len(basis), -1)
    derivative = jax.jit(jax.jacfwd(lambda a: group.adjoint(group.exp(a))))(jnp.zeros(group.algebra_dim))
    for i, a in enumerate(basis):
        for j, b in enumerate(basis):
            bracket = np.linalg.lstsq(flat.T, (a @ b - b @ a).ravel(), rcond=None)[0]
            np.testing.assert_allclose(derivative[:, j, i], bracket, atol=1e-12)


def test_batches_and_precision():
    for dtype, double in ((jnp.float32, False), (jnp.float64, True)):
        with jax.enable_x64(double):
            a = jnp.ones((2, 5, 6), dtype) / 10
            g, again = jax.jit(lambda a: (SE(3).exp(a), jax.vmap(SE(3).log)(SE(3).exp(a))))(a)
            assert g.linear.shape == (2, 5, 3, 3)
            assert {leaf.dtype for leaf in (g.linear, g.translation, again)} == {jnp.dtype(dtype)}
            np.testing.assert_allclose(again, a, atol=1e-6)


def test_finite_groups_are_not_lie_groups():
    assert not isinstance(S(3), LieGroup)
    assert isinstance(S(3) * SO(2), LieGroup)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"a must have shape \(..., dim\), dim=6, got \(5,\)"):
        SE(3).exp(jnp.zeros(5))
    with pytest.raises(TypeError, match="a must be a real floating-point array"):
        SE(3).exp(jnp.zeros(6, int))
    with pytest.raises(TypeError, match=r"g must be an element of SE\(3\)"):
        SE(3).log(jnp.eye(3))
    with pytest.raises(ValueError, match=r"g must be an element of SO\(3\)"):
        SO(3).adjoint(jnp.eye(2))

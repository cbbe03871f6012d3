"""The densities by the Jacobian of each chart, constants included, and invariance from both sides."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import GL, SL, Affine, rotations
from equijax.groups.decompositions import (
    GramRotation,
    Iwasawa,
    Polar,
    StretchRotation,
    coordinate_basis,
    iwasawa,
    kak,
    log_haar_density,
    log_modular,
    polar,
    polar_gram,
    polar_stretch,
)

pytestmark = pytest.mark.usefixtures("x64")
COUNT = 5


def elements(group):
    matrix = np.array(group.sample(jax.random.key(3), (COUNT,)).matrix)
    matrix[np.linalg.det(matrix) < 0, :, 0] *= -1
    return jnp.asarray(matrix)


def turned(w, rotation):
    return rotations.exp(w, rotation.shape[-1]) @ rotation


def symmetric_directions(group):
    """dX of `log_haar_density`: its entries i <= j for GL, orthonormal traceless coordinates for SL."""
    n = group.n
    if isinstance(group, SL):
        return coordinate_basis(group)[: -n * (n - 1) // 2]
    pairs = [(i, j) for i in range(n) for j in range(i, n)]
    units = np.zeros((len(pairs), n, n))
    for unit, (i, j) in zip(units, pairs, strict=True):
        unit[i, j] = unit[j, i] = 1.0
    return units


def diagonal_directions(group):
    """dt and da: coordinates for GL, an orthonormal basis of the numbers that add up to 0 for SL."""
    return np.linalg.svd(np.ones((1, group.n)))[2][1:] if isinstance(group, SL) else np.eye(group.n)


def chart(group, factors):
    """Numbers to the group, zero to the element, with the volume that `log_haar_density` refers to."""
    pairs = group.n * (group.n - 1) // 2
    x, t = symmetric_directions(group), diagonal_directions(group)
    if isinstance(factors, Polar | StretchRotation | GramRotation):
        fields = jax.tree.leaves(factors)

        def symmetric_chart(c):
            moved = fields[0] + jnp.tensordot(c[pairs:], x, 1)
            return type(factors)(moved, turned(c[:pairs], fields[1])).matrix()

        return symmetric_chart
    if isinstance(factors, Iwasawa):

        def triangular_chart(c):
            upper = factors.unipotent.at[np.triu_indices(group.n, 1)].add(c[pairs : 2 * pairs])
            scale = factors.log_scale + c[2 * pairs :] @ t
            return Iwasawa(turned(c[:pairs], factors.rotation), scale, upper).matrix()

        return triangular_chart

    def two_sided_chart(c):
        values = jnp.exp(factors.log_values + c[2 * pairs :] @ t)
        left, right = turned(c[:pairs], factors.left), turned(c[pairs : 2 * pairs], factors.right)
        return (left * values) @ right

    return two_sided_chart


def volume(group, curve, inverse):
    """The left-invariant volume element: ``g^-1 dg`` in an orthonormal basis of the algebra."""
    dim = len(coordinate_basis(group))
    frame = jnp.einsum("ij,jkc->cik", inverse, jax.jacfwd(curve)(jnp.zeros(dim)))
    basis = jnp.asarray(coordinate_basis(group))
    return jnp.linalg.slogdet(jnp.einsum("cik,bik->cb", frame, basis))[1]


CASES = [
    (group, form)
    for group in (GL(2), SL(2), GL(3), SL(3))
    for form in (polar, polar_stretch, polar_gram, iwasawa, kak)
    if isinstance(group, GL) or form in (polar, iwasawa, kak)
]


@pytest.mark.parametrize(("group", "form"), CASES, ids=lambda value: getattr(value, "__name__", repr(value)))
def test_densities_by_jacobian(group, form):
    def both(g):
        factors = form(g)
        return log_haar_density(group, factors), volume(group, chart(group, factors), jnp.linalg.inv(g))

    stated, measured = jax.jit(jax.vmap(both))(elements(group))
    np.testing.assert_allclose(stated, measured, atol=1e-9)


def test_haar_measure_of_matrices_in_their_entries():
    g = elements(GL(3))
    measured = jax.vmap(lambda g: volume(GL(3), lambda c: g + c.reshape(3, 3), jnp.linalg.inv(g)))(g)
    np.testing.assert_allclose(measured, -3 * jnp.linalg.slogdet(g)[1], atol=1e-10)


def test_gradients_at_the_identity():
    for n in (2, 3):
        grads = jax.jit(jax.grad(lambda x, n=n: log_haar_density(GL(n), Polar(x, jnp.eye(n)))))(
            jnp.zeros((n, n))
        )
        np.testing.assert_allclose(grads, 0, atol=1e-12)


@pytest.mark.parametrize("n", [2, 3])
def test_modular_function_by_shifts_from_the_right(n):
    """Volumes in ``(t, h)``: left Haar is dt dh / |det h|, and right shifts multiply it."""
    group = Affine(n)
    g, shift = group.sample(jax.random.key(0)), group.sample(jax.random.key(1))

    def density(g):  # of left Haar measure in the entries of h and t
        return -n * jnp.linalg.slogdet(g.linear)[1] + log_modular(g)

    def shifted(flat, side):
        moved = jax.tree.unflatten(jax.tree.structure(g), jnp.split(flat, [n * n]))
        moved = type(g)(moved.linear.reshape(n, n), moved.translation)
        moved = group.compose(moved, shift) if side == "right" else group.compose(shift, moved)
        return jnp.concatenate([moved.linear.ravel(), moved.translation])

    flat = jnp.concatenate([g.linear.ravel(), g.translation])
    for side, growth in (("left", 0.0), ("right", log_modular(shift))):
        jacobian = jnp.linalg.slogdet(jax.jacfwd(shifted)(flat, side))[1]
        moved = group.compose(g, shift) if side == "right" else group.compose(shift, g)
        np.testing.assert_allclose(density(moved) + jacobian - density(g), growth, atol=1e-10)


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match=r"group must be GL\(n\) or SL\(n\), got Affine\(2\)"):
        log_haar_density(Affine(2), polar(jnp.eye(2)))
    with pytest.raises(TypeError, match=r"factors must be a Polar, Iwasawa or KAK for SL\(2\)"):
        log_haar_density(SL(2), polar_gram(jnp.eye(2)))
    with pytest.raises(ValueError, match=r"factors must be those of GL\(3\)"):
        log_haar_density(GL(3), polar(jnp.eye(2)))
    with pytest.raises(TypeError, match="factors must be those of a decomposition, got tuple"):
        log_haar_density(GL(2), (1, 2))

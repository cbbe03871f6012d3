"""Haar measure of GL(n) and SL(n) in the coordinates of each decomposition, and modular functions.

One convention for all groups. The measure of a matrix group of dimension d is the left-invariant volume that
agrees at the identity with Lebesgue measure of coordinates in a Frobenius-orthonormal basis of the algebra:
for GL(n) it is ``|det g|^-n prod_ij dg_ij``. GL(n), SL(n) and O(n) are unimodular, so it is invariant from
the right as well. Of rotations, ``dR`` is the volume ``prod_{i<j} dw_ij`` at the identity, with the
entries of ``dR R^T``; SO(2) has ``2 pi`` of it, SO(3) ``8 pi^2``.

Measures of the affine group are those of `log_modular`.
"""

import functools
import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.groups.base import Element
from equijax.groups.decompositions.iwasawa import Iwasawa
from equijax.groups.decompositions.kak import KAK
from equijax.groups.decompositions.polar import GramRotation, Polar, StretchRotation, linear_matrix
from equijax.groups.decompositions.symmetric import eigenvalues, log_sinhc_gaps
from equijax.groups.general_linear import GL, SL

Factors = Polar | StretchRotation | GramRotation | Iwasawa | KAK
"""The factors of an element in one of the decompositions."""


def log_haar_density(group: GL | SL, factors: Factors) -> Float[Array, "..."]:
    """The logarithm of Haar measure's density in the coordinates of a decomposition.

    With respect to which measure, and the density on GL(n):

    - `Polar`, ``prod_{i<=j} dX_ij dR``: ``2^(n(n-1)/2) prod_{i<j} sinh(l_i - l_j) / (l_i - l_j)``, l the
      eigenvalues of X;
    - `StretchRotation`, ``prod_{i<=j} dP_ij dR``: ``prod_{i<j} (p_i + p_j) prod_i p_i^-n``;
    - `GramRotation`, ``prod_{i<=j} dS_ij dR``: ``2^-n |det S|^(-(n+1)/2)``;
    - `Iwasawa`, ``dk dt prod_{i<j} du_ij``: ``prod_{i<j} exp(t_i - t_j)``;
    - `KAK`, ``dk1 da dk2``: ``2^(n(n-1)/2) prod_{i<j} sinh(a_i - a_j)``; the map to the group takes
      ``2^(n-1)`` points to one.

    On SL(n), where X is traceless and t and a add up to 0, ``dX``, ``dt`` and ``da`` are the volumes of these
    subspaces in the Frobenius or Euclidean norm, in which an entry of X off the diagonal counts twice: so the
    first density has ``2^(n(n-1)/4)`` in place of ``2^(n(n-1)/2)``, and the last two stay as they are.

    Args:
      group: ``GL(n)`` or ``SL(n)``.
      factors: what `polar` and its kin return.

    Raises:
      TypeError: if the group is another, or has no density in these factors.
      ValueError: if the factors are of another size than the group.

    Example:
      >>> from equijax.groups.decompositions import iwasawa
      >>> float(log_haar_density(GL(2), iwasawa(jnp.diag(jnp.array([jnp.e, 1.0])))).round(4))
      1.0
    """
    if not isinstance(group, GL | SL):
        raise TypeError(f"group must be GL(n) or SL(n), got {group!r}")
    if isinstance(group, SL) and isinstance(factors, StretchRotation | GramRotation):
        raise TypeError(
            f"factors must be a Polar, Iwasawa or KAK for {group!r}, whose stretches are a curved space, "
            f"got a {type(factors).__name__}"
        )
    return _log_density(factors, group)


@functools.singledispatch
def _log_density(factors, group) -> Array:
    """The density by the type of the factors."""
    raise TypeError(f"factors must be those of a decomposition, got {type(factors).__name__}")


def _matrices(matrix: Array, group: GL | SL) -> Array:
    """A factor, if it has the group's size."""
    if matrix.shape[-2:] != (group.n, group.n):
        raise ValueError(
            f"factors must be those of {group!r}, matrices of shape (..., {group.n}, {group.n}), got "
            f"{matrix.shape}"
        )
    return matrix


@_log_density.register
def _(factors: Polar, group):
    pairs = math.comb(group.n, 2)
    constant = math.log(2) * (pairs / 2 if isinstance(group, SL) else pairs)
    return constant + log_sinhc_gaps(_matrices(factors.log_stretch, group))


@_log_density.register
def _(factors: StretchRotation, group):
    values = eigenvalues(_matrices(factors.stretch, group))
    i, j = jnp.triu_indices(group.n, 1)
    sums = jnp.sum(jnp.log(values[..., i] + values[..., j]), axis=-1)
    return sums - group.n * jnp.sum(jnp.log(values), axis=-1)


@_log_density.register
def _(factors: GramRotation, group):
    log_det = jnp.linalg.slogdet(_matrices(factors.gram, group))[1]
    return -group.n * math.log(2) - (group.n + 1) / 2 * log_det


@_log_density.register
def _(factors: Iwasawa, group):
    _matrices(factors.rotation, group)
    i, j = jnp.triu_indices(group.n, 1)
    return jnp.sum(factors.log_scale[..., i] - factors.log_scale[..., j], axis=-1)


@_log_density.register
def _(factors: KAK, group):
    _matrices(factors.left, group)
    i, j = jnp.triu_indices(group.n, 1)
    gaps = factors.log_values[..., i] - factors.log_values[..., j]
    # sinh(a) = exp(a) (1 - exp(-2 a)) / 2 does not overflow.
    return jnp.sum(gaps + jnp.log(-jnp.expm1(-2 * gaps)), axis=-1)


def log_modular(g: Element) -> Float[Array, "..."]:
    """The logarithm of the modular function of affine maps of R^n, ``-log|det h|`` for ``x -> h x + t``.

    Left Haar measure of R^n x| H is ``dt dh / |det h|``, with H's Haar measure ``dh``; right Haar measure is
    ``dt dh``. The modular function says how a left measure grows by a shift from the right,
    ``m(A g) = modular(g) m(A)``, and the two measures' quotient, ``d_left g = modular(g) d_right g``.
    It is zero for linear maps whose determinant is one, and for rigid motions.

    Args:
      g: elements of a group that acts on R^n, or the matrices of their linear parts.

    Raises:
      TypeError: if g is none of these.
      ValueError: if the matrices are not square.

    Example:
      >>> float(log_modular(jnp.e * jnp.eye(2)).round(4))
      -2.0
    """
    return -jnp.linalg.slogdet(linear_matrix("g", g))[1]

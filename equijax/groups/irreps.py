"""Irreducible representations of O(3), in exactly e3nn's conventions.

Components of degree l are real spherical harmonics with the polar axis y, so degree 1 is (x, y, z). The
matrices (Wigner D, real form) come from a recursion: the Clebsch-Gordan coefficients C of ``(l - 1) x 1 ->
l`` give ``D_l = C^T (D_{l-1} x R) C``, which is a polynomial in the rotation matrix R: exact in any
precision, smooth everywhere, and without angles.
"""

import dataclasses
import functools
import re

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.groups import actions
from equijax.groups.blocks import block_diagonal
from equijax.groups.representation import Representation
from equijax.numerics import check

_TERM = re.compile(r"(?:(\d+)\s*x\s*)?(\d+)\s*([eoy])")


@functools.lru_cache
def raising(l: int) -> Float[np.ndarray, "a 3 b"]:
    """Isometry from degree l into degree l - 1 times degree 1, shape ``(2l-1, 3, 2l+1)``, float64, read-only.

    Example:
      >>> raising(2).shape
      (3, 3, 5)
    """
    import e3nn_jax  # here, because it is slow to import

    table = np.array(e3nn_jax.clebsch_gordan(l - 1, 1, l), np.float64)
    table /= np.sqrt(np.sum(table**2) / (2 * l + 1))
    table.flags.writeable = False
    return table


def wigner(rotation: Float[Array, "... 3 3"], lmax: int) -> list[Float[Array, "... d d"]]:
    """Matrices of a rotation on spherical harmonics of degree 0 to ``lmax``.

    Args:
      rotation: proper rotation matrices, shape ``(..., 3, 3)``.
      lmax: the largest degree.

    Returns:
      One array for each degree l, shape ``(..., 2l + 1, 2l + 1)``, such that harmonics in e3nn's order
      satisfy ``Y_l(R x) = D_l Y_l(x)``.

    Raises:
      ValueError: if ``rotation`` does not have the shape, or ``lmax`` is negative.

    Example:
      >>> [d.shape for d in wigner(jnp.eye(3), 2)]
      [(1, 1), (3, 3), (5, 5)]
    """
    check.shape("rotation", rotation, "... 3 3")
    check.count("lmax", lmax, 0)
    matrices = [jnp.ones((*rotation.shape[:-2], 1, 1), rotation.dtype)]
    for l in range(1, lmax + 1):
        if l == 1:
            matrices.append(jnp.asarray(rotation))
            continue
        c = jnp.asarray(raising(l), rotation.dtype)
        half = jnp.einsum("...ab,bjn->...ajn", matrices[-1], c, precision="highest")
        half = jnp.einsum("...ij,...ajn->...ain", rotation, half, precision="highest")
        matrices.append(jnp.einsum("aim,...ain->...mn", c, half, precision="highest"))
    return matrices


@dataclasses.dataclass(frozen=True, repr=False)
class Irreps(Representation):
    """A direct sum of irreducible representations of O(3), written as in e3nn: ``Irreps("2x0e+1o")``.

    It acts with elements of SO(3), O(3), SE(3), E(3) and Translation(3) (by their linear parts). An improper
    rotation is minus one times a proper one; the minus one multiplies odd (``o``) components by -1. ``y`` is
    the parity of the spherical harmonics. Arrays have one axis, the irreps one after the other, each as
    ``multiplicity`` rows of ``2l + 1`` components; an ``e3nn_jax.IrrepsArray`` acts as its array does.

    Attributes:
      irreps: the string, or anything that prints as one, such as ``e3nn_jax.Irreps``; kept in e3nn's full
        form.

    Raises:
      ValueError: if the string cannot be read.

    Example:
      >>> from equijax.groups import O
      >>> Irreps("2x0e + 1o"), Irreps("2x0e + 1o").shape(O(3))
      (Irreps("2x0e+1x1o"), (5,))
    """

    irreps: str
    is_orthogonal = True

    def __post_init__(self):
        canonical = "+".join(f"{mul}x{l}{p}" for mul, l, p in _parse(str(self.irreps)))
        object.__setattr__(self, "irreps", canonical)

    def __repr__(self):
        return f'Irreps("{self.irreps}")'

    @property
    def terms(self) -> tuple[tuple[int, int, int], ...]:
        """The terms as (multiplicity, degree, parity 1 or -1)."""
        return tuple((mul, l, 1 if p == "e" else -1) for mul, l, p in _parse(self.irreps))

    @property
    def dim(self) -> int:
        """The number of components."""
        return sum(mul * (2 * l + 1) for mul, l, _ in self.terms)

    def _shape(self, g):
        return (self.dim,)

    def _blocks(self, g) -> list[tuple[int, Array]]:
        """The multiplicity and the matrix of each term."""
        linear = jnp.asarray(actions.orthogonal_part(g))
        if linear.shape[-1] != 3:
            raise ValueError(f"g must act on R^3 for {self!r}, got one that acts on R^{linear.shape[-1]}")
        sign = actions.parity(g)[..., None, None].astype(linear.dtype)
        matrices = wigner(sign * linear, max((l for _, l, _ in self.terms), default=0))
        return [(mul, matrices[l] if p == 1 else sign * matrices[l]) for mul, l, p in self.terms]

    def act(self, g, x):
        """Act as any representation does; an ``IrrepsArray`` must have these irreps.

        Raises:
          TypeError: if an element of this kind does not act by this representation.
          ValueError: if ``x`` does not have the irreps, or the shape.

        Example:
          >>> Irreps("0e+1o").act(-jnp.eye(3), jnp.ones(4))
          Array([ 1., -1., -1., -1.], dtype=float32)
        """
        own = getattr(x, "irreps", None)
        if own is not None and Irreps(own) != self:
            raise ValueError(f"x must have the irreps {self.irreps}, got {own}")
        return super().act(g, x)

    def _act(self, g, x):
        batch = jnp.broadcast_shapes(x.shape[:-1], actions.batch_shape(g))
        pieces, start = [], 0
        for mul, matrix in self._blocks(g):
            size = mul * matrix.shape[-1]
            rows = x[..., start : start + size].reshape(*x.shape[:-1], mul, matrix.shape[-1])
            rows = jnp.einsum("...ij,...uj->...ui", matrix, rows, precision="highest")
            pieces.append(jnp.broadcast_to(rows.reshape(*rows.shape[:-2], size), (*batch, size)))
            start += size
        return jnp.concatenate(pieces, axis=-1) if pieces else jnp.broadcast_to(x, (*batch, 0))

    def _matrix(self, g):
        blocks = [matrix for mul, matrix in self._blocks(g) for _ in range(mul)]
        return block_diagonal(blocks) if blocks else jnp.zeros((*actions.batch_shape(g), 0, 0))


@functools.lru_cache(maxsize=1024)
def _parse(text: str) -> tuple[tuple[int, int, str], ...]:
    """Terms (multiplicity, degree, ``e`` or ``o``) of an irreps string."""
    if text.strip() in ("", "Irreps()"):
        return ()
    terms = []
    for term in text.split("+"):
        match = _TERM.fullmatch(term.strip())
        if match is None:
            raise ValueError(f'irreps must look like "2x0e+1o", got {text!r}: cannot read {term.strip()!r}')
        mul, l, p = match.groups()
        if p == "y":
            p = "eo"[int(l) % 2]
        terms.append((1 if mul is None else int(mul), int(l), p))
    return tuple(terms)

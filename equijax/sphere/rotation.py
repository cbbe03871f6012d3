"""Rotations that take directions to the pole, as matrices on signals: made once a graph, for all its layers.

In a frame whose polar axis ``y`` is the direction itself, its harmonics vanish but for ``m = 0``, and
whatever is equivariant about that axis is sparse (Passaro, Zitnick, "Reducing SO(3) convolutions to SO(2)",
ICML 2023). The frame is free up to a turn about its axis. Results that do not depend on that turn are smooth
functions of the direction, the poles included, though no choice of the turn is. Their derivatives here are
right everywhere and to every order: the matrices are not differentiated by the formula that computes them,
which is singular at the poles, but as those of a frame carried along without turning (parallel transport),
which differs by a turn only.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.numerics import check, safe
from equijax.sphere import harmonics
from equijax.sphere.gradients import rotation_generators
from equijax.sphere.grids import SphereGrid


class Alignment(NamedTuple):
    """Rotations of directions to the pole, acting on signals up to a degree. A pytree.

    Attributes:
      blocks: for each degree ``l`` the Wigner matrices in e3nn's real basis, ``(..., 2l + 1, 2l + 1)``.
      directed: 1 where there is a direction, 0 at zero vectors (whose matrices are the identity), ``(...)``.

    Example:
      >>> align(jnp.ones((5, 3)), 2).lmax
      2
    """

    blocks: tuple[Float[Array, "... 2l+1 2l+1"], ...]
    directed: Float[Array, "..."]

    @property
    def lmax(self) -> int:
        """Largest degree of the signals that can be rotated."""
        return len(self.blocks) - 1


def align(vectors: Float[Array, "... 3"], lmax: int) -> Alignment:
    """Rotations that take the directions of vectors to the pole ``y``.

    A zero vector has no direction: it gets the identity, with derivatives 0, and is marked.

    Args:
      vectors: any length.
      lmax: largest degree of the signals to rotate.

    Raises:
      ValueError: if ``lmax`` is negative or the last axis is not 3.
      TypeError: if ``lmax`` is not an integer or ``vectors`` is not a real floating-point array.

    Example:
      >>> up = align(jnp.array([0.0, 0.0, 2.0]), 1)
      >>> (up.blocks[1] @ jnp.array([0.0, 0.0, 2.0])).round(4).tolist()
      [0.0, 2.0, 0.0]
    """
    harmonics.check_degree("lmax", lmax)
    check.floating("vectors", vectors)
    check.shape("vectors", vectors, "... 3")
    unit = safe.normalize(jnp.asarray(vectors))
    directed = jax.lax.stop_gradient(jnp.any(unit != 0, axis=-1).astype(unit.dtype))
    return Alignment(_blocks(lmax, unit), directed)


def rotate_to_pole(x: Float[Array, "... c k"], alignment: Alignment) -> Float[Array, "... c k"]:
    """Coefficients of signals in the frame whose pole is the direction.

    Args:
      x: signals with an axis of channels, which share the rotation; ``(lmax + 1)²`` coefficients.
      alignment: from `align`, of at least that degree; leading axes broadcast with those before the channels.

    Raises:
      ValueError: if shapes do not agree or the alignment is of a lower degree.
      TypeError: if ``x`` is not a real floating-point array or ``alignment`` is none.

    Example:
      >>> vector = jnp.array([1.0, 2.0, 2.0])
      >>> signal = harmonics.spherical_harmonics(2, vector)[None]
      >>> print(abs(np.asarray(rotate_to_pole(signal, align(vector, 2))[0, 4:])).round(3))
      [0.    0.    0.631 0.    0.   ]
    """
    return _rotate(x, alignment, "...ij,...cj->...ci")


def rotate_from_pole(x: Float[Array, "... c k"], alignment: Alignment) -> Float[Array, "... c k"]:
    """The inverse of `rotate_to_pole`: coefficients in the common frame.

    Args:
      x: as in `rotate_to_pole`.
      alignment: as in `rotate_to_pole`.

    Raises:
      ValueError: if shapes do not agree or the alignment is of a lower degree.
      TypeError: if ``x`` is not a real floating-point array or ``alignment`` is none.

    Example:
      >>> x, rotations = jnp.ones((1, 9)), align(jnp.array([1.0, 2.0, 3.0]), 2)
      >>> jnp.allclose(rotate_from_pole(rotate_to_pole(x, rotations), rotations), x, atol=1e-5)
      Array(True, dtype=bool)
    """
    return _rotate(x, alignment, "...ij,...ci->...cj")


def check_alignment(alignment: Alignment, lmax: int, batch: tuple[int, ...]) -> None:
    """Require an alignment of at least a degree, whose leading axes broadcast with others.

    Raises:
      TypeError: if it is none.
      ValueError: if its degree is too low or the axes do not broadcast.

    Example:
      >>> check_alignment(align(jnp.ones(3), 1), 2, ())
      Traceback (most recent call last):
      ValueError: alignment must have degrees up to at least 2, got 1
    """
    check.instance("alignment", alignment, Alignment)
    if alignment.lmax < lmax:
        raise ValueError(f"alignment must have degrees up to at least {lmax}, got {alignment.lmax}")
    harmonics.check_leading_axes("alignment", jnp.shape(alignment.directed), "x", batch)


def _rotate(x: Array, alignment: Alignment, subscripts: str) -> Array:
    """Multiply each degree by its matrices, on one side or the other."""
    lmax = harmonics.signal_degree("x", x)
    check.shape("x", x, "... channels k")
    x = jnp.asarray(x)
    check_alignment(alignment, lmax, x.shape[:-2])
    parts = [
        jnp.einsum(subscripts, block, x[..., l * l : (l + 1) ** 2], precision="highest")
        for l, block in enumerate(alignment.blocks[: lmax + 1])
    ]
    return jnp.concatenate(parts, axis=-1)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _blocks(lmax: int, unit: Float[Array, "... 3"]) -> tuple[Array, ...]:
    """Matrices of a turn about ``y`` to azimuth 0, and then a tilt about ``x`` to the pole.

    The entries of a tilt are trigonometric polynomials of its angle, so that those of all degrees are one
    product with a constant table.
    """
    x, y, z = jnp.moveaxis(unit, -1, 0)
    sine = safe.norm(jnp.stack([x, z], axis=-1))
    on_axis = sine == 0
    nowhere = on_axis & (y == 0)
    cos_tilt, sin_tilt = _multiples(jnp.where(nowhere, 1.0, y), -sine, lmax)
    sine = jnp.where(on_axis, 1.0, sine)
    cos_turn, sin_turn = _multiples(jnp.where(on_axis, 1.0, z / sine), -x / sine, lmax)
    table = jnp.asarray(_tilt_table(lmax), unit.dtype)
    entries = jnp.matmul(jnp.concatenate([cos_tilt, sin_tilt[..., 1:]], -1), table, precision="highest")
    blocks, start = [], 0
    for l in range(lmax + 1):
        size = 2 * l + 1
        tilt = entries[..., start : start + size * size].reshape(*entries.shape[:-1], size, size)
        start += size * size
        order = np.arange(-l, l + 1)
        cosines, sines = cos_turn[..., abs(order)], sin_turn[..., abs(order)] * np.sign(order)
        blocks.append(tilt * cosines[..., None, :] + tilt[..., ::-1] * sines[..., None, :])
    return tuple(blocks)


@_blocks.defjvp
def _(lmax: int, primals: tuple, tangents: tuple) -> tuple:
    """``dD = (ω · G) D`` with the angular velocity ``ω`` that moves the direction without a turn about it.

    In the frame of the pole the direction moves by ``v = R du``, against which the frame turns about
    ``ω = -y × v = (-v_z, 0, v_x)``. This calls the function itself, so that derivatives of any order exist.
    """
    (unit,), (tangent,) = primals, tangents
    blocks = _blocks(lmax, unit)
    if lmax == 0:
        return blocks, tuple(jnp.zeros_like(block) for block in blocks)
    velocity = jnp.einsum("...ij,...j->...i", blocks[1], tangent, precision="highest")
    changes = [jnp.zeros_like(blocks[0])]
    for l in range(1, lmax + 1):
        about_x, _, about_z = jnp.asarray(rotation_generators(l), unit.dtype)
        generator = velocity[..., :1, None] * about_z - velocity[..., 2:, None] * about_x
        changes.append(jnp.matmul(generator, blocks[l], precision="highest"))
    return blocks, tuple(changes)


def _multiples(cosine: Array, sine: Array, num: int) -> tuple[Array, Array]:
    """Cosines and sines of ``0, 1, …, num`` times an angle, on a new last axis."""
    cosines, sines = [jnp.ones_like(cosine)], [jnp.zeros_like(sine)]
    for _ in range(num):
        cosines.append(cosines[-1] * cosine - sines[-1] * sine)
        sines.append(sines[-1] * cosine + cosines[-2] * sine)
    return jnp.stack(cosines, axis=-1), jnp.stack(sines, axis=-1)


@functools.cache
def _tilt_table(lmax: int) -> Float[np.ndarray, "2*lmax+1 entries"]:
    """Trigonometric coefficients of the entries of a rotation about ``x``, degree by degree.

    Rows are ``1, cos t, …, cos lmax t, sin t, …, sin lmax t``. The matrices are computed by quadrature at
    equally spaced angles, at which these functions are orthogonal.
    """
    num = 2 * lmax + 1
    angles = 2 * np.pi * np.arange(num) / num
    grid = SphereGrid("gauss_legendre", 2 * lmax)
    points = grid.points()
    weighted = (harmonics.harmonics_float64(lmax, points) * grid.weights()[:, None]).T
    samples = []
    for angle in angles:
        c, s = np.cos(angle), np.sin(angle)
        rotated = points @ np.array([[1, 0, 0], [0, c, s], [0, -s, c]])
        full = harmonics.harmonics_float64(lmax, rotated).T @ weighted.T
        samples.append(np.concatenate([full[_part(l), _part(l)].ravel() for l in range(lmax + 1)]))
    multiples = np.arange(1, lmax + 1)[:, None] * angles
    rows = np.concatenate([np.full((1, num), 0.5), np.cos(multiples), np.sin(multiples)])
    table = 2 / num * rows @ np.stack(samples)
    table[abs(table) < 1e-14] = 0.0
    table.flags.writeable = False
    return table


def _part(l: int) -> slice:
    """Where the coefficients of a degree stand."""
    return slice(l * l, (l + 1) ** 2)

"""Does a product compute what it is timed for? Every coupling path against our coefficients."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.peers.contender import Contender, Work
from equijax.sphere import bracket_coefficients, gaunt_coefficients

TOLERANCE = 2e-5


class WrongProductError(Exception):
    """A product is not the work that it is timed for; the message says in what it differs."""


class Verified(NamedTuple):
    """What a comparison with the coefficients found.

    Attributes:
      paths: how many couplings the product has, each a multiple of the Gaunt or the bracket coefficients.
      error: largest distance of one from that multiple, relative to its largest coefficient.
    """

    paths: int
    error: float


def verify(make: Callable[[Work], Contender], work: Work) -> Verified:
    """Compare all coefficients of a product, with all weights one, with ours.

    A coupling of degrees is unique up to its strength, which libraries choose differently and weights
    change: so the coefficients of every path must be a multiple, not zero, of Gaunt's (even paths) or of the
    bracket's (odd paths), and there may be no others.

    Args:
      make: makes the contender.
      work: small; batch and channels do not matter.

    Raises:
      WrongProductError: if the product is something else.

    Example:
      >>> from benchmarks.peers import e3nn
      >>> verify(e3nn.make, Work(1, 1, "all")).paths
      5
    """
    size = (work.lmax + 1) ** 2
    contender = make(work._replace(batch=size, channels=size))
    x = np.broadcast_to(np.eye(size, dtype=np.float32)[:, None], (size, size, size))
    y = np.broadcast_to(np.eye(size, dtype=np.float32)[None], (size, size, size))
    weights = jax.tree.map(jnp.asarray, contender.weights)
    z = jax.jit(contender.function)(contender.layout(x), contender.layout(y), weights)
    table = np.asarray(contender.signals(z), np.float64)
    error, expected = 0.0, set(work.couplings())
    for l1 in range(work.lmax + 1):
        for l2 in range(work.lmax + 1):
            for l3 in range(work.lmax_out + 1):
                part = table[_part(l1), _part(l2), :, _part(l3)]
                even, *odd = (part[:, :, parity] for parity in range(len(work.parities)))
                error = max(
                    error, _distance(contender.name, even, gaunt_coefficients(l1, l2, l3), (l1, l2, l3))
                )
                if odd:
                    wanted = bracket_coefficients(l1, l2, l3)
                    error = max(error, _distance(contender.name, odd[0], wanted, (l1, l2, l3)))
    return Verified(len(expected), error)


def _part(l: int) -> slice:
    """Where a degree lies."""
    return slice(l * l, (l + 1) ** 2)


def _distance(name: str, found: np.ndarray, wanted: np.ndarray, degrees: tuple[int, int, int]) -> float:
    """How far coefficients are from a multiple of ours that is not zero; zero exactly where ours are."""
    size = np.abs(found).max()
    if not wanted.any():
        if size > TOLERANCE:
            raise WrongProductError(f"{name} couples {degrees}, where there is no path, by {size:.2g}")
        return 0.0
    factor = np.sum(found * wanted) / np.sum(wanted**2)
    if abs(factor) < 1e-3:
        raise WrongProductError(f"{name} does not couple {degrees}")
    error = float(np.abs(found - factor * wanted).max() / np.abs(factor * wanted).max())
    if error > TOLERANCE:
        raise WrongProductError(f"{name} couples {degrees} otherwise, by {error:.2g} of the coefficients")
    return error

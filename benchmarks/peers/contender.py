"""The form in which every product is compared: the work to do, and one way to do it.

The work: two batches of signals of degrees ``0 … lmax`` and natural parity ``(-1)^l``, multiplied row by row
(a row is a channel of an entry of the batch), every coupling path with a weight, and the paths summed into
each degree up to ``lmax_out``. All coefficients are float32.
"""

import dataclasses
import importlib.util
import itertools
from collections.abc import Callable
from typing import NamedTuple

import e3nn_jax as e3nn
import numpy as np
from jaxtyping import Array, Float


class Unavailable(Exception):
    """A product cannot do a work here; the message says why."""


class Work(NamedTuple):
    """A product to compute.

    Attributes:
      lmax: largest degree of the factors.
      lmax_out: largest degree of the result.
      paths: ``"even"`` for the couplings with ``l1 + l2 + l3`` even, whose results have natural parity;
        ``"all"`` for the others besides, whose results have pseudo parity ``-(-1)^l`` and stay apart.
      batch: entries.
      channels: of each entry.
    """

    lmax: int
    lmax_out: int
    paths: str = "even"
    batch: int = 8
    channels: int = 128

    @property
    def parities(self) -> tuple[int, ...]:
        """Parities of results, relative to the natural one.

        Example:
          >>> Work(1, 1, "all").parities
          (1, -1)
        """
        return (1, -1) if self.paths == "all" else (1,)

    @property
    def natural(self) -> e3nn.Irreps:
        """Irreps of the factors.

        Example:
          >>> Work(1, 1).natural
          1x0e+1x1o
        """
        return e3nn.Irreps.spherical_harmonics(self.lmax)

    def couplings(self) -> list[tuple[int, int, int]]:
        """Degrees ``(l1, l2, l3)`` of every path.

        Example:
          >>> len(Work(4, 4).couplings()), len(Work(4, 4, "all").couplings())
          (42, 65)
        """
        found = []
        for l1, l2 in itertools.product(range(self.lmax + 1), repeat=2):
            for l3 in range(abs(l1 - l2), min(l1 + l2, self.lmax_out) + 1):
                if self.paths == "all" or (l1 + l2 + l3) % 2 == 0:
                    found.append((l1, l2, l3))
        return found

    def results(self) -> list[tuple[int, int]]:
        """``(parity, l3)`` of every result that has a path, natural ones first.

        Example:
          >>> Work(1, 1, "all").results()
          [(1, 0), (1, 1), (-1, 1)]
        """
        reached = {((-1) ** (l1 + l2 + l3), l3) for l1, l2, l3 in self.couplings()}
        return [(p, l) for p in self.parities for l in range(self.lmax_out + 1) if (p, l) in reached]

    def kept(self) -> e3nn.Irreps:
        """Irreps of `results`, each once, in that order.

        Example:
          >>> Work(1, 1, "all").kept()
          1x0e+1x1o+1x1e
        """
        return e3nn.Irreps([(1, (l, p * (-1) ** l)) for p, l in self.results()])


@dataclasses.dataclass(frozen=True)
class Contender:
    """One way to do a work.

    Attributes:
      name: for tables.
      function: ``(x, y, weights)`` to the result, all in the layout that the library likes best.
      weights: what multiplies the paths, all ones.
      free_weights: how many numbers choose the product, for each channel if they differ by channel.
      layout: from signals ``(batch, channels, (lmax + 1)²)`` to that layout.
      signals: from the result to ``(batch, channels, parities, (lmax_out + 1)²)``.
    """

    name: str
    function: Callable
    weights: object
    free_weights: int
    layout: Callable[[Float[Array, "b c k"]], Array]
    signals: Callable[[Array], Float[Array, "b c p k"]]


def require(*modules: str) -> None:
    """Raise `Unavailable` unless all modules can be found.

    Example:
      >>> require("numpy")
    """
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise Unavailable(f"{module} is not installed (pip install 'equijax[peers]')")


def by_parity(array, work: Work) -> Float[np.ndarray, "b c p k"]:
    """Results that lie one after the other, as `Work.results` lists them, each at its parity and degree.

    Example:
      >>> by_parity(np.ones((2, 3, 7)), Work(1, 1, "all", 2, 3)).shape
      (2, 3, 2, 4)
    """
    array = np.asarray(array)
    full = np.zeros((*array.shape[:-1], len(work.parities), (work.lmax_out + 1) ** 2), array.dtype)
    start = 0
    for parity, l in work.results():
        stop = start + 2 * l + 1
        full[..., work.parities.index(parity), l * l : (l + 1) ** 2] = array[..., start:stop]
        start = stop
    return full


def same(array):
    """The array: for libraries whose layout is ``(batch, channels, (lmax + 1)²)``."""
    return array

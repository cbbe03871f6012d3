"""What is timed: sections, sizes, contenders."""

import functools
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.framework.directions import FORWARD, GRADIENT, SECOND_ORDER
from benchmarks.framework.timing import Absent, Case
from benchmarks.peers import cuequivariance, e3j, e3nn, e3x, mlip
from benchmarks.peers.contender import Contender, Unavailable, Work
from benchmarks.tensor_products import ours
from benchmarks.tensor_products.verification import Verified, WrongProductError, verify
from equijax import sphere

PEERS = (e3nn, e3x, e3j, cuequivariance, mlip)

EVEN = "even paths, degrees ≤ L"
ALL = "all paths, degrees ≤ L"
WIDE = "even paths, degrees ≤ 2L"
CHANNELS = "even paths, degrees ≤ L, 8 × {} rows"
BARE = "the grid product and its matrix products"
GRID_ALONE, PRODUCTS_ALONE = "Gaunt, grid, no weights", "its three matrix products alone"

SECOND_ORDER_UP_TO = 4
SECONDS_TO_MAKE = 8.0
"""How long a library may take to set up a product, before it is called."""


class Section(NamedTuple):
    """A comparison at several degrees.

    Attributes:
      name: for tables.
      degrees: of the factors.
      work: what is computed, from the degree.
      makers: what makes the contenders, by name.
      second_order_up_to: largest degree whose second order is timed.
      peers_up_to: largest degree at which others than ours are timed.
    """

    name: str
    degrees: tuple[int, ...]
    work: Callable[[int], Work]
    makers: dict[str, Callable[[Work], Contender]]
    second_order_up_to: int = 0
    peers_up_to: int = 10


def sections(quick: bool) -> list[Section]:
    """All comparisons.

    Example:
      >>> [section.name for section in sections(quick=True)]
      ['even paths, degrees ≤ L', 'all paths, degrees ≤ L']
    """
    peers = {peer.NAME: peer.make for peer in PEERS}
    gaunt = {ours.gaunt_name(method): ours.gaunt(method) for method in ours.METHODS}
    fast = {ours.gaunt_name(m): ours.gaunt(m) for m in ("auto", "grid", "antipodal", "separable")}
    wide = {**fast, ours.gaunt_name("fourier"): ours.gaunt("fourier")}
    full = {ours.full_name(rank): ours.full(rank) for rank in (0, 1, 2)}
    both_parities = {name: make for name, make in peers.items() if name != mlip.NAME}
    found = [
        Section(
            EVEN,
            (1,) if quick else tuple(range(1, 11)),
            lambda l: Work(l, l),
            gaunt | peers,
            SECOND_ORDER_UP_TO,
        ),
        Section(
            ALL,
            (1,) if quick else (1, 2, 4, 6),
            lambda l: Work(l, l, "all"),
            full | both_parities,
            0 if quick else 4,
        ),
    ]
    if quick:
        return found
    found.append(Section(WIDE, (1, 2, 4, 6, 8), lambda l: Work(l, 2 * l), wide | peers, peers_up_to=4))
    for channels in (8, 32):
        work = functools.partial(_with_channels, channels)
        found.append(Section(CHANNELS.format(channels), (2, 4, 6), work, fast | peers))
    return found


def _with_channels(channels: int, lmax: int) -> Work:
    """The work of the first section with other channels."""
    return Work(lmax, lmax, channels=channels)


@functools.cache
def verified(quick: bool) -> dict[tuple[str, str], Verified | str]:
    """What a comparison of every contender with our coefficients found, by section and name.

    A contender that is not what it is timed for, or cannot be made at all, has the reason instead. Numbers of
    channels do not matter, so sections that differ in them alone count once.

    Example:
      >>> verified(quick=True)[EVEN, "e3nn-jax tensor_product"].paths
      4
    """
    found = {}
    for section in sections(quick):
        if section.name not in (EVEN, ALL, WIDE):
            continue
        for name, make in section.makers.items():
            try:
                found[section.name, name] = verify(make, section.work(1 if quick else 2))
            except (Unavailable, WrongProductError) as why:
                found[section.name, name] = str(why)
    return found


def cases(quick: bool) -> Iterator[Case | Absent]:
    """Every contender at every degree of every section, on the same random signals."""
    for section in sections(quick):
        seconds: dict[str, dict[int, float]] = {name: {} for name in section.makers}
        known = {
            name: verified(quick)[section.name if section.name in (EVEN, ALL, WIDE) else EVEN, name]
            for name in section.makers
        }
        for name, result in known.items():
            if isinstance(result, str):
                yield Absent(name, None, section.name, result)
        for lmax in section.degrees:
            work = section.work(lmax)
            x, y = draw(work)
            for name, make in section.makers.items():
                if isinstance(known[name], str):
                    continue
                if lmax > section.peers_up_to and not name.startswith("Gaunt"):
                    why = f"others than ours are timed up to L={section.peers_up_to} here"
                    yield Absent(name, lmax, section.name, why)
                    continue
                try:
                    contender = _made(make, work, seconds[name])
                except Unavailable as why:
                    yield Absent(name, lmax, section.name, str(why))
                    continue
                directions = (FORWARD, GRADIENT)
                if lmax <= section.second_order_up_to:
                    directions += (SECOND_ORDER,)
                weights = jax.tree.map(jnp.asarray, contender.weights)
                arguments = (jnp.asarray(contender.layout(x)), jnp.asarray(contender.layout(y)), weights)
                about = {
                    "paths": len(work.couplings()),
                    "free_weights": contender.free_weights,
                    "rows": work.batch * work.channels,
                }
                if name == ours.gaunt_name("auto"):
                    about["method"] = sphere.method_for(lmax, lmax, work.lmax_out)
                yield Case(name, lmax, contender.function, arguments, section.name, directions, about)
    yield from _bare_cases((1,) if quick else tuple(range(1, 11)))


def _made(make: Callable[[Work], Contender], work: Work, seconds: dict[int, float]) -> Contender:
    """The contender, unless making it would take too long, by the fourth power of the degree.

    The last one before says so; earlier ones may have been made from what a library had in store.
    """
    last = max((lmax for lmax in seconds if lmax < work.lmax), default=None)
    expected = 0.0 if last is None else seconds[last] * ((work.lmax + 1) / (last + 1)) ** 4
    if expected > SECONDS_TO_MAKE:
        raise Unavailable(f"would take about {expected:.0f} s to set up, above {SECONDS_TO_MAKE:.0f} s")
    start = time.perf_counter()
    contender = make(work)
    seconds[work.lmax] = time.perf_counter() - start
    return contender


def _bare_cases(degrees: tuple[int, ...]) -> Iterator[Case]:
    """The grid product beside the matrix products that it consists of."""
    for lmax in degrees:
        work = Work(lmax, lmax)
        x, y = (jnp.asarray(signal) for signal in draw(work))
        values = jnp.ones((*x.shape[:-1], ours.grid_tables(lmax)[0].shape[1]), jnp.float32)
        product = functools.partial(sphere.gaunt_product, lmax=lmax, method="grid")
        yield Case(GRID_ALONE, lmax, product, (x, y), BARE, (FORWARD,))
        bare = functools.partial(ours.three_products, lmax=lmax)
        yield Case(PRODUCTS_ALONE, lmax, bare, (x, y, values), BARE, (FORWARD,))


def draw(work: Work) -> tuple[np.ndarray, np.ndarray]:
    """Two random batches of signals.

    Example:
      >>> draw(Work(1, 1))[0].shape
      (8, 128, 4)
    """
    random = np.random.default_rng(work.lmax)
    shape = (2, work.batch, work.channels, (work.lmax + 1) ** 2)
    return tuple(random.normal(size=shape).astype(np.float32))

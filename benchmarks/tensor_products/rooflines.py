"""How near the products come to what the machine can do."""

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.framework import machine
from benchmarks.framework.directions import GRADIENT
from benchmarks.framework.report import aligned
from benchmarks.framework.timing import Conclusion, Timing
from benchmarks.tensor_products import ours
from benchmarks.tensor_products.sections import BARE, EVEN, GRID_ALONE, PRODUCTS_ALONE

ROWS = 1024
LARGE_ARRAY = 1 << 27


class Peaks(NamedTuple):
    """What the machine can do.

    Attributes:
      call: seconds that calling a compiled program takes that does next to nothing.
      operations: floating-point operations a second of a large float32 matrix product.
      memory: bytes read and written a second by passes over an array that no cache holds.
      near: the same for arrays as large as the values on the grid, by degree.
    """

    call: float
    operations: float
    memory: float
    near: dict[int, float]


class Roofline(NamedTuple):
    """The three matrix products of a grid product, bounded and measured.

    Attributes:
      lmax: degree of the factors and the result.
      bound: seconds that they take at least, each by its operations or by its reads and writes.
      alone: seconds that they take by themselves.
      product: seconds of the grid product without weights.
    """

    lmax: int
    bound: float
    alone: float
    product: float

    @property
    def share(self) -> float:
        """How much of the product's time the bound is.

        Example:
          >>> Roofline(1, 1.0, 1.5, 2.0).share
          0.5
        """
        return self.bound / self.product


def measure_peaks(timings: Sequence[Timing], *, quick: bool) -> Peaks:
    """Measure the machine's peaks, for the degrees whose grid product was timed."""
    degrees = sorted({t.size for t in timings if t.section == BARE})
    near = {
        lmax: machine.bandwidth(4 * ROWS * ours.grid_tables(lmax)[0].shape[1], repeats=2 if quick else 8)
        for lmax in degrees
    }
    large = machine.bandwidth(LARGE_ARRAY >> (6 if quick else 0), repeats=2 if quick else 8)
    return Peaks(machine.call_overhead(), machine.matmul_peak(size=256 if quick else 2048), large, near)


def bound(lmax: int, peaks: Peaks) -> float:
    """Seconds that the three matrix products take at least, at the measured peaks.

    Each reads its two operands and writes its result once, at the bandwidth of the memory that an array as
    large as the values on the grid lies in: at low degrees that is a cache.

    Example:
      >>> round(1e6 * bound(2, Peaks(0.0, 1e11, 1e10, {2: 1e10})), 1)  # microseconds, bound by bytes
      50.7
    """
    components, points = ours.grid_tables(lmax)[0].shape
    operations = 2 * ROWS * components * points
    num_bytes = 4 * (ROWS * components + components * points + ROWS * points)
    return 3 * machine.roofline(operations, num_bytes, peaks.operations, peaks.near[lmax])


def rooflines(timings: Sequence[Timing], peaks: Peaks) -> list[Roofline]:
    """Of all degrees whose grid product was timed."""
    seconds = {(t.method, t.size): t.median for t in timings if t.section == BARE}
    return [
        Roofline(lmax, bound(lmax, peaks), seconds[PRODUCTS_ALONE, lmax], seconds[GRID_ALONE, lmax])
        for lmax in peaks.near
    ]


def conclusions(timings: Sequence[Timing], peaks: Peaks) -> list[Conclusion]:
    """The machine's peaks, the grid product against its bound, and every method's share of the peak."""
    lines = [["L", "bound, ms", "products alone, ms", "grid product, ms", "bound / alone", "bound / product"]]
    data = []
    for one in rooflines(timings, peaks):
        cells = (1e3 * one.bound, 1e3 * one.alone, 1e3 * one.product, one.bound / one.alone, one.share)
        lines.append([str(one.lmax), *(f"{cell:.3g}" for cell in cells)])
        data.append({**one._asdict(), "share": one.share})
    text = (
        f"peak of float32 matrix products: {peaks.operations / 1e9:.3g} GFLOP/s; a call of a program: "
        f"{1e3 * peaks.call:.3g} ms; bandwidth of memory: {peaks.memory / 1e9:.3g} GB/s; of arrays as large "
        f"as the values on the grid: "
        f"{', '.join(f'{value / 1e9:.3g}' for value in peaks.near.values())} GB/s\n{aligned(lines)}"
    )
    near = {str(lmax): value for lmax, value in peaks.near.items()}
    machine_data = {**peaks._asdict(), "near": near}
    return [
        Conclusion(
            f"The grid product against the bound of its three matrix products (forward, {ROWS} rows)",
            text,
            {"peaks": machine_data, "rooflines": data},
        ),
        _shares(timings, peaks),
    ]


def _shares(timings: Sequence[Timing], peaks: Peaks) -> Conclusion:
    """Operations by the compiler's count, a second, as a share of the peak."""
    chosen = [t for t in timings if (t.section, t.direction) == (EVEN, GRADIENT) and t.gigaflop]
    sizes = sorted({t.size for t in chosen})
    lines = [["% of the peak", *(f"L={size}" for size in sizes)]]
    data = []
    for method in dict.fromkeys(t.method for t in chosen):
        share = {t.size: 1e9 * t.gigaflop / t.median / peaks.operations for t in chosen if t.method == method}
        lines.append([method, *(f"{100 * share[size]:.1f}" if size in share else "" for size in sizes)])
        data += [{"method": method, "size": size, "share": value} for size, value in share.items()]
    title = f"Operations (by the compiler's count) a second, {EVEN}, {GRADIENT}"
    return Conclusion(title, aligned(lines), data)

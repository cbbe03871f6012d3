"""What the timings of products amount to: per path, against the machine, against peers, against targets."""

from collections.abc import Sequence

from benchmarks.framework.directions import FORWARD
from benchmarks.framework.report import aligned
from benchmarks.framework.timing import Conclusion, Measurement, Timing
from benchmarks.tensor_products import ours, rooflines, targets
from benchmarks.tensor_products.sections import ALL, EVEN, WIDE, verified

AUTO = ours.gaunt_name("auto")


def conclude(measurement: Measurement, quick: bool) -> list[Conclusion]:
    """Parts of the report, in reading order."""
    timings = measurement.timings
    peaks = rooflines.measure_peaks(timings, quick=quick)
    return [
        _verification(quick),
        _choices(timings),
        _per_path(timings),
        *rooflines.conclusions(timings, peaks),
        targets.conclusion(timings, peaks),
    ]


def _verification(quick: bool) -> Conclusion:
    """Which products were compared with our coefficients, and how far they are from them."""
    lines, data = [["product", "section", "paths", "largest deviation"]], []
    for (section, name), result in verified(quick).items():
        if isinstance(result, str):
            lines.append([name, section, "", result])
            data.append({"product": name, "section": section, "why_not": result})
        else:
            lines.append([name, section, str(result.paths), f"{result.error:.1e}"])
            data.append({"product": name, "section": section, **result._asdict()})
    title = "Verification: the coefficients of every path, up to its strength, against ours"
    return Conclusion(title, aligned(lines), data)


def _choices(timings: Sequence[Timing]) -> Conclusion:
    """For each size: the method that auto took, the fastest of ours, the fastest peer."""
    lines = [
        [
            "section, direction, L",
            "auto took",
            "ms",
            "fastest of ours",
            "auto / it",
            "fastest peer",
            "it / auto",
        ]
    ]
    data = []
    for auto in timings:
        if auto.method != AUTO:
            continue
        key = (auto.section, auto.direction, auto.size)
        rivals = [t for t in timings if (t.section, t.direction, t.size) == key and t.method != AUTO]
        mine = min((t for t in rivals if t.method.startswith("Gaunt")), key=lambda t: t.median, default=auto)
        peers = [t for t in rivals if not t.method.startswith("Gaunt")]
        peer = min(peers, key=lambda t: t.median, default=None)
        row = {
            "section": auto.section,
            "direction": auto.direction,
            "size": auto.size,
            "took": auto.about["method"],
            "fastest_of_ours": mine.method.removeprefix("Gaunt, "),
            "auto_over_fastest_of_ours": auto.median / mine.median,
            "fastest_peer": None if peer is None else peer.method,
            "fastest_peer_over_auto": None if peer is None else peer.median / auto.median,
        }
        data.append(row)
        lines.append(
            [
                f"{auto.section}, {auto.direction}, {auto.size}",
                row["took"],
                f"{1e3 * auto.median:.3g}",
                row["fastest_of_ours"],
                f"{row['auto_over_fastest_of_ours']:.2f}",
                row["fastest_peer"] or "",
                "" if peer is None else f"{row['fastest_peer_over_auto']:.2f}",
            ]
        )
    return Conclusion("The method that auto took, and whether another was faster", aligned(lines), data)


def _per_path(timings: Sequence[Timing]) -> Conclusion:
    """Nanoseconds a row and path, and a row and free weight, forward."""
    lines = [["section, L, method", "paths", "free weights", "ns a row, path", "ns a row, free weight"]]
    data = []
    for t in timings:
        if t.direction != FORWARD or t.section not in (EVEN, ALL, WIDE):
            continue
        a_row = 1e9 * t.median / t.about["rows"]
        weights = t.about["free_weights"]
        row = {
            "section": t.section,
            "size": t.size,
            "method": t.method,
            "paths": t.about["paths"],
            "free_weights": weights,
            "ns_a_row_and_path": a_row / t.about["paths"],
            "ns_a_row_and_free_weight": a_row / weights if weights else None,
        }
        data.append(row)
        lines.append(
            [
                f"{t.section}, {t.size}, {t.method}",
                str(row["paths"]),
                str(weights),
                f"{row['ns_a_row_and_path']:.3g}",
                f"{a_row / weights:.3g}" if weights else "",
            ]
        )
    title = "Time per path: couplings done, and numbers that choose the product (forward)"
    return Conclusion(title, aligned(lines), data)

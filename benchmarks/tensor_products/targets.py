"""The numbers that the products of two signals aim at on two CPU cores, and what was measured."""

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.framework.directions import GRADIENT
from benchmarks.framework.report import aligned
from benchmarks.framework.timing import Conclusion, Timing
from benchmarks.peers import e3nn
from benchmarks.tensor_products import ours
from benchmarks.tensor_products.rooflines import Peaks, rooflines
from benchmarks.tensor_products.sections import ALL, EVEN

AUTO = ours.gaunt_name("auto")


class Verdict(NamedTuple):
    """A target and what came of it.

    Attributes:
      target: in words.
      measured: the number, or None where it could not be measured.
      met: whether it was; None where it could not be measured.
      detail: what the number rests on.
    """

    target: str
    measured: float | None
    met: bool | None
    detail: str


def conclusion(timings: Sequence[Timing], peaks: Peaks) -> Conclusion:
    """All targets as a table."""
    verdicts = judge(timings, peaks)
    words = {True: "met", False: "not met", None: "not measured"}
    lines = [["target", "measured", "verdict", "detail"]]
    for verdict in verdicts:
        number = "" if verdict.measured is None else f"{verdict.measured:.3g}"
        lines.append([verdict.target, number, words[verdict.met], verdict.detail])
    return Conclusion("Targets", aligned(lines), [verdict._asdict() for verdict in verdicts])


def judge(timings: Sequence[Timing], peaks: Peaks) -> list[Verdict]:
    """Every target."""
    verdicts = []
    for lmax, least in ((2, 4.0), (4, 6.0), (6, 25.0)):
        target = f"even paths at L={lmax}, {GRADIENT}: at least {least:g} times as fast as e3nn-jax"
        verdicts.append(_ratio(timings, EVEN, lmax, AUTO, target, least))
    verdicts.append(_compilation(timings))
    verdicts.append(_never_slower(timings))
    verdicts.append(_share_of_bound(timings, peaks))
    target = f"all paths at L=4, {GRADIENT}: at least 3 times as fast as e3nn-jax"
    verdicts.append(_ratio(timings, ALL, 4, ours.full_name(1), target, 3.0))
    return verdicts


def _find(timings: Sequence[Timing], section: str, method: str, lmax: int, direction: str) -> Timing | None:
    """The timing of a case, if there is one."""
    key = (section, method, lmax, direction)
    return next((t for t in timings if (t.section, t.method, t.size, t.direction) == key), None)


def _ratio(timings, section: str, lmax: int, method: str, target: str, least: float) -> Verdict:
    """How many times as fast as e3nn-jax a method is."""
    mine = _find(timings, section, method, lmax, GRADIENT)
    theirs = _find(timings, section, e3nn.NAME, lmax, GRADIENT)
    if mine is None or theirs is None:
        return Verdict(target, None, None, "")
    ratio = theirs.median / mine.median
    detail = f"{method}: {1e3 * mine.median:.3g} ms, e3nn-jax: {1e3 * theirs.median:.3g} ms"
    return Verdict(target, ratio, ratio >= least, detail)


def _compilation(timings) -> Verdict:
    """Seconds to compile the gradient at L=6."""
    target = f"compiles at L=6, {GRADIENT}, in less than 1 s"
    mine = _find(timings, EVEN, AUTO, 6, GRADIENT)
    if mine is None:
        return Verdict(target, None, None, "")
    theirs = _find(timings, EVEN, e3nn.NAME, 6, GRADIENT)
    detail = "" if theirs is None else f"e3nn-jax: {theirs.compilation:.3g} s"
    return Verdict(target, mine.compilation, mine.compilation < 1.0, detail)


def _never_slower(timings) -> Verdict:
    """The worst ratio of the fastest peer's time to ours, over all degrees and directions."""
    target = "never slower than the fastest peer at any L, even paths, any direction (least ratio)"
    worst, detail = None, ""
    for auto in timings:
        if (auto.section, auto.method) != (EVEN, AUTO):
            continue
        key = (auto.section, auto.size, auto.direction)
        peers = [
            t for t in timings if (t.section, t.size, t.direction) == key and not t.method.startswith("Gaunt")
        ]
        for peer in peers:
            ratio = peer.median / auto.median
            if worst is None or ratio < worst:
                worst, detail = ratio, f"{peer.method} at L={auto.size}, {auto.direction}"
    return Verdict(target, worst, None if worst is None else worst >= 1.0, detail)


def _share_of_bound(timings, peaks: Peaks) -> Verdict:
    """The least share of the bound from L=3 on."""
    target = "the grid product takes at most 1/0.6 of its matrix products' bound from L=3 on (least share)"
    found = [one for one in rooflines(timings, peaks) if one.lmax >= 3]
    if not found:
        return Verdict(target, None, None, "")
    least = min(found, key=lambda one: one.share)
    detail = (
        f"at L={least.lmax}; the three matrix products by themselves reach {least.bound / least.alone:.2g} "
        f"of it there"
    )
    return Verdict(target, least.share, least.share >= 0.6, detail)

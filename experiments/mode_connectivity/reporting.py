"""Rows and claims of a run."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from experiments.framework import Claim, Report, Row
from experiments.mode_connectivity.config import Config
from experiments.mode_connectivity.matchers import METHODS

Case = tuple[str, int]
_TAYLOR = ("train loss at the midpoint above the ends", "Taylor estimate of it")
_R = "R, threshold 0.3"
_SIDE = "third side: test loss barrier"
_NEAR = 0.3
"""Relative difference up to which two methods are called alike."""


class Outcome(NamedTuple):
    """What was measured of an architecture; all arrays are over seeds.

    Attributes:
      networks: of the networks as they were trained.
      methods: by method and metric; ``merge_many`` among them.
      curves: by method, the test loss along the path.
      layers: shares of inputs along leading singular directions; empty for convolutional networks.
      num_parameters: of one network.
      seconds: of the training of all networks.
    """

    networks: Mapping[str, np.ndarray]
    methods: Mapping[str, Mapping[str, np.ndarray]]
    curves: Mapping[str, np.ndarray]
    layers: Mapping[str, np.ndarray]
    num_parameters: int
    seconds: float


def build_report(config: Config, outcomes: Mapping[Case, Outcome], figures: Sequence[str]) -> Report:
    """All that a run has measured, as a report."""
    rows = []
    for case, outcome in outcomes.items():
        about = {"parameters": outcome.num_parameters, "seconds": outcome.seconds}
        rows += _rows(f"{_name(case)}: single", outcome.networks | outcome.layers, about)
        for method, numbers in outcome.methods.items():
            rows += _rows(f"{_name(case)}: {_label(method)}", numbers, {})
    claims = [
        distance_claim(outcomes),
        taylor_claim(outcomes),
        alignment_claim(outcomes),
        input_claim(outcomes),
        activation_claim(outcomes),
        *(learned_claim(outcomes, method) for method in METHODS if METHODS[method].is_trained),
        third_side_claim(outcomes),
        width_claim(outcomes),
        calibration_claim(outcomes),
    ]
    notes = [
        "Barriers are the largest rise of the loss (drop of the accuracy) above the line between the ends, "
        f"on {config.num_points} points; spreads are over triples of networks.",
        "R is the agreement of singular vectors whose values are at least 0 or 0.3 of the layer's largest.",
        "The paper's networks are trained on MNIST, Fashion-MNIST and CIFAR-10, ours on small digits.",
    ]
    return Report(rows=rows, claims=claims, figures=figures, notes=notes)


def _rows(method: str, numbers: Mapping[str, np.ndarray], about) -> list[Row]:
    """One row for each metric, with the spread over seeds."""
    rows = []
    for metric, values in numbers.items():
        unit = "s" if metric.startswith("seconds") else ""
        spread = float(values.std(ddof=1)) if len(values) > 1 else None
        rows.append(Row(method, metric, float(values.mean()), unit, spread, **about))
    return rows


def _name(case: Case) -> str:
    """An architecture, for tables."""
    return f"{case[0].upper()} {case[1]}"


def _label(method: str) -> str:
    """A method, for tables."""
    return METHODS[method].label if method in METHODS else "merging all three at once"


def _means(outcomes, metric: str, method: str) -> dict[Case, float]:
    """A metric of a method, by architecture."""
    return {
        case: float(outcome.methods[method][metric].mean())
        for case, outcome in outcomes.items()
        if method in outcome.methods
    }


def _verdict(text: str, held: Mapping[Case, bool], numbers: Mapping[str, float]) -> Claim:
    """A claim that may hold for some architectures only."""
    if not held:
        return Claim(text, "not measured")
    where = [_name(case) for case, holds in held.items() if holds]
    verdict = "holds" if len(where) == len(held) else f"holds if {', '.join(where)}"
    return Claim(text, verdict if where else "does not hold here", dict(numbers))


def _compare(text: str, outcomes, metric: str, first: str, second: str, holds: Callable) -> Claim:
    """A claim about one metric of two methods."""
    ours, theirs = _means(outcomes, metric, first), _means(outcomes, metric, second)
    both = [case for case in ours if case in theirs]
    numbers = {}
    for case in both:
        numbers[f"{_label(first)}, {_name(case)}"] = ours[case]
        numbers[f"{_label(second)}, {_name(case)}"] = theirs[case]
    return _verdict(text, {case: holds(ours[case], theirs[case]) for case in both}, numbers)


def distance_claim(outcomes) -> Claim:
    """Whether weight matching shortens the distance by little."""
    found = _means(outcomes, "L2 reduction", "weights")
    text = "Weight matching shortens the distance between networks by 6 to 20% only"
    numbers = {f"reduction, {_name(case)}": value for case, value in found.items()}
    return _verdict(text, {case: 0 < value <= 0.2 for case, value in found.items()}, numbers)


def taylor_claim(outcomes) -> Claim:
    """Whether a second-order estimate misses more than half of the barrier that is left after matching."""
    actual, estimate = (_means(outcomes, metric, "weights") for metric in _TAYLOR)
    numbers = {}
    for case in actual:
        numbers[f"barrier at the midpoint, {_name(case)}"] = actual[case]
        numbers[f"Taylor estimate, {_name(case)}"] = estimate[case]
    held = {case: abs(estimate[case] - actual[case]) > 0.5 * abs(actual[case]) for case in actual}
    return _verdict("Nearness does not explain low barriers: Taylor estimates are off by half", held, numbers)


def alignment_claim(outcomes) -> Claim:
    """Whether weight matching aligns singular vectors, those of large singular values most."""
    large, all_of_them = (_means(outcomes, f"R, threshold {t}", "weights") for t in ("0.3", "0"))
    before = _means(outcomes, _R, "none")
    numbers = {}
    for case in large:
        numbers[f"R at 0.3, {_name(case)}"] = large[case]
        numbers[f"R at 0, {_name(case)}"] = all_of_them[case]
        if case in before:
            numbers[f"R at 0.3 before, {_name(case)}"] = before[case]
    held = {
        case: large[case] > all_of_them[case] and large[case] > before.get(case, 0) + 0.05 for case in large
    }
    return _verdict("Weight matching aligns the singular vectors of large singular values", held, numbers)


def input_claim(outcomes) -> Claim:
    """Whether the inputs of hidden layers concentrate on leading singular directions."""
    held, numbers = {}, {}
    for case, outcome in outcomes.items():
        if outcome.layers:
            shares = {metric: float(values.mean()) for metric, values in outcome.layers.items()}
            held[case] = min(shares.values()) > 0.5
            numbers |= {f"{metric}, {_name(case)}": share for metric, share in shares.items()}
    text = "Inputs of hidden layers lie mostly along the first quarter of their singular directions"
    return _verdict(text, held, numbers)


def activation_claim(outcomes) -> Claim:
    """Whether activation matching aligns singular vectors as weight matching does."""
    return _compare(
        f"Activation matching aligns singular vectors as weight matching does, to {_NEAR:.0%}",
        outcomes,
        _R,
        "activations",
        "weights",
        lambda ours, theirs: abs(ours - theirs) <= _NEAR * abs(theirs),
    )


def learned_claim(outcomes, method: str) -> Claim:
    """Whether learning permutations lowers the barrier without alignment, at the third side's cost."""
    text = (
        f"{METHODS[method].label} lowers the barrier without aligning singular vectors, and leaves a higher "
        "third side than weight matching"
    )
    barrier, before = (_means(outcomes, "test loss barrier", each) for each in (method, "none"))
    agreement, matched = _means(outcomes, _R, method), _means(outcomes, _R, "weights")
    side, reference = _means(outcomes, _SIDE, method), _means(outcomes, _SIDE, "weights")
    held, numbers = {}, {}
    for case in barrier.keys() & before.keys() & matched.keys():
        held[case] = (
            barrier[case] < before[case]
            and agreement[case] < 0.5 * matched[case]
            and side[case] > reference[case]
        )
    for case in (case for case in outcomes if case in held):
        numbers[f"barrier, {_name(case)}"] = barrier[case]
        numbers[f"R, {_name(case)}"] = agreement[case]
        numbers[f"R of weight matching, {_name(case)}"] = matched[case]
        numbers[f"third side, {_name(case)}"] = side[case]
        numbers[f"third side of weight matching, {_name(case)}"] = reference[case]
    return _verdict(text, {case: held[case] for case in outcomes if case in held}, numbers)


def third_side_claim(outcomes) -> Claim:
    """Whether matching two networks to a third brings them together, too."""
    return _compare(
        "Two networks matched to a third have a lower barrier between them, too",
        outcomes,
        _SIDE,
        "weights",
        "none",
        lambda ours, theirs: ours < theirs,
    )


def width_claim(outcomes) -> Claim:
    """Whether the barrier after weight matching falls with the width."""
    found = _means(outcomes, "test loss barrier", "weights")
    found = {case: value for case, value in found.items() if case[0] == "mlp"}
    text = "The barrier after weight matching falls with the width"
    if len(found) < 2:
        return Claim(text, "not measured")
    values = [found[case] for case in sorted(found, key=lambda case: case[1])]
    numbers = {f"test loss barrier, {_name(case)}": value for case, value in found.items()}
    falls = all(later < earlier for earlier, later in itertools.pairwise(values))
    return Claim(text, "holds" if falls else "does not hold here", numbers)


def calibration_claim(outcomes) -> Claim:
    """Whether a temperature alone, without matching, merges three networks as well as matching does."""
    return _compare(
        "With calibrated temperatures, plain means of three networks are as good as matched ones, to 0.05",
        outcomes,
        "mean of three: calibrated test loss above the parents",
        "none",
        "weights",
        lambda ours, theirs: ours <= theirs + 0.05,
    )

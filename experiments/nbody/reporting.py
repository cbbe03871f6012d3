"""Rows and claims of a run."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.framework import Claim, Report, Row
from experiments.nbody.cost import Cost
from experiments.nbody.variants import VARIANTS

# Mean squared errors x 1e-3: figure 1 of the paper, read off.
PAPER = {
    ("gaunt", 1): 4.8,
    ("gaunt", 2): 5.05,
    ("clebsch_gordan_even", 1): 5.0,
    ("clebsch_gordan_even", 2): 5.2,
}
MARGIN = 0.05
"""Relative difference of errors up to which two products are called as accurate as each other."""

Case = tuple[str, int]


class Outcome(NamedTuple):
    """What a variant achieved at a degree.

    Attributes:
      errors: mean squared error of each network on each test system.
      far_errors: on the systems with a far particle.
      symmetry: relative equivariance error by group.
      num_parameters: of one network.
      seconds: of the training of all networks.
    """

    errors: Float[np.ndarray, "seeds systems"]
    far_errors: Float[np.ndarray, "seeds systems"]
    symmetry: Mapping[str, float]
    num_parameters: int
    seconds: float


def label(variant: str, degree: int) -> str:
    """A variant at a degree, for tables.

    Example:
      >>> label("gaunt", 2)
      'Gaunt, L=2'
    """
    return f"{VARIANTS[variant].label}, L={degree}"


def build_report(
    outcomes: Mapping[Case, Outcome],
    costs: Mapping[Case, Cost],
    *,
    unlearned: Mapping[str, np.ndarray],
    unlearned_far: Mapping[str, np.ndarray],
    figures: Sequence[str],
) -> Report:
    """All that a run has measured, as a report."""
    rows = []
    for method, errors in unlearned.items():
        rows += _error_rows(method, errors[None], unlearned_far[method][None])
    for case, outcome in outcomes.items():
        about = {"parameters": outcome.num_parameters, "seconds": outcome.seconds}
        rows += _error_rows(label(*case), outcome.errors, outcome.far_errors, PAPER.get(case), about)
        rows += [
            Row(label(*case), f"equivariance error, {group}", error)
            for group, error in outcome.symmetry.items()
        ]
        rows += _cost_rows(case, costs[case])
    claims = [
        accuracy_claim(outcomes),
        cost_claim(costs),
        path_claim(costs),
        *(improvement_claim(text, outcomes, better) for better, text in _IMPROVEMENTS.items()),
        radial_claim(outcomes),
    ]
    notes = [
        "Parity is not tracked: networks with all paths commute with rotations, not with reflections.",
        "CG is e3nn-jax's tensor product, with a radial weight a channel and path.",
        "Times are of loss and gradient of one network on one device; training seconds are of all seeds.",
        "The paper's numbers are of long training, ours of a few epochs. Published for this data, with "
        "10,000 epochs, MSE x 1e-3: EGNN 7.0, SEGNN 4.3, PONITA 4.3.",
    ]
    return Report(rows=rows, claims=claims, figures=figures, notes=notes)


def _error_rows(method, errors, far_errors, paper=None, about=None) -> list[Row]:
    """Mean and median over systems, averaged over networks, with the spread over networks."""
    rows = []
    for name, values in {"test MSE": errors, "MSE, a particle far away": far_errors}.items():
        for suffix, reduce in {"": np.mean, ", median": np.median}.items():
            each = 1000 * reduce(values, axis=1)
            spread = float(each.std(ddof=1)) if len(each) > 1 else None
            published = paper if name + suffix == "test MSE" else None
            value = float(each.mean())
            rows.append(Row(method, name + suffix, value, "1e-3", spread, published, **(about or {})))
    return rows


def _cost_rows(case: Case, cost: Cost) -> list[Row]:
    """Time, memory and operations of a step, in all and for each independent path."""
    paths = VARIANTS[case[0]].num_paths(case[1])
    method = label(*case)
    return [
        Row(method, "paths", paths),
        Row(method, "loss and gradient", 1000 * cost.seconds, "ms"),
        Row(method, "loss and gradient, a path", 1000 * cost.seconds / paths, "ms"),
        Row(method, "operations", cost.operations / 1e6, "Mflop"),
        Row(method, "temporary memory", cost.memory / 2**20, "MiB"),
    ]


class Difference(NamedTuple):
    """How the errors of two variants differ: relative difference of the means, and its standard error."""

    relative: float
    standard_error: float


def difference(outcome: Outcome, reference: Outcome) -> Difference | None:
    """Relative difference of two variants' errors, over seeds; None if there is one seed only.

    Example:
      >>> values = np.array([[1.0], [1.0]])
      >>> one, other = (Outcome(scale * values, values, {}, 0, 0.0) for scale in (0.5, 1.0))
      >>> difference(one, other)
      Difference(relative=-0.5, standard_error=0.0)
    """
    ours, theirs = outcome.errors.mean(axis=1), reference.errors.mean(axis=1)
    if min(len(ours), len(theirs)) < 2:
        return None
    variance = ours.var(ddof=1) / len(ours) + theirs.var(ddof=1) / len(theirs)
    scale = theirs.mean()
    return Difference(float(ours.mean() / scale - 1), float(np.sqrt(variance) / scale))


def accuracy_claim(outcomes: Mapping[Case, Outcome]) -> Claim:
    """Whether Gaunt products are as accurate as Clebsch-Gordan products on the same paths, to the margin.

    Not measured where the seeds are too few to tell a difference of that size.
    """
    text = f"Gaunt products are as accurate as Clebsch-Gordan products, to {MARGIN:.0%} (paper, figure 1)"
    found = _differences(outcomes, "gaunt", "clebsch_gordan_even")
    found = {degree: value for degree, value in found.items() if value.standard_error <= MARGIN}
    return _by_degree(
        text,
        {degree: value.relative <= MARGIN for degree, value in found.items()},
        _numbers("Gaunt / CG - 1", found),
    )


def improvement_claim(text: str, outcomes: Mapping[Case, Outcome], better: tuple[str, str]) -> Claim:
    """Whether one variant is more accurate than another by more than the spread over seeds."""
    found = _differences(outcomes, *better)
    return _by_degree(
        text,
        {degree: found.relative < -2 * found.standard_error for degree, found in found.items()},
        _numbers("with / without - 1", found),
    )


_IMPROVEMENTS = {
    ("gaunt_bracket", "gaunt"): "The bracket's odd paths lower the error of Gaunt products",
    ("clebsch_gordan_all", "clebsch_gordan_even"): "Odd paths lower the error of Clebsch-Gordan products",
    ("gaunt_selfmix", "gaunt"): "Selfmix lowers the error of Gaunt products",
}


def cost_claim(costs: Mapping[Case, Cost]) -> Claim:
    """Whether a step with Gaunt products is faster than one with Clebsch-Gordan products."""
    ratios = _ratios(costs, "clebsch_gordan_even", "gaunt", lambda case: costs[case].seconds)
    return _by_degree(
        "A step with Gaunt products is faster than one with Clebsch-Gordan products",
        {degree: ratio > 1 for degree, ratio in ratios.items()},
        {f"CG even / Gaunt time, L={degree}": ratio for degree, ratio in ratios.items()},
    )


def path_claim(costs: Mapping[Case, Cost]) -> Claim:
    """Whether all paths by Gaunt and bracket cost less than by Clebsch-Gordan products, path for path."""

    def a_path(case):
        return costs[case].seconds / VARIANTS[case[0]].num_paths(case[1])

    ratios = _ratios(costs, "clebsch_gordan_all", "gaunt_bracket", a_path)
    return _by_degree(
        "Per independent path, too, products on the grid are cheaper (all paths on both sides)",
        {degree: ratio > 1 for degree, ratio in ratios.items()},
        {f"CG all / Gaunt + bracket time a path, L={degree}": ratio for degree, ratio in ratios.items()},
    )


def radial_claim(outcomes: Mapping[Case, Outcome]) -> Claim:
    """Whether products of unbounded radial weights fail on far particles, and bounded ones do not."""
    text = "Products of three radial weights need bounded ones to extrapolate to a far particle"
    degrees = [degree for variant, degree in outcomes if variant == "three_unbounded"]
    numbers = {}
    for degree in degrees:
        for variant in ("three_bounded", "three_unbounded"):
            if (variant, degree) in outcomes:
                errors = outcomes[variant, degree].far_errors
                numbers[f"{variant.removeprefix('three_')}, MSE x 1e-3"] = 1000 * float(errors.mean())
    if len(numbers) < 2:
        return Claim(text, "not measured")
    bounded, unbounded = numbers.values()
    return Claim(text, "holds" if bounded < unbounded else "does not hold here", numbers)


def _differences(outcomes, variant: str, reference: str) -> dict[int, Difference]:
    """Differences by degree, where both were trained with several seeds."""
    found = {
        degree: difference(outcome, outcomes[reference, degree])
        for (name, degree), outcome in outcomes.items()
        if name == variant and (reference, degree) in outcomes
    }
    return {degree: value for degree, value in found.items() if value is not None}


def _ratios(costs, variant: str, reference: str, value) -> dict[int, float]:
    """Ratios of costs by degree, where both were measured."""
    return {
        degree: value((variant, degree)) / value((reference, degree))
        for name, degree in costs
        if name == variant and (reference, degree) in costs
    }


def _numbers(name: str, found: Mapping[int, Difference]) -> dict[str, float]:
    """Differences and their standard errors, named."""
    numbers = {}
    for degree, value in found.items():
        numbers[f"{name}, L={degree}"] = value.relative
        numbers[f"its standard error, L={degree}"] = value.standard_error
    return numbers


def _by_degree(text: str, held: Mapping[int, bool], numbers: Mapping[str, float]) -> Claim:
    """A claim that may hold at some degrees only."""
    if not held:
        return Claim(text, "not measured")
    where = [f"L={degree}" for degree, holds in held.items() if holds]
    verdict = "holds" if len(where) == len(held) else f"holds if {', '.join(where)}"
    return Claim(text, verdict if where else "does not hold here", dict(numbers))

"""Rows and claims of a run."""

import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from experiments.force_field.config import Config
from experiments.force_field.fitting import Fitted
from experiments.framework import Claim, Report, Row
from experiments.tasks.molecules import MoleculeTask

# Published errors, energy RMSE (meV) and force RMSE (meV/angstrom) by data set, method and test.
PUBLISHED = {
    "acac": {
        "MACE (published)": {"300 K": (0.9, 5.1), "600 K": (4.6, 22.4)},
        "NequIP (published)": {"300 K": (0.81, 5.9), "600 K": (6.0, 27.8)},
        "BOTNet (published)": {"300 K": (0.89, 6.3), "600 K": (6.2, 29.8)},
    },
    "3bpa": {
        "MACE (published)": {"300 K": (3.0, 8.8)},
        "MACE-Gaunt (published)": {"300 K": (2.9, 9.2)},
    },
}
LABELS = {
    "mean": "mean energy, no forces",
    "Gaunt": "Gaunt potential",
    "Clebsch-Gordan": "Clebsch-Gordan potential",
}


def build_report(
    config: Config,
    task: MoleculeTask,
    fits: Mapping[str, Fitted],
    errors: Mapping[str, Mapping[str, Mapping[str, float]]],
    symmetry: Mapping[str, float],
    audit,
    drift: float,
    *,
    figures: Sequence[str],
    workdir: pathlib.Path,
    rest_seconds: float,
) -> Report:
    """All that a run has measured, as a report."""
    rows = [row for method in errors for row in _error_rows(method, errors[method], fits.get(method))]
    rows += _published_rows(task.name)
    for method, fitted in fits.items():
        rows += _cost_rows(method, fitted)
    if len(fits) == 2:
        rows += _equal_time_rows(fits)
    gaunt = LABELS["Gaunt"]
    rows += [Row(gaunt, f"equivariance error, {name}", value) for name, value in symmetry.items()]
    rows += [
        Row(gaunt, "audit: broken layers", 0 if audit.first_failure is None else 1),
        Row(gaunt, f"NVE energy drift, {config.dynamics_ps:g} ps at 300 K", drift, "meV/atom/ps"),
        Row(gaunt, "time: tests, audit, dynamics", rest_seconds, "s"),
    ]
    verdict = (
        "every layer is equivariant" if audit.first_failure is None else f"breaks at {audit.first_failure}"
    )
    notes = [
        f"Audit under S(n) x E(3): {verdict}.",
        f"The potential is in {POTENTIAL_NOTE.format(workdir=workdir)}",
        f"Next: python -m experiments predict --workdir {workdir} --data FILE.xyz [--output OUT.xyz]",
        "Your own molecules: python -m experiments run force_field --data FILE.xyz",
    ]
    return Report(
        rows=rows, claims=_claims(task, fits, errors, symmetry, drift), figures=figures, notes=notes
    )


POTENTIAL_NOTE = (
    "{workdir}/potential.npz: ej.simulation.PotentialCalculator.from_file(...) is a calculator of ASE."
)


def _error_rows(method: str, by_test: Mapping[str, Mapping[str, float]], fitted: Fitted | None) -> list[Row]:
    """Errors of one method on every test set."""
    about = {}
    if fitted is not None:
        about = {"parameters": fitted.num_parameters, "seconds": _wall_time(fitted)}
    units = {"energy": "meV", "energy_per_atom": "meV", "force": "meV/Å"}
    names = {"energy": "energy RMSE", "energy_per_atom": "energy/atom RMSE", "force": "force RMSE"}
    return [
        Row(LABELS[method], f"{names[kind]}, {test}", value, units[kind], **about)
        for test, by_kind in by_test.items()
        for kind, value in by_kind.items()
    ]


def _published_rows(name: str) -> list[Row]:
    """Reference columns."""
    return [
        Row(method, f"{kind} RMSE, {test}", None, unit, paper=value)
        for method, by_test in PUBLISHED.get(name, {}).items()
        for test, pair in by_test.items()
        for kind, unit, value in zip(("energy", "force"), ("meV", "meV/Å"), pair, strict=True)
    ]


def _cost_rows(method: str, fitted: Fitted) -> list[Row]:
    """What the training of a method cost, and where the time went."""
    seconds = fitted.seconds
    rows = [
        Row(LABELS[method], "steps", fitted.steps),
        Row(
            LABELS[method],
            "steps a second",
            fitted.steps / max(seconds["step"] + seconds["data"], 1e-9),
            "1/s",
        ),
        Row(LABELS[method], "time: training in all", _wall_time(fitted), "s"),
    ]
    parts = ("compile", "step", "data", "evaluate", "checkpoint")
    return rows + [Row(LABELS[method], f"time: {part}", seconds[part], "s") for part in parts]


def _equal_time_rows(fits: Mapping[str, Fitted]) -> list[Row]:
    """Validation error of each method when the faster of the two runs ended, from the logged curves."""
    seconds = min(fitted.curve[-1, 1] for fitted in fits.values())
    return [
        Row(
            LABELS[method],
            "force RMSE, validation, at equal time",
            float(np.exp(np.interp(np.log(seconds), np.log(fit.curve[:, 1]), np.log(fit.curve[:, 2])))),
            "meV/Å",
        )
        for method, fit in fits.items()
    ]


def _wall_time(fitted: Fitted) -> float:
    """Seconds of the whole training, compilation included."""
    return float(fitted.seconds["total"])


def _claims(task, fits, errors, symmetry, drift: float) -> list[Claim]:
    """What the paper says of Gaunt products, and what we say of the force field, against the numbers."""
    single = max(value for name, value in symmetry.items() if name.endswith("float32"))
    double = max(value for name, value in symmetry.items() if name.endswith("float64"))
    exact = "holds" if double < 1e-9 and single < 1e-4 else "does not hold here"
    claims = [
        Claim(
            "Energies and forces are equivariant under permutations, rotations, reflections and translations",
            exact,
            {"largest error, float32": single, "largest error, float64": double},
        ),
        Claim(
            "The force field conserves energy (drift below 1 meV/atom/ps)",
            "holds" if abs(drift) < 1 else "does not hold here",
            {"drift, meV/atom/ps": drift},
        ),
    ]
    if len(fits) < 2:
        return [*claims, Claim("Gaunt products are as accurate as Clebsch-Gordan products", "not measured")]
    step_time = {
        name: (fit.seconds["step"] + fit.seconds["data"]) / max(fit.steps, 1) for name, fit in fits.items()
    }
    ratio = step_time["Clebsch-Gordan"] / step_time["Gaunt"]
    claims.append(
        Claim(
            "A step with Gaunt products is faster than one with Clebsch-Gordan products (paper: 1.3 times)",
            "holds" if ratio > 1 else "does not hold here",
            {"Clebsch-Gordan step / Gaunt step": ratio},
        )
    )
    equal = "steps" if fits["Gaunt"].steps == fits["Clebsch-Gordan"].steps else "wall time, about"
    return [*claims, _accuracy_claim(f"As accurate as Clebsch-Gordan products at equal {equal}", errors)]


def _accuracy_claim(text: str, errors) -> Claim:
    """Whether the force errors of both potentials agree to 5% or ours are lower, test by test."""
    ratios = {
        test: kinds["force"] / errors["Clebsch-Gordan"][test]["force"]
        for test, kinds in errors["Gaunt"].items()
        if "force" in kinds
    }
    held = [test for test, ratio in ratios.items() if ratio < 1.05]
    verdict = f"holds if tested at {', '.join(held)}" if held else "does not hold here"
    if len(held) == len(ratios):
        verdict = "holds"
    numbers = {f"Gaunt / Clebsch-Gordan force RMSE, {test}": ratio for test, ratio in ratios.items()}
    return Claim(text, verdict, numbers)

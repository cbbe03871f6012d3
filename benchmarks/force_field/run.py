"""The benchmark of training steps: what it prints and writes."""

import json
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.force_field.parts import PARTS, STAGES, profile
from benchmarks.force_field.potentials import make_potentials, make_setting
from benchmarks.force_field.steps import StepTiming, time_steps
from benchmarks.framework.cli import RESULTS, ROOT, Program, progress
from benchmarks.framework.directions import FORWARD, SECOND_ORDER
from benchmarks.framework.report import aligned
from benchmarks.framework.timing import Absent, Timing
from experiments.force_field.config import PRESETS, Config
from experiments.framework import environment

NAME = "force_field"
TITLE = "Training steps of a force field: Gaunt, Clebsch-Gordan, MACE"

_FULL = {"samples": 15, "steps": 10}
_QUICK = {"samples": 2, "steps": 1}
EQUAL_WITHIN = 0.2


class Outcome(NamedTuple):
    """All that was measured.

    Attributes:
      steps: timings of the training steps.
      profiles: stages and parts of each potential.
      absent: what could not be timed.
    """

    steps: list[StepTiming]
    profiles: dict[str, list[Timing]]
    absent: list[Absent]


def run(quick: bool, output: pathlib.Path | None) -> Outcome:
    """Time the steps, profile them, print tables, and write ``force_field.json`` to a folder.

    Args:
      quick: the smallest preset, few samples, and the profile of ours alone; writes nothing unless there is
        an output.
      output: the folder; that of all results by default.
    """
    config = PRESETS["smoke" if quick else "small"]
    setting = make_setting(config)
    potentials, absent = make_potentials(setting)
    progress(f"steps of {len(potentials)} potentials")
    steps = time_steps(potentials, setting, **(_QUICK if quick else _FULL))
    profiles = {}
    for potential in potentials[:1] if quick else potentials:
        progress(f"profile of {potential.name}")
        samples, seconds = (1, 0.0) if quick else (9, 0.02)
        profiles[potential.name] = profile(potential, setting, samples=samples, seconds=seconds)
    outcome = Outcome(steps, profiles, absent)
    print(describe(outcome, config))
    folder = output or (None if quick else RESULTS)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{NAME}.json"
        content = json.dumps(_content(outcome, quick), indent=2, ensure_ascii=False)
        path.write_text(content + "\n", encoding="utf-8")
        print(path)
    return outcome


BENCHMARK = Program(NAME, TITLE, run)


def describe(outcome: Outcome, config: Config) -> str:
    """The tables, as text."""
    lines = [
        [
            "potential",
            "parameters",
            "ms a step",
            "quartiles",
            "steps a second",
            "first step, s",
            "traces",
            "steps",
        ]
    ]
    for one in outcome.steps:
        lines.append(
            [
                one.name,
                str(one.num_parameters),
                f"{1e3 * one.median:.3g}",
                f"{1e3 * one.lower:.3g}-{1e3 * one.upper:.3g}",
                f"{one.steps_a_second:.3g}",
                f"{one.compilation:.3g}",
                str(one.traces),
                str(one.steps),
            ]
        )
    setting = (
        f"{config.data}, batches of {config.batch_size} molecules on one device, L={config.lmax}, "
        f"{config.num_interactions} interactions, powers up to {config.order}; traces: of the loss, over all "
        "steps and batches"
    )
    blocks = [f"{setting}\n{aligned(lines)}", *_comparisons(outcome.steps)]
    for name, timings in outcome.profiles.items():
        blocks.append(f"{name}\n{_profile_table(timings)}")
    blocks += [f"not timed: {one.method}: {one.why}" for one in outcome.absent]
    return "\n\n".join(blocks)


def _comparisons(steps: Sequence[StepTiming]) -> list[str]:
    """Ours against each other potential: time, and whether the parameters are equal."""
    ours, *others = steps
    lines = []
    for other in others:
        ratio = other.num_parameters / ours.num_parameters
        equal = "equal" if abs(ratio - 1) <= EQUAL_WITHIN else "NOT equal"
        lines.append(
            f"{other.name}: {other.median / ours.median:.2f} times the time of {ours.name}; "
            f"{ratio:.2f} times its parameters ({equal} within {EQUAL_WITHIN:.0%})"
        )
    return ["\n".join(lines)] if lines else []


def _profile_table(timings: Sequence[Timing]) -> str:
    """Stages, then parts."""
    lines = [["stage (each contains the one before) or part (alone)", "forward, ms", "second order, ms"]]
    for section in (STAGES, PARTS):
        chosen = [timing for timing in timings if timing.section == section]
        for method in dict.fromkeys(timing.method for timing in chosen):
            cells = {t.direction: f"{1e3 * t.median:.3g}" for t in chosen if t.method == method}
            lines.append([method, cells.get(FORWARD, ""), cells.get(SECOND_ORDER, "")])
    return aligned(lines)


def _content(outcome: Outcome, quick: bool) -> dict:
    """Everything, for the JSON file."""
    return {
        "benchmark": NAME,
        "title": TITLE,
        "command": f"python -m benchmarks {NAME}" + (" --quick" if quick else ""),
        "environment": environment.describe(ROOT),
        "steps": [{**one._asdict(), "steps_a_second": one.steps_a_second} for one in outcome.steps],
        "profiles": {
            name: [
                {"kind": t.section, "name": t.method, "direction": t.direction, "median": t.median}
                | {"lower": t.lower, "upper": t.upper, "megabyte": t.megabyte}
                for t in timings
            ]
            for name, timings in outcome.profiles.items()
        },
        "left_out": [one._asdict() for one in outcome.absent],
    }

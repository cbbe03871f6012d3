"""The run: the convex miniature, all networks of all families, and what they show."""

import pathlib

import numpy as np

from experiments.framework import Report
from experiments.soft_symmetry import convex, figures
from experiments.soft_symmetry.config import Config
from experiments.soft_symmetry.evaluation import evaluate, motions, references
from experiments.soft_symmetry.families import FAMILIES, Family, Samples
from experiments.soft_symmetry.fitting import fit_method
from experiments.soft_symmetry.networks import METHODS
from experiments.soft_symmetry.reporting import TaskResult, build_report

SPLITS = ("train", "valid", "test")


def run(config: Config, workdir: pathlib.Path) -> Report:
    """Solve the convex miniature, train all networks (or go on where a killed run stopped), and test them.

    Raises:
      SystemExit: if a signal ended the training; the checkpoint is written, the same command goes on.
    """
    print("convex miniature", flush=True)
    solved = {
        case: convex.run_case(
            *case,
            num_trials=config.convex_trials,
            num_strengths=config.convex_strengths,
            seed=config.seed,
        )
        for case in convex.CASES
    }
    results: dict[str, TaskResult] = {}
    for name in config.families:
        results |= _run_family(config, name, workdir)
    drawn = [figures.convex(workdir / "convex.png", solved)]
    if results:
        drawn.append(figures.accuracy(workdir / "accuracy.png", results))
        drawn.append(figures.symmetry(workdir / "symmetry.png", results))
    return build_report(solved, results, figures=drawn)


def _run_family(config: Config, name: str, workdir: pathlib.Path) -> dict[str, TaskResult]:
    """Results of the tasks of a family."""
    family = FAMILIES[name]
    samples = {task: _splits(config, family, task) for task in family.tasks}
    results = {}
    for task, splits in samples.items():
        moves = motions(family, splits["test"][0])
        variance = float(np.mean((splits["test"][1] - splits["train"][1].mean(axis=0)) ** 2))
        known = references(family, task, splits["train"], moves)
        results[task] = TaskResult(family, family.tasks[task].holds, variance, known, {})
    for method in config.methods:
        for subgroup, tasks in _trainings(family, method).items():
            label = METHODS[method].label
            print(f"{name}: {label}{f' ({subgroup})' if subgroup else ''}", flush=True)
            by_split = {split: {task: samples[task][split] for task in tasks} for split in SPLITS}
            folder = (
                workdir / name / (method if subgroup is None else f"{method}_{list(samples).index(tasks[0])}")
            )
            fitted = fit_method(config, family, method, subgroup, by_split["train"], folder)
            outcomes = evaluate(family, label, fitted, by_split["valid"], by_split["test"])
            for (task, index), outcome in outcomes.items():
                results[task].outcomes[method, fitted.variants[index]] = outcome
    return results


def _trainings(family: Family, method: str) -> dict:
    """The tasks that are trained together, by the subgroup that the method is built for."""
    if not METHODS[method].needs_subgroup:
        return {None: list(family.tasks)}
    found: dict = {}
    for name, task in family.tasks.items():
        if task.holds in family.solvable and task.holds != family.whole:
            found.setdefault(task.holds, []).append(name)
    return found


def _splits(config: Config, family: Family, task: str) -> dict[str, Samples]:
    """Samples to learn from, to choose by, and to test on."""
    sizes = (config.num_train, config.num_valid, config.num_test)
    x, y = family.tasks[task].draw(sum(sizes), config.seed)
    bounds = np.cumsum([0, *sizes])
    return {
        split: (x[start:stop], y[start:stop])
        for split, start, stop in zip(SPLITS, bounds[:-1], bounds[1:], strict=True)
    }

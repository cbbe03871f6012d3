"""The whole run: train, match, measure."""

import pathlib
import time

import jax
import numpy as np

import equijax as ej
from experiments.framework import Report
from experiments.mode_connectivity import figures
from experiments.mode_connectivity.config import Config
from experiments.mode_connectivity.matchers import METHODS, Problem, make_problem
from experiments.mode_connectivity.measures import (
    input_concentration,
    merge_measure,
    pair_measure,
    plane_losses,
    side_measure,
    single_measure,
)
from experiments.mode_connectivity.networks import member
from experiments.mode_connectivity.reporting import Outcome, build_report
from experiments.mode_connectivity.training import Trained, train
from experiments.tasks.digits import load_digits

_PLANE = np.linspace(-0.25, 1.25, 19)


def run(config: Config, workdir: pathlib.Path) -> Report:
    """Train all networks (or go on where a killed run stopped), match and measure them.

    Raises:
      SystemExit: if a signal ended the training; the checkpoint is written, the same command goes on.
    """
    digits = load_digits(config.source, config.num_test)
    outcomes, planes = {}, {}
    for kind, size in config.architectures:
        print(f"{kind} {size}: {config.num_seeds} triples of networks", flush=True)
        trained = train(config, kind, size, digits, workdir)
        problem = make_problem(trained.model, member(member(trained.variables, 0), 0), digits)
        outcomes[kind, size], matched = _outcome(config, size, problem, trained)
        if (kind, size) == config.architectures[-1 if not config.widths else len(config.widths) - 1]:
            planes = {
                method: plane_losses(problem, *triple, _PLANE)
                for method, triple in matched.items()
                if method in ("none", "weights")
            }
    drawn = [
        figures.barriers(workdir / "barriers.png", outcomes),
        figures.paths(workdir / "paths.png", outcomes),
        figures.planes(workdir / "planes.png", planes, _PLANE),
    ]
    return build_report(config, outcomes, drawn)


def _outcome(config: Config, size: int, problem: Problem, trained: Trained) -> tuple[Outcome, dict]:
    """All numbers of an architecture, and the first triple as each method matches it."""
    triples = [[member(member(trained.variables, s), i) for i in range(3)] for s in range(config.num_seeds)]
    single = single_measure(problem)
    networks = [single(member(trained.variables, seed)) for seed in range(config.num_seeds)]
    numbers, curves, first = {}, {}, {}
    tools = (
        pair_measure(problem, config.num_points),
        side_measure(problem, config.num_points),
        merge_measure(problem),
        jax.jit(problem.group.act),
    )
    for name in config.methods:
        if METHODS[name].is_trained and size > config.largest_trained:
            continue
        measured = []
        for seed, triple in enumerate(triples):
            key = jax.random.fold_in(jax.random.key(config.seed + 1), seed)
            start = time.perf_counter()
            keys = jax.random.split(key)
            found = [METHODS[name].match(config, k, problem, triple[0], x) for k, x in zip(keys, triple[1:])]
            seconds = (time.perf_counter() - start) / 2
            numbers_of, placed = _measured(tools, triple, found)
            measured.append(numbers_of | {"seconds of a match": seconds})
            first.setdefault(name, placed)
        curves[name] = np.mean([each.pop("curve") for each in measured], axis=0)
        numbers[name] = _columns(measured)
    numbers["merge_many"] = _columns([_merged_many(problem, triple, tools[2]) for triple in triples])
    dense = [triple[0] for triple in triples if "Dense_3" in triple[0]["params"]]
    layers = [input_concentration(problem, network) for network in dense]
    return Outcome(
        networks=_columns(networks),
        methods=numbers,
        curves=curves,
        layers=_columns(layers) if layers else {},
        num_parameters=trained.num_parameters,
        seconds=trained.seconds,
    ), first


def _measured(tools, triple, elements) -> tuple[dict, list]:
    """Numbers of a matched triple, and its networks."""
    pair, side, merge, act = tools
    a, b, c = triple
    placed = [a, act(elements[0], b), act(elements[1], c)]
    merged = ej.weights.matching.mean_of(placed)
    found = pair(a, b, placed[1]) | side(*placed[1:]) | merge(merged, _stacked(placed))
    return jax.tree.map(np.asarray, found), placed


def _merged_many(problem: Problem, triple, merge) -> dict:
    """Numbers of the network that `merge_many` makes of a triple."""
    start = time.perf_counter()
    merged = ej.weights.matching.merge_many(jax.random.key(0), problem.group, triple).variables
    seconds = time.perf_counter() - start
    return jax.tree.map(np.asarray, merge(merged, _stacked(triple))) | {"seconds of a match": seconds}


def _stacked(networks: list):
    """Networks with a leading axis."""
    return jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *networks)


def _columns(rows: list[dict]) -> dict[str, np.ndarray]:
    """Numbers by name, over seeds."""
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}

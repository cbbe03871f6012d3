"""The run: every part that is asked for, its rows, claims and figures."""

import pathlib

from experiments.frame_averaging import (
    claims,
    classification,
    figures,
    normals,
    particles,
    reporting,
    separation,
    stability,
)
from experiments.frame_averaging.config import Config
from experiments.framework import Report

NOTES = (
    "A copy is told apart if some network gives a graph and a relabelled copy of it outputs that differ by "
    "more than the tolerance that pairs must exceed to count as separated.",
    "For classification, all graphs are relabelled at random, but for the row on the order of the file.",
    "The published numbers for particles are of 10,000 epochs; ours of a few dozen.",
)


def run(config: Config, workdir: pathlib.Path) -> Report:
    """Measure the parts, or go on where a killed run stopped.

    Raises:
      SystemExit: if a signal ended the training; the checkpoint is written, the same command goes on.
      DataUnavailableError: if a data set that the configuration asks for cannot be found.
    """
    rows, weighed, drawn = [], [], []
    if "stability" in config.parts:
        found = stability.measure(config)
        rows += reporting.stability_rows(found)
        weighed += claims.stability_claims(found)
        drawn.append(figures.slopes(workdir / "slopes.png", found))
    if "separation" in config.parts:
        print("separation: random networks", flush=True)
        found = separation.measure(config)
        rows += reporting.separation_rows(found, config.num_nodes)
        weighed += claims.separation_claims(found)
    if "classification" in config.parts:
        print("classification: linear models and GIN+ID", flush=True)
        found = classification.measure(config, workdir)
        rows += reporting.classification_rows(found)
        weighed += claims.classification_claims(found, hard=config.num_pairs > 0)
    if "normals" in config.parts:
        found = normals.measure(config, workdir)
        rows += reporting.normals_rows(found)
        weighed += claims.normals_claims(found)
        drawn.append(figures.normal_errors(workdir / "normals.png", found))
    if "particles" in config.parts:
        found = particles.measure(config, workdir)
        rows += reporting.particles_rows(found)
        weighed += claims.particles_claims(found)
        drawn.append(figures.particle_errors(workdir / "particles.png", found))
    return Report(rows=rows, claims=weighed, figures=drawn, notes=list(NOTES))

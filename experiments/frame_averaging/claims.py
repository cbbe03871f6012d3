"""The paper's claims, and those of its critics, judged by the numbers."""

import numpy as np

from experiments.frame_averaging.classification import (
    FILE_ORDER,
    MINIMAL,
    TEST_SAMPLES,
    Accuracy,
    linear_name,
)
from experiments.frame_averaging.normals import NormalsResult
from experiments.frame_averaging.particles import ParticlesResult
from experiments.frame_averaging.separation import SeparationResult
from experiments.frame_averaging.stability import StabilityResult
from experiments.framework import Claim

EXACT = 1e-4
"""Largest equivariance error in single precision that counts as rounding."""


def _verdict(holds: bool) -> str:
    """The verdict of a claim without conditions."""
    return "holds" if holds else "does not hold here"


def separation_claims(result: SeparationResult) -> list[Claim]:
    """That frames separate all graphs, and what that is worth."""
    by_kind = {kind: _joined(result, kind) for kind in ("spectral", "minimal", "random")}
    claims = []
    for kind, name in (("spectral", "spectral"), ("minimal", "minimal")):
        found = by_kind[kind]
        text = f"Averages over {name} frames separate all graphs, and never a graph from its copy"
        if not found:
            claims.append(Claim(text, "not measured"))
            continue
        numbers = {
            "pairs not separated": sum(each.similar for each in found),
            "copies told apart": sum(each.copies for each in found),
            "copies told apart, complete frames": sum(each.complete_copies for each in found),
            "graphs with incomplete frames": sum(each.num_graphs - each.num_complete for each in found),
        }
        if numbers["pairs not separated"] or numbers["copies told apart, complete frames"]:
            verdict = "does not hold here"
        else:
            verdict = "holds" if not numbers["copies told apart"] else "holds if the whole frame is averaged"
        claims.append(Claim(text, verdict, numbers))
    text = "Separating all graphs proves nothing alone: random orders do, and tell copies apart"
    found = by_kind["random"]
    if not found:
        return [*claims, Claim(text, "not measured")]
    shares = [each.copies / each.num_graphs for each in found]
    holds = not any(each.similar for each in found) and min(shares) > 0.5
    numbers = {
        "pairs not separated": sum(each.similar for each in found),
        "smallest share of copies told apart": min(shares),
    }
    return [*claims, Claim(text, _verdict(holds), numbers)]


def _joined(result: SeparationResult, kind: str) -> list:
    """What was measured with one kind of order."""
    return [
        found
        for by_case in (result.connected, result.pairs)
        for (_, of), found in by_case.items()
        if of == kind
    ]


def classification_claims(result: dict[str, Accuracy], hard: bool) -> list[Claim]:
    """That frames make the labels of hard pairs learnable.

    Args:
      result: accuracies.
      hard: whether the pairs are those of EXP; the nodes of a ring have equal spectral keys.
    """
    percent = {name: 100 * float(accuracy.values.mean()) for name, accuracy in result.items()}
    best = linear_name("spectral", TEST_SAMPLES)
    chance = linear_name("random", TEST_SAMPLES)
    names = {best: "linear, spectral", chance: "linear, random", MINIMAL: "linear, canonical"}
    numbers = {f"{short}, %": percent[name] for name, short in names.items()}
    text = "A linear model of sorted graphs learns EXP (97% or more), one of random orders does not"
    learns = percent[best] >= 97 and percent[chance] < 60
    claims = [Claim(text, _verdict(learns), numbers) if hard else Claim(text, "not measured")]
    claims.append(
        Claim(
            "The order of the nodes in the file gives the labels away",
            _verdict(percent[FILE_ORDER] >= 90),
            {"linear, order of the file, %": percent[FILE_ORDER]},
        )
    )
    text = "GIN+ID averaged over the frame learns EXP, with random orders it does not"
    pair = ("GIN+ID, spectral order", "GIN+ID, random order")
    if not hard or pair[0] not in percent:
        return [*claims, Claim(text, "not measured")]
    holds = percent[pair[0]] >= 90 and percent[pair[1]] < 60
    return [*claims, Claim(text, _verdict(holds), {f"{name}, %": percent[name] for name in pair})]


def normals_claims(results: dict[str, NormalsResult]) -> list[Claim]:
    """That averages do not see the pose, and networks without symmetry do."""
    claims = []
    text = "Averaged PointNet has one error whatever the pose of the tested shapes (I/I and I/SO(3))"
    if "FA-PointNet" in results:
        errors = results["FA-PointNet"].errors
        apart = float(np.max(np.abs(errors["I/I"] - errors["I/SO(3)"])))
        numbers = {name: float(values.mean()) for name, values in errors.items()}
        claims.append(Claim(text, _verdict(apart < EXACT), {**numbers, "largest difference": apart}))
    else:
        claims.append(Claim(text, "not measured"))
    text = "PointNet collapses on turned shapes that it has not learnt from, and FA beats it when it has"
    if not {"PointNet", "FA-PointNet"} <= results.keys():
        return [*claims, Claim(text, "not measured")]
    plain, averaged = (
        {name: float(values.mean()) for name, values in results[method].errors.items()}
        for method in ("PointNet", "FA-PointNet")
    )
    holds = plain["I/SO(3)"] > 1.5 * plain["I/I"] and averaged["SO(3)/SO(3)"] < plain["SO(3)/SO(3)"]
    numbers = {f"PointNet, {name}": value for name, value in plain.items()}
    numbers["FA-PointNet, SO(3)/SO(3)"] = averaged["SO(3)/SO(3)"]
    return [*claims, Claim(text, _verdict(holds), numbers)]


def particles_claims(results: dict[str, ParticlesResult]) -> list[Claim]:
    """That averages are exact, and as accurate as networks that are equivariant by design."""
    means = {method: 1000 * float(result.errors.mean()) for method, result in results.items()}
    exact = [
        method for method in ("FA-GNN", "latent FA-GNN", "stochastic FA-GNN", "EGNN") if method in results
    ]
    claims = [
        Claim(
            "Averages over frames of E(3) are equivariant to rounding",
            _verdict(all(results[method].symmetry < EXACT for method in exact)),
            {method: results[method].symmetry for method in exact},
        )
        if exact
        else Claim("Averages over frames of E(3) are equivariant to rounding", "not measured")
    ]
    best = [method for method in ("FA-GNN", "latent FA-GNN") if method in means]
    text = "FA-GNN is at least as accurate as EGNN, and EGNN more accurate than GNN"
    if best and {"EGNN", "GNN"} <= means.keys():
        averaged = min(means[method] for method in best)
        conditions = (averaged <= means["EGNN"], means["EGNN"] < means["GNN"])
        verdict = _verdict(all(conditions))
        shown = (*best, "EGNN", "GNN")
        claims.append(Claim(text, verdict, {f"{name}, MSE x 1e-3": means[name] for name in shown}))
    else:
        claims.append(Claim(text, "not measured"))
    for other, text, factor in (
        ("GNN, augmented", "FA-GNN is more accurate than the same network with augmentation", 1.0),
        ("stochastic FA-GNN", "Training with one element a step loses little: within 10% of the frame", 1.1),
    ):
        if not {"FA-GNN", other} <= means.keys():
            claims.append(Claim(text, "not measured"))
            continue
        worse = means["FA-GNN"] < means[other]
        holds = worse if factor == 1.0 else means[other] <= factor * means["FA-GNN"]
        numbers = {f"{name}, MSE x 1e-3": means[name] for name in ("FA-GNN", other)}
        claims.append(Claim(text, _verdict(holds), numbers))
    return claims


def stability_claims(result: StabilityResult) -> list[Claim]:
    """That averages over principal axes jump, and weighted ones do not (Dym et al., 2024)."""
    reports = {
        frame: result.reports[frame, "equal variances"] for frame in ("principal axes", "weighted pairs")
    }
    numbers = {f"{frame}, slope at the smallest step": float(r.slopes[-1]) for frame, r in reports.items()}
    jumps = reports["principal axes"].jumps and not reports["weighted pairs"].jumps
    errors = {f"{frame}, error": report.error for frame, report in reports.items()}
    exact = errors["weighted pairs, error"] < 1e-9 < errors["principal axes, error"]
    return [
        Claim(
            "Averages over principal axes jump where variances are equal, weighted ones do not",
            _verdict(jumps),
            numbers,
        ),
        Claim(
            "There, only the weighted frame is equivariant",
            _verdict(exact),
            errors,
        ),
        Claim(
            "The error of stochastic averages falls with the elements drawn, to zero for all of them",
            _verdict(result.stochastic[1] > result.stochastic[2] > result.stochastic[4] < 1e-9),
            {f"{count} of 4 drawn": value for count, value in result.stochastic.items()},
        ),
    ]

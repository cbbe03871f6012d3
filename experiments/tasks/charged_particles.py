"""Charged particles: from positions, velocities and charges, where are the particles one unit of time later?

The task of Satorras, Hoogeboom, Welling, "E(n) Equivariant Graph Neural Networks", ICML 2021, which papers on
equivariant networks share (``nbody_small``). Five particles of charge ±1 start at normal positions with
speed 1/2, and move under Coulomb forces, in units where the coupling and the masses are 1:

- ``F_i = Σ_j q_i q_j (x_i - x_j) / |x_i - x_j|³``, each component clipped to ±100;
- ``v += dt F``, then repeatedly ``x += dt v; v += dt F``, with ``dt = 0.001``;
- frame ``k`` is the state at step ``100 (k + 1)`` (positions of this step, velocities of the one before).

The input is frame 30, the target are the positions of frame 40. The random numbers are drawn in the order of
the original program, so that a seed gives its trajectories, up to the rounding of sums.
"""

import itertools
import os
import pathlib
import tempfile
import zipfile
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from equijax.data.store import cache_folder
from equijax.numerics import check

NUM_PARTICLES = 5
TIME_STEP = 0.001
LARGEST_FORCE = 100.0
HALF_BOX = 5.0
SPEED = 0.5
STEPS_PER_FRAME = 100
FRAMES_OF_ORIGINAL = 49
INPUT_FRAME, TARGET_FRAME = 30, 40
SIZES_OF_ORIGINAL = {"train": 10_000, "valid": 2_000, "test": 2_000}
_CHUNK = 256  # systems integrated at once: what fits into a core's cache
_VERSION = 1


class ParticleSystems(NamedTuple):
    """Systems of charged particles, and where their particles go.

    Attributes:
      charges: shape ``(systems, particles)``.
      positions, velocities: at the input frame, shape ``(systems, particles, 3)``.
      targets: positions at the target frame.
    """

    charges: Float[np.ndarray, "s n"]
    positions: Float[np.ndarray, "s n 3"]
    velocities: Float[np.ndarray, "s n 3"]
    targets: Float[np.ndarray, "s n 3"]


class ParticleSplits(NamedTuple):
    """Systems to learn from, to watch while learning, and to test on."""

    train: ParticleSystems
    valid: ParticleSystems
    test: ParticleSystems


def load_splits(num_train: int, num_valid: int, num_test: int, *, seed: int = 43) -> ParticleSplits:
    """The first systems of each of the original's splits (10,000, 2,000 and 2,000 systems; seed 43).

    They are computed when they are first asked for (about 3 seconds for 2,000 systems) and kept in the user's
    cache folder.

    Args:
      num_train, num_valid, num_test: how many systems of each split.
      seed: of the original's generator; 43 gives the published data.

    Raises:
      ValueError: if a split has fewer systems than asked for, or a number is out of range.
      TypeError: if a number is not an integer.

    Example:
      >>> load_splits(2, 1, 1).train.targets.shape
      (2, 5, 3)
    """
    wanted = dict(zip(SIZES_OF_ORIGINAL, (num_train, num_valid, num_test), strict=True))
    for (name, number), size in zip(wanted.items(), SIZES_OF_ORIGINAL.values(), strict=True):
        check.count(f"num_{name}", number, 1)
        if number > size:
            raise ValueError(f"num_{name} must be at most {size}, the systems of that split, got {number}")
    check.count("seed", seed, 0)
    name = f"charged_particles-{_VERSION}-{seed}-{num_train}-{num_valid}-{num_test}.npz"
    path = cache_folder() / "generated" / name
    splits = _read(path)
    if splits is None:
        splits = _generate(wanted, seed)
        _write(path, splits)
    return splits


def _generate(wanted: dict[str, int], seed: int) -> ParticleSplits:
    """Draw all systems in the original's order, and integrate those that are wanted."""
    random = np.random.RandomState(seed)
    states = []
    for name, size in SIZES_OF_ORIGINAL.items():
        last = name == "test"
        drawn = [draw_initial_state(random) for _ in range(wanted[name] if last else size)]
        states.append([np.stack(part[: wanted[name]]) for part in zip(*drawn, strict=True)])
    together = [np.concatenate(parts) for parts in zip(*states, strict=True)]
    frames = simulate(*together, frames=(INPUT_FRAME, TARGET_FRAME))
    (positions, velocities), (targets, _) = frames
    systems = ParticleSystems(together[0], positions, velocities, targets)
    bounds = np.cumsum([0, *wanted.values()])
    return ParticleSplits(
        *(
            ParticleSystems(*(part[start:stop] for part in systems))
            for start, stop in itertools.pairwise(bounds)
        )
    )


def draw_initial_state(random: np.random.RandomState) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Charges, positions and velocities of a system, drawn as by the original, whose noise is drawn too.

    Args:
      random: generator in the state where the original's would be; it advances as the original's would.

    Returns:
      Shapes ``(n,)``, ``(n, 3)``, ``(n, 3)``.

    Example:
      >>> charges, positions, velocities = draw_initial_state(np.random.RandomState(43))
      >>> np.linalg.norm(velocities, axis=-1).round(6).tolist()
      [0.5, 0.5, 0.5, 0.5, 0.5]
    """
    # What random.choice([-1, 0, 1], p=[1/2, 0, 1/2]) does with its random numbers, without its checks.
    charges = np.where(random.random_sample(NUM_PARTICLES) < 0.5, -1.0, 1.0)
    positions = random.randn(3, NUM_PARTICLES)
    velocities = random.randn(3, NUM_PARTICLES)
    velocities = velocities * SPEED / np.sqrt((velocities**2).sum(axis=0))
    beyond, below = positions > HALF_BOX, positions < -HALF_BOX
    positions = np.where(beyond, 2 * HALF_BOX - positions, positions)
    positions = np.where(below, -2 * HALF_BOX - positions, positions)
    velocities = np.where(beyond, -np.abs(velocities), np.where(below, np.abs(velocities), velocities))
    # The original adds noise of size zero to all frames, which costs it these numbers.
    random.randn(2, FRAMES_OF_ORIGINAL, 3, NUM_PARTICLES)
    return charges, positions.T, velocities.T


def simulate(
    charges: Float[np.ndarray, "s n"],
    positions: Float[np.ndarray, "s n 3"],
    velocities: Float[np.ndarray, "s n 3"],
    *,
    frames: tuple[int, ...],
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Positions and velocities of many systems at some frames.

    Args:
      charges, positions, velocities: of the particles at the start.
      frames: numbers of frames; frame ``k`` is step ``100 (k + 1)``.

    Returns:
      For each frame, positions and velocities, shape ``(s, n, 3)``.

    Raises:
      ValueError: if shapes do not agree, or a frame is negative.
      TypeError: if an array is not of floating-point numbers, or a frame is not an integer.

    Example:
      >>> two = np.array([[[0.0, 0, 0], [1.0, 0, 0]]])
      >>> ((x, v),) = simulate(np.array([[1.0, 1.0]]), two, np.zeros((1, 2, 3)), frames=(0,))
      >>> x[0, :, 0].round(4).tolist()  # repelled: 1/2 t² = 0.005 outwards, and a step's more
      [-0.005, 1.005]
    """
    for name, array in (("charges", charges), ("positions", positions), ("velocities", velocities)):
        check.floating(name, array)
    systems = check.shape("charges", charges, "s n")
    check.shape("positions", positions, "s n 3", **systems)
    check.shape("velocities", velocities, "s n 3", **systems)
    for frame in frames:
        check.count("frames", frame, 0)
    arrays = (charges, positions, velocities)
    chunks = [
        _simulate_chunk(*(array[start : start + _CHUNK] for array in arrays), frames)
        for start in range(0, systems["s"], _CHUNK)
    ]
    return [
        tuple(np.concatenate([chunk[index][part] for chunk in chunks]) for part in range(2))
        for index in range(len(frames))
    ]


def _simulate_chunk(charges, positions, velocities, frames) -> list[tuple[np.ndarray, np.ndarray]]:
    """The same for a few systems, with the systems along the last axis and each pair computed once."""
    first, second = np.triu_indices(charges.shape[1], k=1)
    differences = np.zeros((len(first), charges.shape[1]))  # particles to pairs; transposed, pairs to sums
    differences[np.arange(len(first)), first] = 1.0
    differences[np.arange(len(first)), second] = -1.0
    strength = (charges[:, first] * charges[:, second]).T
    x, v = (np.ascontiguousarray(array.transpose(2, 1, 0), np.float64) for array in (positions, velocities))

    def kick():
        apart = differences @ x
        squared = np.einsum("dps,dps->ps", apart, apart)
        apart *= strength / (squared * np.sqrt(squared))
        force = differences.T @ apart
        np.clip(force, -LARGEST_FORCE, LARGEST_FORCE, out=force)
        force *= TIME_STEP
        np.add(v, force, out=v)

    stored = {}
    kick()
    for step in range(1, STEPS_PER_FRAME * (max(frames) + 1) + 1):
        x += TIME_STEP * v
        if step % STEPS_PER_FRAME == 0:
            stored[step // STEPS_PER_FRAME - 1] = (x.transpose(2, 1, 0).copy(), v.transpose(2, 1, 0).copy())
        kick()
    return [stored[frame] for frame in frames]


def _read(path: pathlib.Path) -> ParticleSplits | None:
    """What was kept in a file; None if there is none, or it is damaged."""
    try:
        with np.load(path) as file:
            return ParticleSplits(
                *(
                    ParticleSystems(*(file[f"{split}_{field}"] for field in ParticleSystems._fields))
                    for split in ParticleSplits._fields
                )
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _write(path: pathlib.Path, splits: ParticleSplits) -> None:
    """Keep the splits in a file, which appears only when it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        f"{split}_{field}": getattr(systems, field)
        for split, systems in splits._asdict().items()
        for field in ParticleSystems._fields
    }
    descriptor, unfinished = tempfile.mkstemp(suffix=".unfinished", dir=path.parent)
    with os.fdopen(descriptor, "wb") as stream:
        np.savez(stream, **arrays)
    os.replace(unfinished, path)

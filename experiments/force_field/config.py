"""Sizes, schedules and presets of the force field."""

import dataclasses

from equijax.numerics import check


@dataclasses.dataclass(frozen=True)
class Config:
    """What a run depends on.

    Attributes:
      data: acetylacetone_gfn2 (embedded), acac, 3bpa, or the path of an extended-XYZ file with energies (eV)
        and forces (eV/angstrom) of any molecules or crystals.
      test: an extended-XYZ file to test on, if data is a file; a tenth of data is held out if not given.
      num_train: use only so many training frames; 0 for all.
      num_test: evaluate on only so many frames of each test set; 0 for all.
      cutoff: largest distance of neighbours, angstrom.
      lmax: largest degree of harmonics and features.
      features: channels of the messages.
      many_body_features: channels of the many-body step.
      num_interactions: layers.
      order: highest power of the many-body step.
      num_steps: training steps of the Gaunt potential.
      baseline_steps: training steps of the Clebsch-Gordan potential; 0 leaves it out.
      batch_size: molecules a step.
      shards: parts of a batch, for as many devices at most.
      learning_rate: peak of the schedule.
      energy_weight: of the squared energy error per atom (eV²), against that of the forces (eV²/angstrom²).
      ema_decay: of the averaged parameters that are tested.
      evaluate_every: steps between looks at the validation frames.
      dynamics_ps: length of the molecular dynamics, picoseconds.
      seed: of the parameters and of the order of the data.
      host_devices: CPU devices to train on in parallel; 0 for one a core.

    Raises:
      ValueError, TypeError: if a number is out of range.
    """

    data: str = "acetylacetone_gfn2"
    test: str | None = None
    num_train: int = 0
    num_test: int = 0
    cutoff: float = 4.0
    lmax: int = 2
    features: int = 16
    many_body_features: int = 32
    num_interactions: int = 2
    order: int = 3
    num_steps: int = 14_000
    baseline_steps: int = 2_600
    batch_size: int = 4
    shards: int = 2
    learning_rate: float = 0.01
    energy_weight: float = 1.0
    ema_decay: float = 0.99
    evaluate_every: int = 1000
    dynamics_ps: float = 2.0
    seed: int = 0
    host_devices: int = 2

    def __post_init__(self):
        least = {"lmax": 0, "features": 1, "many_body_features": 1, "num_interactions": 1, "order": 1}
        least |= {"num_train": 0, "num_test": 0, "num_steps": 1, "baseline_steps": 0, "evaluate_every": 1}
        least |= {"batch_size": 1, "shards": 1, "seed": 0}
        for name, minimum in least.items():
            check.count(name, getattr(self, name), minimum)
        for name in ("cutoff", "learning_rate", "dynamics_ps"):
            check.positive(name, getattr(self, name))
        if self.energy_weight < 0:
            raise ValueError(f"energy_weight must not be negative, got {self.energy_weight}")
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay must be at least 0 and below 1, got {self.ema_decay}")
        if self.batch_size % self.shards:
            raise ValueError(f"batch_size must be a multiple of shards={self.shards}, got {self.batch_size}")


PRESETS = {
    "smoke": Config(
        num_train=40,
        num_test=20,
        lmax=1,
        features=4,
        many_body_features=4,
        order=2,
        num_interactions=1,
        num_steps=60,
        baseline_steps=20,
        evaluate_every=20,
        dynamics_ps=0.02,
    ),
    "small": Config(),
    "acac": Config(data="acac", num_steps=25_000, baseline_steps=25_000),
    "3bpa": Config(data="3bpa", num_steps=30_000, baseline_steps=5_000),
    "full": Config(
        data="acac",
        lmax=3,
        features=128,
        many_body_features=128,
        batch_size=8,
        shards=8,
        num_steps=450_000,
        baseline_steps=450_000,
        evaluate_every=9000,
        ema_decay=0.999,
        host_devices=0,
    ),
}

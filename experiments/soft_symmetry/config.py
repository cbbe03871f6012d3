"""Sizes, schedules and presets."""

import dataclasses

from equijax.numerics import check
from experiments.soft_symmetry.families import FAMILIES
from experiments.soft_symmetry.networks import METHODS


@dataclasses.dataclass(frozen=True)
class Config:
    """What a run depends on.

    Attributes:
      families: the tasks, see `experiments.soft_symmetry.families`; none for the convex miniature alone.
      methods: the networks, see `experiments.soft_symmetry.networks`.
      convex_trials: draws of the convex miniature.
      convex_strengths: strengths that each method tries there.
      scalars, vectors, matrices: of the hidden layers.
      num_layers: hidden layers.
      num_train, num_valid, num_test: samples of each task.
      num_steps: training steps.
      batch_size: samples a step and network; at most ``num_train``.
      learning_rate: peak of the schedule, which falls to zero.
      strengths: the first strengths of the regularizer, of which validation chooses.
      power: of the ratio of residuals.
      adjust_at: the share of the steps after which strengths are adjusted.
      weight_decay: half of it multiplies the squared norm of all weights.
      num_seeds: networks of each kind and task.
      seed: of the parameters and of the orders.

    Raises:
      ValueError, TypeError: if a number is out of range, or a name is unknown.
    """

    families: tuple[str, ...] = tuple(FAMILIES)
    methods: tuple[str, ...] = tuple(METHODS)
    convex_trials: int = 40
    convex_strengths: int = 25
    scalars: int = 16
    vectors: int = 10
    matrices: int = 4
    num_layers: int = 2
    num_train: int = 1000
    num_valid: int = 500
    num_test: int = 1000
    num_steps: int = 1600
    batch_size: int = 50
    learning_rate: float = 0.003
    strengths: tuple[float, ...] = (0.01, 1.0, 10.0, 100.0)
    power: float = 2.0
    adjust_at: float = 0.25
    weight_decay: float = 2e-4
    num_seeds: int = 2
    seed: int = 0

    def __post_init__(self):
        check.count("seed", self.seed, 0)
        for name in ("convex_trials", "convex_strengths", "num_layers", "num_train", "num_valid", "num_test"):
            check.count(name, getattr(self, name), 1)
        for name in ("scalars", "vectors", "matrices", "num_steps", "batch_size", "num_seeds"):
            check.count(name, getattr(self, name), 1)
        check.positive("learning_rate", self.learning_rate)
        for name, known in {"families": FAMILIES, "methods": METHODS}.items():
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name} must hold none twice, got {values}")
            for value in values:
                check.one_of(name, value, known)
        if not self.strengths or len(set(self.strengths)) < len(self.strengths):
            raise ValueError(f"strengths must be at least one, none twice, got {self.strengths}")
        for strength in self.strengths:
            check.positive("strengths", strength)
        for name in ("power", "weight_decay"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)!r}")
        if not 0 < self.adjust_at < 1:
            raise ValueError(f"adjust_at must be between 0 and 1, got {self.adjust_at!r}")
        if self.batch_size > self.num_train:
            raise ValueError(f"batch_size must be at most num_train={self.num_train}, got {self.batch_size}")


PRESETS = {
    "smoke": Config(
        families=("inertia",),
        methods=("soft",),
        convex_trials=6,
        convex_strengths=9,
        scalars=4,
        vectors=2,
        matrices=1,
        num_layers=1,
        num_train=200,
        num_valid=50,
        num_test=50,
        num_steps=200,
        batch_size=25,
        learning_rate=0.01,
        strengths=(10.0,),
        num_seeds=1,
    ),
    "small": Config(),
    "full": Config(
        scalars=43,
        vectors=14,
        matrices=4,
        num_layers=3,
        num_valid=1000,
        num_steps=16_000,
        batch_size=500,
        learning_rate=0.001,
        strengths=(0.01, 0.1, 1.0, 10.0, 100.0),
        num_seeds=5,
    ),
}

"""Sizes, schedules and presets of the comparison."""

import dataclasses

from equijax.numerics import check
from experiments.affine_images.networks import METHODS
from experiments.tasks.affine_digits import SOURCES


@dataclasses.dataclass(frozen=True)
class Config:
    """What a run depends on.

    Attributes:
      methods: those to compare, see `experiments.affine_images.networks`.
      source: of the digits, see `experiments.tasks.affine_digits`.
      coarseness: pixels of the canvas that make one of an image along each axis.
      num_train, num_test: digits.
      num_warps: copies of each training digit for augmentation.
      channels: of the group networks; the wide CNN has them times ``num_samples``.
      num_samples: group elements that a network sums over.
      log_std: spread of the elements' stretches.
      fixed_part: part of the training for which elements stay that change at every step afterwards.
      num_steps: training steps.
      batch_size: images a step.
      learning_rate: peak of the schedule.
      num_draws: sets of elements over which logits are averaged at test time, where they change.
      num_seeds: networks of each method.
      curve_samples: numbers of elements for the error of invariance without training.
      seed: of the parameters, the orders and the elements.

    Raises:
      ValueError, TypeError: if a number is out of range, or a name is unknown.
    """

    methods: tuple[str, ...] = tuple(METHODS)
    source: str = "mnist_t10k"
    coarseness: int = 2
    num_train: int = 8000
    num_test: int = 2000
    num_warps: int = 4
    channels: int = 8
    num_samples: int = 8
    log_std: float = 0.16
    fixed_part: float = 0.33
    num_steps: int = 600
    batch_size: int = 64
    learning_rate: float = 0.004
    num_draws: int = 4
    num_seeds: int = 1
    curve_samples: tuple[int, ...] = (4, 10, 25, 50, 100)
    seed: int = 0

    def __post_init__(self):
        check.one_of("source", self.source, SOURCES)
        for name in ("num_train", "num_test", "num_warps", "channels", "num_samples", "num_steps"):
            check.count(name, getattr(self, name), 1)
        for name in ("batch_size", "num_draws", "num_seeds"):
            check.count(name, getattr(self, name), 1)
        check.count("seed", self.seed, 0)
        for name in ("log_std", "learning_rate"):
            check.positive(name, getattr(self, name))
        if not 0 <= self.fixed_part <= 1:
            raise ValueError(f"fixed_part must be between 0 and 1, got {self.fixed_part}")
        if not self.methods or len(set(self.methods)) < len(self.methods):
            raise ValueError(f"methods must be at least one, none twice, got {self.methods}")
        for method in self.methods:
            check.one_of("methods", method, METHODS)
        if len(self.curve_samples) < 2 or sorted(set(self.curve_samples)) != list(self.curve_samples):
            raise ValueError(f"curve_samples must be at least two, ascending, got {self.curve_samples}")
        if self.batch_size > self.num_train:
            raise ValueError(f"batch_size must be at most num_train={self.num_train}, got {self.batch_size}")


PRESETS = {
    "smoke": Config(
        methods=("cnn_wide", "gl2", "canonical"),
        source="scikit-learn",
        num_train=400,
        num_test=100,
        channels=4,
        num_samples=4,
        num_steps=20,
        batch_size=32,
        num_draws=1,
        curve_samples=(2, 8),
    ),
    "small": Config(),
    "full": Config(
        coarseness=1,
        channels=40,
        num_samples=10,
        num_steps=19_500,
        batch_size=128,
        learning_rate=0.002,
        num_seeds=3,
    ),
}

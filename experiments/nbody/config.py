"""Sizes, schedules and presets of the comparison."""

import dataclasses

from equijax.numerics import check
from experiments.nbody.variants import VARIANTS


@dataclasses.dataclass(frozen=True)
class Config:
    """What a run depends on.

    Attributes:
      variants: the products to compare, see `experiments.nbody.variants`.
      degrees: largest degrees of signals and harmonics; each variant is trained at each, except those that
        study radial weights, which are trained at the largest only.
      channels: of the signals.
      num_layers: rounds of messages.
      num_train, num_valid, num_test: systems, the first of the published splits.
      num_steps: training steps.
      batch_size: systems a step and seed, a multiple of ``host_devices``.
      learning_rate: peak of the schedule.
      num_seeds: networks of each variant, trained side by side from different parameters in different orders.
      seed: of the parameters and of the orders.
      host_devices: CPU devices to train on in parallel.

    Raises:
      ValueError, TypeError: if a number is out of range, or a variant is unknown.
    """

    variants: tuple[str, ...] = tuple(VARIANTS)
    degrees: tuple[int, ...] = (1, 2)
    channels: int = 16
    num_layers: int = 3
    num_train: int = 3000
    num_valid: int = 500
    num_test: int = 2000
    num_steps: int = 1500
    batch_size: int = 24
    learning_rate: float = 0.003
    num_seeds: int = 3
    seed: int = 0
    host_devices: int = 2

    def __post_init__(self):
        check.count("seed", self.seed, 0)
        for name in ("channels", "num_layers", "num_train", "num_valid", "num_test"):
            check.count(name, getattr(self, name), 1)
        for name in ("num_steps", "batch_size", "num_seeds", "host_devices"):
            check.count(name, getattr(self, name), 1)
        check.positive("learning_rate", self.learning_rate)
        for name in ("variants", "degrees"):
            values = getattr(self, name)
            if not values or len(set(values)) < len(values):
                raise ValueError(f"{name} must be at least one, none twice, got {values}")
        for variant in self.variants:
            check.one_of("variants", variant, VARIANTS)
        for degree in self.degrees:
            check.count("degrees", degree, 1)
        if self.batch_size > self.num_train:
            raise ValueError(f"batch_size must be at most num_train={self.num_train}, got {self.batch_size}")
        if self.batch_size % self.host_devices:
            raise ValueError(
                f"batch_size must be a multiple of host_devices={self.host_devices}, got {self.batch_size}"
            )

    @property
    def cases(self) -> list[tuple[str, int]]:
        """Variants and degrees that are trained."""
        return [
            (variant, degree)
            for degree in sorted(self.degrees)
            for variant in self.variants
            if degree == max(self.degrees) or not VARIANTS[variant].of_radial_weights
        ]


PRESETS = {
    "smoke": Config(
        variants=("gaunt", "clebsch_gordan_even"),
        degrees=(1,),
        channels=4,
        num_layers=2,
        num_train=48,
        num_valid=16,
        num_test=32,
        num_steps=50,
        batch_size=8,
        num_seeds=1,
        host_devices=1,
    ),
    "small": Config(),
    "full": Config(
        channels=64, num_layers=4, num_valid=2000, num_steps=300_000, batch_size=100, learning_rate=0.001
    ),
}

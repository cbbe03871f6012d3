"""Sizes, schedules and presets of the experiment."""

import dataclasses

from equijax.numerics import check
from experiments.mode_connectivity.matchers import METHODS
from experiments.tasks.digits import SOURCES


@dataclasses.dataclass(frozen=True)
class Config:
    """What a run depends on.

    Attributes:
      methods: ways to match, see `experiments.mode_connectivity.matchers`.
      widths: of the three hidden layers of the perceptrons.
      channels: of the convolutional networks, whose last channels are a factor of a flattened axis.
      largest_trained: methods that learn permutations are run up to this width.
      source: where the digits are from, see `experiments.tasks.digits`.
      num_test: digits that are set apart.
      num_steps: training steps of each network.
      batch_size: digits a step and network.
      learning_rate: of Adam.
      num_starts: of weight matching.
      matching_steps: of the methods that learn permutations.
      matching_batch: digits a step of these.
      straight_through_rate, sinkhorn_rate: their learning rates.
      num_points: of the path between two networks.
      num_seeds: triples of networks.
      seed: of the parameters and of the orders.

    Raises:
      ValueError, TypeError: if a number is out of range, or a name is unknown.
    """

    methods: tuple[str, ...] = tuple(METHODS)
    widths: tuple[int, ...] = (32, 64, 128, 256, 512)
    channels: tuple[int, ...] = (16,)
    largest_trained: int = 256
    source: str = "scikit-learn"
    num_test: int = 360
    num_steps: int = 1000
    batch_size: int = 128
    learning_rate: float = 0.001
    num_starts: int = 3
    matching_steps: int = 200
    matching_batch: int = 256
    straight_through_rate: float = 0.01
    sinkhorn_rate: float = 0.1
    num_points: int = 11
    num_seeds: int = 3
    seed: int = 0

    def __post_init__(self):
        check.count("seed", self.seed, 0)
        counts = ("num_test", "num_steps", "batch_size", "num_starts", "matching_steps", "matching_batch")
        for name in (*counts, "num_seeds"):
            check.count(name, getattr(self, name), 1)
        check.count("largest_trained", self.largest_trained, 0)
        check.count("num_points", self.num_points, 3)
        if self.num_points % 2 == 0:
            raise ValueError(f"num_points must be odd, to hold the midpoint, got {self.num_points}")
        for name in ("learning_rate", "straight_through_rate", "sinkhorn_rate"):
            check.positive(name, getattr(self, name))
        check.one_of("source", self.source, SOURCES)
        for size in (*self.widths, *self.channels):
            check.count("widths and channels", size, 1)
        for method in self.methods:
            check.one_of("methods", method, METHODS)
        for name in ("methods", "widths", "channels"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name} must hold none twice, got {values}")
        if not self.methods or not (self.widths or self.channels):
            raise ValueError("there must be a method, and a width or a number of channels, got none")

    @property
    def architectures(self) -> tuple[tuple[str, int], ...]:
        """Kinds of network with their sizes."""
        return (*(("mlp", width) for width in self.widths), *(("cnn", size) for size in self.channels))


PRESETS = {
    "smoke": Config(
        methods=("none", "weights"), widths=(32,), channels=(), num_steps=200, num_points=5, num_seeds=1
    ),
    "small": Config(),
    "full": Config(
        widths=(32, 128, 512, 2048),
        channels=(16, 64),
        largest_trained=512,
        source="mnist_t10k",
        num_test=2000,
        num_steps=6000,
        batch_size=500,
        matching_steps=4000,
        matching_batch=1000,
        num_points=25,
        num_seeds=5,
    ),
}

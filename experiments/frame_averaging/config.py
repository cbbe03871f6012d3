"""Sizes and presets of the five parts."""

import dataclasses

from equijax.numerics import check

PARTS = ("separation", "classification", "normals", "particles", "stability")
NETWORKS = ("MLP", "GIN", "GIN+ID")
NORMAL_METHODS = ("PointNet", "FA-PointNet")
PARTICLE_METHODS = ("GNN", "GNN, augmented", "stochastic FA-GNN", "FA-GNN", "latent FA-GNN", "EGNN")


@dataclasses.dataclass(frozen=True)
class Config:
    """What a run depends on.

    Attributes:
      parts: which of separation, classification, normals, particles and stability to run.
      networks: of graphs, to separate with: MLP, GIN and GIN+ID.
      num_nodes: of the connected graphs to separate; 8 reads the data set ``graph8c``.
      num_pairs: pairs of EXP to separate; 0 takes pairs of rings, which need no file.
      separation_seeds: networks with random parameters.
      frame_limit: orders averaged over for a graph: all of its frame if it has no more, else so many drawn.
      linear_pairs: pairs for classification, of which two thirds are learnt from; from EXP, or pairs of rings
        where ``num_pairs`` is 0.
      linear_draws: orders drawn for each graph that the linear model learns from.
      graph_steps: training steps of GIN+ID; 0 leaves it out.
      normal_methods: PointNet, FA-PointNet.
      num_surfaces, num_points: surfaces to learn from, and points on each.
      normal_steps: training steps of the networks of normals.
      particle_methods: GNN, "GNN, augmented", stochastic FA-GNN, FA-GNN, latent FA-GNN, EGNN.
      num_train, num_test: systems of particles.
      particle_steps: training steps of the networks of particles.
      width: of the networks of particles.
      num_layers: rounds of messages of the networks of particles.
      num_seeds: networks of each kind.
      seed: of all random numbers.

    Raises:
      ValueError, TypeError: if a number is out of range, or a part is unknown.
    """

    parts: tuple[str, ...] = PARTS
    networks: tuple[str, ...] = NETWORKS
    num_nodes: int = 8
    num_pairs: int = 150
    separation_seeds: int = 10
    frame_limit: int = 24
    linear_pairs: int = 600
    linear_draws: int = 4
    graph_steps: int = 1000
    normal_methods: tuple[str, ...] = NORMAL_METHODS
    num_surfaces: int = 400
    num_points: int = 128
    normal_steps: int = 500
    particle_methods: tuple[str, ...] = PARTICLE_METHODS
    num_train: int = 1000
    num_test: int = 500
    particle_steps: int = 1500
    width: int = 30
    num_layers: int = 3
    num_seeds: int = 2
    seed: int = 0

    def __post_init__(self):
        if not self.parts:
            raise ValueError("parts must be at least one, got none")
        for name, known in {
            "parts": PARTS,
            "networks": NETWORKS,
            "normal_methods": NORMAL_METHODS,
            "particle_methods": PARTICLE_METHODS,
        }.items():
            for value in getattr(self, name):
                check.one_of(name, value, known)
        check.one_of("num_nodes", self.num_nodes, tuple(range(4, 9)))
        for name in ("num_pairs", "graph_steps", "seed"):
            check.count(name, getattr(self, name), 0)
        for name in ("separation_seeds", "frame_limit", "linear_draws", "num_surfaces", "num_points"):
            check.count(name, getattr(self, name), 1)
        for name in ("normal_steps", "num_train", "num_test", "particle_steps", "num_layers", "num_seeds"):
            check.count(name, getattr(self, name), 1)
        check.count("linear_pairs", self.linear_pairs, 6)
        check.count("width", self.width, 3)
        if self.width % 3:
            raise ValueError(
                f"width must be divisible by 3, as latent features are vectors, got {self.width}"
            )


PRESETS = {
    "smoke": Config(
        networks=("MLP", "GIN"),
        num_nodes=6,
        num_pairs=0,
        separation_seeds=2,
        linear_pairs=45,
        linear_draws=2,
        graph_steps=0,
        normal_methods=("FA-PointNet",),
        num_surfaces=20,
        num_points=32,
        normal_steps=20,
        particle_methods=("FA-GNN",),
        num_train=64,
        num_test=32,
        particle_steps=20,
        width=12,
        num_layers=2,
        num_seeds=1,
    ),
    "small": Config(),
    "full": Config(
        num_pairs=600,
        separation_seeds=100,
        graph_steps=16_000,
        num_surfaces=4000,
        num_points=512,
        normal_steps=50_000,
        num_train=3000,
        num_test=2000,
        particle_steps=300_000,
        width=60,
        num_layers=4,
        num_seeds=3,
    ),
}

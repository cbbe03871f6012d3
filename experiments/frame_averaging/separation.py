"""Separation: which pairs of graphs do networks with random parameters take for one?"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.baselines.graph_networks import GIN, GraphMLP
from experiments.baselines.side_by_side import initial_params
from experiments.frame_averaging.config import Config
from experiments.frame_averaging.orders import CHUNK, MISSING, Averager, frame_of
from experiments.tasks.graph8c_exp import (
    Graphs,
    connected_graphs,
    cycle_pairs,
    exp_pairs,
    relabelled,
    similar_pairs,
    similar_partners,
    told_apart,
    weisfeiler_leman_pairs,
)

NUM_OUTPUTS = 10

NETWORKS = {
    "MLP": GraphMLP((64, 64), NUM_OUTPUTS),
    "GIN": GIN(32, 3, NUM_OUTPUTS),
    "GIN+ID": GIN(32, 3, NUM_OUTPUTS, positions=True),
}

CASES = (
    ("GIN", "file order"),
    ("MLP", "random"),
    ("GIN+ID", "random"),
    ("MLP", "spectral"),
    ("GIN+ID", "spectral"),
    ("MLP", "minimal"),
    ("GIN+ID", "minimal"),
)
"""Networks, and the orders that their outputs are averaged over."""


class Separation(NamedTuple):
    """What networks with random parameters tell apart.

    Attributes:
      similar: pairs of graphs with similar outputs for all parameters.
      copies: graphs that some network tells from their relabelled copy.
      complete_copies: the same among the graphs whose frame was averaged over completely.
      num_complete: how many graphs these are.
      num_graphs: how many there are.
    """

    similar: int
    copies: int
    complete_copies: int
    num_complete: int
    num_graphs: int


class SeparationResult(NamedTuple):
    """Separation of all connected graphs, and of pairs alike to 1-WL.

    Attributes:
      connected, pairs: by network and kind of order.
      weisfeiler_leman: pairs of connected graphs that 1-WL leaves together.
      num_pairs: how many pairs alike to 1-WL there are.
    """

    connected: dict[tuple[str, str], Separation]
    pairs: dict[tuple[str, str], Separation]
    weisfeiler_leman: int
    num_pairs: int


def measure(config: Config) -> SeparationResult:
    """Separate all connected graphs of the configured size, and the pairs."""
    connected = connected_graphs(config.num_nodes)
    pairs = exp_pairs(config.num_pairs) if config.num_pairs else cycle_pairs(20, seed=config.seed)
    return SeparationResult(
        separate(config, connected, similar_pairs),
        separate(config, pairs, similar_partners),
        weisfeiler_leman_pairs(connected),
        len(pairs.labels) // 2,
    )


def separate(config: Config, graphs: Graphs, count_similar) -> dict[tuple[str, str], Separation]:
    """Compare every case on graphs and on relabelled copies of them."""
    copies = relabelled(graphs, seed=config.seed + 1)
    frames = functools.cache(
        lambda kind, copied: frame_of(
            kind, copies if copied else graphs, limit=config.frame_limit, seed=config.seed + 10 + copied
        )
    )
    averagers = {name: Averager(_random_networks(name, graphs, config)) for name in config.networks}
    results = {}
    for name, kind in CASES:
        if name not in averagers:
            continue
        outputs = []
        for copied, of in enumerate((graphs, copies)):
            frame, complete = frames(kind, bool(copied))
            outputs.append(np.moveaxis(averagers[name](frame, of), 0, 1))
        apart = told_apart(*outputs)
        if kind == "file order":  # a network that does not see the order has nothing to complete
            complete = np.ones(len(apart), bool)
        results[name, kind] = Separation(
            count_similar(outputs[0]),
            int(apart.sum()),
            int(apart[complete].sum()),
            int(complete.sum()),
            len(apart),
        )
    return results


def _random_networks(name: str, graphs: Graphs, config: Config):
    """Outputs of a graph by networks with different random parameters, shape ``(seeds, outputs)``.

    Before the final hyperbolic tangent, outputs are shifted and scaled to mean 0 and deviation 1 over some of
    the graphs, as by a data-dependent initialisation of the last layer: elsewhere the tangent would be flat,
    and count far outputs as similar.
    """
    model, n = NETWORKS[name], graphs.mask.shape[1]
    keys = jax.random.split(jax.random.key(config.seed), config.separation_seeds)
    params = initial_params(model, keys, jnp.zeros((n, n)), jnp.zeros((n, 2)))

    def logits(adjacency, types):
        features = jax.nn.one_hot(types, 2)
        return jax.vmap(lambda one: model.apply({"params": one}, adjacency, features))(params)

    rows = np.random.default_rng(config.seed).permutation(len(graphs.labels))[:CHUNK]
    types = np.where(graphs.mask, graphs.node_types, MISSING)[rows].astype(np.int32)
    some = jax.jit(jax.vmap(logits))(jnp.asarray(graphs.adjacency[rows], jnp.float32), types)
    shift, scale = jnp.mean(some, axis=0), jnp.std(some, axis=0) + 1e-6
    return lambda adjacency, types: jnp.tanh((logits(adjacency, types) - shift) / scale)

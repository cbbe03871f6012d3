"""mlip's MACE as an energy function of our batches, so that it trains on the same data in the same step."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jraph

from benchmarks.peers.contender import Unavailable, require
from equijax.graphs import graph_index, node_mask

NAME = "MACE, mlip"
MOST_CHANNELS = 256


class Mace(NamedTuple):
    """mlip's network with the interface of our potentials.

    Attributes:
      network: the Flax module.
      numbers: atomic numbers that species stand for.
      channels: of the network.
    """

    network: object
    numbers: Sequence[int]
    channels: int

    def init(self, key, graph: jraph.GraphsTuple) -> Mapping:
        """Parameters for batches like ``graph``."""
        return self.network.init(key, _converted(graph, self.numbers))

    def apply(self, variables: Mapping, graph: jraph.GraphsTuple, **options):
        """Energies of the graphs of a batch, eV."""
        result = self.network.apply(variables, _converted(graph, self.numbers), **options)
        energies = jnp.where(node_mask(graph), result.nodes.features["energy"], 0)
        return jax.ops.segment_sum(energies, graph_index(graph), graph.n_node.shape[0])


def make(
    *,
    numbers: Sequence[int],
    cutoff: float,
    lmax: int,
    num_interactions: int,
    order: int,
    radial_hidden: Sequence[int],
    avg_num_neighbors: float,
    num_parameters: int,
    graph: jraph.GraphsTuple,
) -> Mace:
    """The network with as many channels as bring its parameters closest to a number.

    Args:
      numbers: atomic numbers, sorted.
      cutoff: largest distance of neighbours, angstrom.
      lmax: largest degree of harmonics and of features.
      num_interactions: layers.
      order: highest power of the symmetric contraction.
      radial_hidden: sizes of the radial network's hidden layers.
      avg_num_neighbors: typical number of neighbours.
      num_parameters: to come close to.
      graph: a batch.

    Raises:
      Unavailable: if mlip is not installed.
    """
    require("mlip")
    try:
        from mlip.data.dataset_info import DatasetInfo
        from mlip.models.mace.network import Mace as Network
    except ImportError as error:
        raise Unavailable(f"mlip cannot be imported: {error}") from error

    about = DatasetInfo(
        atomic_energies_map={int(number): 0.0 for number in numbers},
        graph_cutoff_angstrom=cutoff,
        avg_num_neighbors=avg_num_neighbors,
    )

    def with_channels(channels: int) -> Mace:
        settings = Network.Config(
            num_layers=num_interactions,
            num_channels=channels,
            l_max=lmax,
            correlation=order,
            radial_mlp_hidden=list(radial_hidden),
            add_atomic_energies=False,
        )
        return Mace(Network(settings, about), tuple(numbers), channels)

    return _closest(lambda channels: _size(with_channels(channels), graph), num_parameters, with_channels)


def _size(model: Mace, graph: jraph.GraphsTuple) -> int:
    """Number of parameters, without making any."""
    variables = jax.eval_shape(model.init, jax.random.key(0), graph)
    return sum(leaf.size for leaf in jax.tree.leaves(variables))


def _closest(size: Callable[[int], int], wanted: int, build: Callable[[int], Mace]) -> Mace:
    """Bisection for the number of channels, of which the size is an increasing function."""
    low, high = 1, MOST_CHANNELS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size(middle) <= wanted else (low, middle)
    return build(min((low, high), key=lambda channels: abs(size(channels) - wanted)))


def _converted(graph: jraph.GraphsTuple, numbers: Sequence[int]):
    """Our batch of molecules (without periodic images) as mlip's, which wants edges sorted by sender.

    Ours are sorted by receiver and come in both directions, so that exchanging the ends sorts them.
    """
    from mlip.graph import Graph
    from mlip.graph.edge_ordering import EdgeOrdering
    from mlip.graph.graph import GraphEdges, GraphGlobals, GraphNodes

    positions = graph.nodes["positions"]
    num_graphs = graph.n_node.shape[0]
    atomic_numbers = jnp.asarray(numbers, jnp.int32)[graph.nodes["species"]]
    return Graph(
        nodes=GraphNodes(atomic_numbers=atomic_numbers, positions=positions),
        edges=GraphEdges(),
        globals=GraphGlobals(
            cell=jnp.zeros((num_graphs, 3, 3), positions.dtype), weight=jnp.ones(num_graphs, positions.dtype)
        ),
        n_node=graph.n_node,
        n_edge=graph.n_edge,
        senders=graph.receivers,
        receivers=graph.senders,
        ordering=EdgeOrdering.SENDER,
    )

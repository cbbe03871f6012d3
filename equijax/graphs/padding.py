"""Graphs of any size in arrays of one shape: batches padded with one dummy graph and empty ones.

The format is ``jraph``'s: a batch is one ``GraphsTuple`` whose last non-empty graph owns all the padding
nodes and edges. Batching runs on the host; the masks run anywhere.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import jraph
import numpy as np
from jaxtyping import Array, Bool, Int

from equijax.numerics import check


class PaddingBudget(NamedTuple):
    """The shape of a padded batch.

    Attributes:
      num_nodes: nodes, padding included; at least one is padding.
      num_edges: edges, padding included.
      num_graphs: graphs, padding included; at least one is padding.
    """

    num_nodes: int
    num_edges: int
    num_graphs: int


def padding_budget(num_nodes: Sequence[int], num_edges: Sequence[int], batch_size: int) -> PaddingBudget:
    """The smallest budget that holds any ``batch_size`` of the given graphs.

    Args:
      num_nodes, num_edges: nodes and edges of each graph.
      batch_size: graphs in a batch.

    Raises:
      ValueError: if the sequences are empty or differ in length, or ``batch_size`` is below 1.

    Example:
      >>> padding_budget([3, 5, 4], [6, 20, 12], batch_size=2)
      PaddingBudget(num_nodes=10, num_edges=32, num_graphs=3)
    """
    check.count("batch_size", batch_size, 1)
    if len(num_nodes) == 0 or len(num_nodes) != len(num_edges):
        raise ValueError(
            "num_nodes and num_edges must have the same positive length, "
            f"got {len(num_nodes)} and {len(num_edges)}"
        )
    largest = [int(np.sort(np.asarray(sizes))[-batch_size:].sum()) for sizes in (num_nodes, num_edges)]
    return PaddingBudget(largest[0] + 1, largest[1], batch_size + 1)


def pad_batch(graphs: Sequence[jraph.GraphsTuple], budget: PaddingBudget) -> jraph.GraphsTuple:
    """One padded batch of graphs, on the host.

    Args:
      graphs: at least one; the same features in each.
      budget: the shape.

    Returns:
      A ``GraphsTuple`` of numpy arrays: the graphs, a dummy graph with the padding nodes and edges (its
      features are zero, its edges loop on the first padding node), and empty graphs.

    Raises:
      ValueError: if there are no graphs or they do not fit.
      TypeError: if ``graphs`` is no sequence of graphs or ``budget`` no budget.

    Example:
      >>> one = jraph.GraphsTuple(
      ...     nodes=np.ones((2, 1)), edges=np.ones((1, 1)), senders=np.array([0]), receivers=np.array([1]),
      ...     globals=None, n_node=np.array([2]), n_edge=np.array([1]),
      ... )
      >>> pad_batch([one, one], PaddingBudget(6, 4, 4)).n_node.tolist()
      [2, 2, 2, 0]
    """
    if len(graphs) == 0:
        raise ValueError("graphs must hold at least one graph, got none")
    if isinstance(graphs, jraph.GraphsTuple):
        raise TypeError("graphs must be a sequence of GraphsTuple, as in [graph], got one GraphsTuple")
    for graph in graphs:
        check.instance("graphs[i]", graph, jraph.GraphsTuple)
    if not isinstance(budget, tuple) or len(budget) != 3:
        raise TypeError(f"budget must be a PaddingBudget, got {budget!r}")
    budget = PaddingBudget(*budget)
    needed = PaddingBudget(
        sum(int(np.sum(g.n_node)) for g in graphs) + 1,
        sum(int(np.sum(g.n_edge)) for g in graphs),
        sum(len(g.n_node) for g in graphs) + 1,
    )
    if any(need > have for need, have in zip(needed, budget)):
        raise ValueError(f"budget must be at least {needed} for these graphs, got {budget}")
    padded = jraph.pad_with_graphs(jraph.batch_np(list(graphs)), *budget)
    # jraph makes the indices of padding edges 64 bits wide, and with them all the others.
    return padded._replace(
        senders=padded.senders.astype(np.int32), receivers=padded.receivers.astype(np.int32)
    )


def graph_index(graph: jraph.GraphsTuple) -> Int[Array, "n"]:
    """The graph that each node belongs to.

    Example:
      >>> empty = jraph.GraphsTuple(
      ...     nodes=jnp.zeros((3, 1)), edges=None, senders=jnp.zeros(0, int), receivers=jnp.zeros(0, int),
      ...     globals=None, n_node=jnp.array([2, 1]), n_edge=jnp.array([0, 0]),
      ... )
      >>> graph_index(empty).tolist()
      [0, 0, 1]
    """
    return jnp.repeat(jnp.arange(graph.n_node.shape[0]), graph.n_node, total_repeat_length=num_nodes(graph))


def num_nodes(graph: jraph.GraphsTuple) -> int:
    """Static number of nodes of a batch, padding included.

    Raises:
      ValueError: if the graph has no node features to tell it by.

    Example:
      >>> empty = jraph.GraphsTuple(
      ...     nodes={"mass": np.ones(3)}, edges=None, senders=None, receivers=None, globals=None,
      ...     n_node=np.array([3]), n_edge=np.array([0]),
      ... )
      >>> num_nodes(empty)
      3
    """
    leaves = jax.tree.leaves(graph.nodes)
    if not leaves:
        raise ValueError("graph.nodes must hold at least one array, got none")
    return leaves[0].shape[0]


def node_mask(graph: jraph.GraphsTuple) -> Bool[Array, "n"]:
    """True for the nodes of a padded batch that are not padding.

    Example:
      >>> one = jraph.GraphsTuple(
      ...     nodes=np.ones((2, 1)), edges=np.ones((1, 1)), senders=np.array([0]), receivers=np.array([1]),
      ...     globals=None, n_node=np.array([2]), n_edge=np.array([1]),
      ... )
      >>> node_mask(pad_batch([one], PaddingBudget(4, 3, 3))).tolist()
      [True, True, False, False]
    """
    check.instance("graph", graph, jraph.GraphsTuple)
    return jraph.get_node_padding_mask(graph)


def edge_mask(graph: jraph.GraphsTuple) -> Bool[Array, "e"]:
    """True for the edges of a padded batch that are not padding.

    Example:
      >>> one = jraph.GraphsTuple(
      ...     nodes=np.ones((2, 1)), edges=np.ones((1, 1)), senders=np.array([0]), receivers=np.array([1]),
      ...     globals=None, n_node=np.array([2]), n_edge=np.array([1]),
      ... )
      >>> edge_mask(pad_batch([one], PaddingBudget(4, 3, 3))).tolist()
      [True, False, False]
    """
    check.instance("graph", graph, jraph.GraphsTuple)
    return jraph.get_edge_padding_mask(graph)


def graph_mask(graph: jraph.GraphsTuple) -> Bool[Array, "g"]:
    """True for the graphs of a padded batch that are not padding.

    Example:
      >>> one = jraph.GraphsTuple(
      ...     nodes=np.ones((2, 1)), edges=np.ones((1, 1)), senders=np.array([0]), receivers=np.array([1]),
      ...     globals=None, n_node=np.array([2]), n_edge=np.array([1]),
      ... )
      >>> graph_mask(pad_batch([one], PaddingBudget(4, 3, 3))).tolist()
      [True, False, False]
    """
    check.instance("graph", graph, jraph.GraphsTuple)
    return jraph.get_graph_padding_mask(graph)

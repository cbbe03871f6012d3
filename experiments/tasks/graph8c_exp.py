"""Graphs that are hard to tell apart: all connected graphs on eight nodes, and pairs alike to 1-WL.

Two kinds of task. *Separation*: how many pairs of non-isomorphic graphs does a network with random parameters
give nearly the same output, whatever its parameters? And, the control without which the answer means nothing:
how many graphs does it tell from a relabelled copy of themselves? *Classification*: EXP, whose pairs have
opposite labels (Abboud et al., IJCAI 2021). Its files are ordered so that the numbering of the nodes gives
the labels away; `relabelled` removes that.

Without files, the connected graphs on up to seven nodes, which are enumerated here, and pairs of rings stand
in for them.
"""

import functools
import itertools
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

import equijax as ej
from equijax.numerics import check


class Graphs(NamedTuple):
    """Graphs, padded to one size.

    Attributes:
      adjacency: symmetric, 0 or 1, shape ``(graphs, n, n)``.
      node_types: shape ``(graphs, n)``.
      mask: which nodes exist, shape ``(graphs, n)``.
      labels: 0 or 1, shape ``(graphs,)``.
    """

    adjacency: Float[np.ndarray, "g n n"]
    node_types: Int[np.ndarray, "g n"]
    mask: Bool[np.ndarray, "g n"]
    labels: Int[np.ndarray, " g"]


def _unlabelled(adjacency: np.ndarray) -> Graphs:
    """Graphs of one size without types and labels."""
    shape = adjacency.shape[:2]
    return Graphs(
        adjacency.astype(np.float64),
        np.zeros(shape, np.int32),
        np.ones(shape, bool),
        np.zeros(shape[0], np.int32),
    )


def connected_graphs(num_nodes: int) -> Graphs:
    """All connected graphs of a size, up to isomorphism: 21 on five nodes, 112 on six, 853, and 11,117 on 8.

    Args:
      num_nodes: 2 to 8; those on eight nodes are read from the data set ``graph8c``, smaller ones enumerated
        (about 10 seconds for seven nodes).

    Raises:
      ValueError: if the number is out of range.

    Example:
      >>> connected_graphs(5).adjacency.shape
      (21, 5, 5)
    """
    check.one_of("num_nodes", num_nodes, (2, 3, 4, 5, 6, 7, 8))
    if num_nodes == 8:
        return _unlabelled(ej.data.load("graph8c").adjacency)
    return _unlabelled(_enumerated(num_nodes))


@functools.lru_cache
def _enumerated(n: int) -> np.ndarray:
    """All connected graphs: one more node is joined to any of the others, and doubles are dropped."""
    if n == 1:
        return np.zeros((1, 1, 1))
    found = {}
    for smaller, chosen in itertools.product(_enumerated(n - 1), range(1, 2 ** (n - 1))):
        graph = np.zeros((n, n))
        graph[:-1, :-1] = smaller
        graph[-1, :-1] = graph[:-1, -1] = (chosen >> np.arange(n - 1)) & 1
        order = ej.graphs.canonical_labelling(graph).order
        graph = graph[order][:, order]
        found[graph.tobytes()] = graph
    return np.stack([found[form] for form in sorted(found)])


def exp_pairs(num_pairs: int | None = None) -> Graphs:
    """The first pairs of EXP; graphs 2i and 2i + 1 are a pair.

    Args:
      num_pairs: how many; all 600 if None.

    Raises:
      ValueError: if there are not so many.
    """
    loaded = ej.data.load("exp")
    count = len(loaded.labels) // 2 if num_pairs is None else num_pairs
    check.count("num_pairs", count, 1)
    if 2 * count > len(loaded.labels):
        raise ValueError(f"num_pairs must be at most {len(loaded.labels) // 2}, got {num_pairs}")
    return Graphs(
        loaded.adjacency[: 2 * count].astype(np.float64),
        loaded.node_types[: 2 * count],
        loaded.mask[: 2 * count],
        loaded.labels[: 2 * count].astype(np.int32),
    )


def cycle_pairs(num_pairs: int, *, seed: int = 0) -> Graphs:
    """Pairs that 1-WL cannot tell apart, made on the spot: one ring, or two, with the same leaves.

    The graphs of a pair have a ring of 2k nodes, and two rings of k nodes (3 ≤ k ≤ 6), of which each node
    carries the same number of leaves, 0 to 2. Label 1 is for the single ring.

    Args:
      num_pairs: how many.
      seed: of the choice of k and of the leaves.

    Raises:
      ValueError: if the number is below 1.

    Example:
      >>> pairs = cycle_pairs(2)
      >>> pairs.labels.tolist(), pairs.adjacency.shape
      ([1, 0, 1, 0], (4, 36, 36))
    """
    check.count("num_pairs", num_pairs, 1)
    random = np.random.default_rng(seed)
    found = []
    for _ in range(num_pairs):
        k, leaves = int(random.integers(3, 7)), int(random.integers(0, 3))
        found += [_ring_graph((2 * k,), leaves), _ring_graph((k, k), leaves)]
    size = 36
    adjacency, mask = np.zeros((len(found), size, size)), np.zeros((len(found), size), bool)
    for number, graph in enumerate(found):
        n = len(graph)
        adjacency[number, :n, :n], mask[number, :n] = graph, True
    labels = np.tile(np.array([1, 0], np.int32), num_pairs)
    return Graphs(adjacency, np.zeros(mask.shape, np.int32), mask, labels)


def _ring_graph(rings: tuple[int, ...], leaves: int) -> np.ndarray:
    """Rings of given lengths with so many leaves at each of their nodes."""
    total = sum(rings)
    n = total * (1 + leaves)
    adjacency = np.zeros((n, n))
    start = 0
    for length in rings:
        ring = start + np.arange(length)
        adjacency[ring, np.roll(ring, -1)] = 1
        start += length
    outer = np.arange(total, n)
    adjacency[outer, (outer - total) % total] = 1
    return np.maximum(adjacency, adjacency.T)


def relabelled(graphs: Graphs, *, seed: int) -> Graphs:
    """Isomorphic copies: the nodes of every graph in a random order; nodes that do not exist stay last.

    Example:
      >>> graphs = connected_graphs(4)
      >>> copies = relabelled(graphs, seed=0)
      >>> (copies.adjacency.sum(axis=(1, 2)) == graphs.adjacency.sum(axis=(1, 2))).all()
      np.True_
    """
    random = np.random.default_rng(seed)
    order = np.argsort(np.where(graphs.mask, random.random(graphs.mask.shape), 2.0), axis=1, kind="stable")
    rows = np.arange(len(order))[:, None]
    return Graphs(
        graphs.adjacency[rows[:, :, None], order[:, :, None], order[:, None, :]],
        graphs.node_types[rows, order],
        graphs.mask[rows, order],
        graphs.labels,
    )


def similar_pairs(outputs: Float[np.ndarray, "seeds graphs k"], *, tolerance: float = 1e-3) -> int:
    """How many pairs of graphs have outputs within a distance for every seed.

    Args:
      outputs: of networks with different random parameters.
      tolerance: the largest L1 distance of outputs that count as the same.

    Example:
      >>> similar_pairs(np.array([[[0.0], [0.0], [1.0]], [[0.0], [2.0], [2.0]]]))
      0
      >>> similar_pairs(np.zeros((2, 4, 3)))
      6
    """
    import scipy.spatial

    pairs = scipy.spatial.cKDTree(outputs[0]).query_pairs(tolerance, p=1, output_type="ndarray")
    for other in outputs[1:]:
        distances = np.abs(other[pairs[:, 0]] - other[pairs[:, 1]]).sum(axis=1)
        pairs = pairs[distances <= tolerance]
    return len(pairs)


def similar_partners(outputs: Float[np.ndarray, "seeds graphs k"], *, tolerance: float = 1e-3) -> int:
    """How many of the pairs of graphs 2i and 2i + 1 have outputs within a distance for every seed.

    Example:
      >>> similar_partners(np.array([[[0.0], [0.0], [0.0], [1.0]]]))
      1
    """
    distances = np.abs(outputs[:, ::2] - outputs[:, 1::2]).sum(axis=-1)
    return int((distances <= tolerance).all(axis=0).sum())


def told_apart(outputs, copies, *, tolerance: float = 1e-3) -> Bool[np.ndarray, " graphs"]:
    """Whether some seed gives a graph and its copy outputs further apart than a distance.

    Args:
      outputs, copies: outputs of graphs and of their relabelled copies, shape ``(seeds, graphs, k)``.
      tolerance: the largest L1 distance of outputs that count as the same.

    Example:
      >>> told_apart(np.zeros((2, 1, 3)), np.array([[[0.0, 0, 0]], [[0, 0, 1.0]]]))
      array([ True])
    """
    return (np.abs(outputs - copies).sum(axis=-1) > tolerance).any(axis=0)


def weisfeiler_leman_pairs(graphs: Graphs) -> int:
    """How many pairs of graphs the test of Weisfeiler and Leman (dimension 1) leaves together: exact.

    Example:
      >>> weisfeiler_leman_pairs(connected_graphs(6))
      3
    """
    colors = np.where(graphs.mask, graphs.node_types + 1, 0).astype(np.int64)
    before = 0
    while before < len(np.unique(colors)):
        before = len(np.unique(colors))
        around = np.sort(np.where(graphs.adjacency > 0, colors[:, None, :] + 1, 0), axis=2)
        rows = np.concatenate([colors[:, :, None], around], axis=2).reshape(-1, colors.shape[1] + 1)
        rows[~graphs.mask.ravel()] = 0
        colors = np.unique(rows, axis=0, return_inverse=True)[1].reshape(colors.shape)
    counts = np.unique(np.sort(colors, axis=1), axis=0, return_counts=True)[1]
    return int(np.sum(counts * (counts - 1) // 2))


@functools.lru_cache
def upper_triangle(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the entries above the diagonal.

    Example:
      >>> upper_triangle(3)[1].tolist()
      [1, 2, 2]
    """
    return np.triu_indices(n, 1)

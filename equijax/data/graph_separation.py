"""Parsers of graphs that are hard to tell apart."""

import gzip
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from equijax.data import registry, store
from equijax.data.errors import DataError


class Graph8c(NamedTuple):
    """All connected graphs on eight nodes, up to isomorphism, in the order of McKay's enumeration.

    Attributes:
      adjacency: shape ``(11117, 8, 8)``.

    Example:
      >>> Graph8c._fields
      ('adjacency',)
    """

    adjacency: Bool[np.ndarray, "graphs 8 8"]


class Exp(NamedTuple):
    """Pairs of graphs that the Weisfeiler-Leman test cannot tell apart; each stands for a formula of logic.

    Graphs 2i and 2i + 1 are a pair; they are not isomorphic, and have different labels.

    Attributes:
      adjacency: shape ``(1200, 64, 64)``; nodes beyond the graph's number have no edges.
      node_types: 0 or 1, shape ``(1200, 64)``; 0 for nodes that do not exist.
      mask: which nodes exist, shape ``(1200, 64)``.
      labels: whether the formula can be satisfied, shape ``(1200,)``.

    Example:
      >>> Exp._fields
      ('adjacency', 'node_types', 'mask', 'labels')
    """

    adjacency: Bool[np.ndarray, "graphs n n"]
    node_types: Int[np.ndarray, "graphs n"]
    mask: Bool[np.ndarray, "graphs n"]
    labels: Bool[np.ndarray, "graphs"]


def load_graph8c() -> Graph8c:
    """Load ``graph8c``; see :func:`equijax.data.load`."""
    entry = registry.ENTRIES["graph8c"]
    path = store.locate("graph8c", entry.files["adjacency"], origin=entry.origin)
    with gzip.open(path) as stream:
        return Graph8c(np.stack([parse_graph6(line) for line in stream.read().split()]))


def load_exp() -> Exp:
    """Load ``exp``; see :func:`equijax.data.load`."""
    entry = registry.ENTRIES["exp"]
    path = store.locate("exp", entry.files["all"], origin=entry.origin)
    with np.load(path) as stored:
        arrays = dict(stored)
    sizes = arrays["num_nodes"].astype(int)
    mask = np.arange(sizes.max()) < sizes[:, None]
    node_types = np.zeros(mask.shape, np.int32)
    node_types[mask] = arrays["node_type"]
    adjacency = np.zeros((*mask.shape, sizes.max()), bool)
    graph = np.repeat(np.arange(len(sizes)), arrays["num_edges"])
    adjacency[graph, arrays["edges"][0], arrays["edges"][1]] = True
    return Exp(adjacency, node_types, mask, arrays["label"].astype(bool))


def parse_graph6(line: bytes) -> Bool[np.ndarray, "n n"]:
    """The adjacency matrix of a graph in graph6 format, of at most 62 nodes.

    Args:
      line: a line of a file, without its end.

    Raises:
      DataError: if it is not of that format.

    Example:
      >>> parse_graph6(b"Bw").astype(int).tolist()
      [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    """
    codes = np.frombuffer(line, np.uint8).astype(int) - 63
    n = int(codes[0]) if codes.size else -1
    count = n * (n - 1) // 2
    if not 0 <= n <= 62 or len(codes) != 1 + -(-count // 6) or codes.min() < 0 or codes.max() > 63:
        raise DataError(f"line must be a graph of at most 62 nodes in graph6 format, got {line!r}")
    bits = (codes[1:, None] >> np.arange(5, -1, -1)) & 1
    adjacency = np.zeros((n, n), bool)
    # Above the diagonal, column by column.
    columns, rows = np.tril_indices(n, -1)
    adjacency[rows, columns] = bits.ravel()[:count]
    return adjacency | adjacency.T

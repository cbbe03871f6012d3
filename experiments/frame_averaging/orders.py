"""Frames of padded graphs, in four ways: none, random, by spectral keys, minimal."""

import jax
import jax.numpy as jnp
import numpy as np

from equijax.equivariance import average_over
from equijax.graphs import canonical_labelling, sorting_frame, sorting_frame_size, spectral_key
from equijax.groups import Frame, PermutationTensor, S, Trivial, uniform_frame
from experiments.tasks.graph8c_exp import Graphs

MISSING = 2
"""The type of nodes that do not exist, beyond 0 and 1."""

CHUNK = 512


def keys_of(graphs: Graphs) -> np.ndarray:
    """Spectral keys of all graphs, in double precision, the node types last; infinite for missing nodes."""
    with jax.enable_x64(True):
        compute = jax.jit(spectral_key)
        chunks = [
            np.asarray(compute(graphs.adjacency[start : start + CHUNK], graphs.mask[start : start + CHUNK]))
            for start in range(0, len(graphs.labels), CHUNK)
        ]
    types = np.where(graphs.mask, graphs.node_types, np.inf)
    return np.concatenate([np.concatenate(chunks), types[:, :, None]], axis=2)


def constant_keys(graphs: Graphs) -> np.ndarray:
    """Keys that are equal for all nodes, so that every order is a sorted one."""
    return np.where(graphs.mask, 0.0, np.inf)[:, :, None]


def shuffled_orders(keys: np.ndarray, random: np.random.Generator, count: int) -> np.ndarray:
    """Random sorted orders of every graph, tied nodes shuffled; shape ``(graphs, count, n)``.

    Args:
      keys: shape ``(graphs, n, k)``, infinite for missing nodes.
      random: where ties are drawn from.
      count: orders a graph.
    """
    graphs, n, columns = keys.shape
    wide = np.broadcast_to(keys[:, None], (graphs, count, n, columns))
    ties = np.where(np.isinf(wide[..., 0]), np.arange(n), random.random(wide.shape[:3]))
    return np.lexsort((ties, *np.moveaxis(wide, -1, 0)[::-1]), axis=-1).astype(np.int32)


def frame_of(kind: str, graphs: Graphs, *, limit: int, seed: int) -> tuple[Frame, np.ndarray]:
    """The frames of graphs as one batch, and for which of them the frame is complete.

    Args:
      kind: ``"file order"`` (the nodes as they are numbered), ``"random"`` (one random order), ``"spectral"``
        (the frame of `spectral_key`, complete if it has at most ``limit`` elements, else so many drawn from
        it) or ``"minimal"`` (the order of `canonical_labelling`).
      graphs: the graphs.
      limit: the number of elements of a frame; smaller frames are filled up with weights of zero.
      seed: of random orders.
    """
    count, n = graphs.mask.shape
    random = np.random.default_rng(seed)
    complete = np.full(count, kind == "minimal")
    if kind == "file order":
        orders = np.broadcast_to(np.arange(n, dtype=np.int32), (count, 1, n))
    elif kind == "random":
        orders = shuffled_orders(constant_keys(graphs), random, 1)
    elif kind == "minimal":
        orders = canonical_orders(graphs)
    else:
        keys = keys_of(graphs)
        orders = shuffled_orders(keys, random, limit)
        weights = np.full((count, limit), 1 / limit)
        complete = np.array([sorting_frame_size(each) <= limit for each in keys])
        for number in np.flatnonzero(complete):
            found = np.asarray(sorting_frame(keys[number]).elements)
            orders[number, : len(found)] = found
            weights[number] = np.where(np.arange(limit) < len(found), 1 / len(found), 0)
        return Frame(S(n), jnp.asarray(orders), jnp.asarray(weights, jnp.float32)), complete
    return uniform_frame(S(n), jnp.asarray(orders), dtype=jnp.float32), complete


def canonical_orders(graphs: Graphs) -> np.ndarray:
    """The canonical order of every graph, nodes that do not exist at the end; shape ``(graphs, 1, n)``."""
    found = np.empty((len(graphs.labels), 1, graphs.mask.shape[1]), np.int32)
    for number, (adjacency, node_types, mask) in enumerate(zip(*graphs[:3], strict=True)):
        places = np.flatnonzero(mask)
        order = canonical_labelling(adjacency[np.ix_(places, places)], node_types[places]).order
        found[number, 0] = np.concatenate([places[order], np.flatnonzero(~mask)])
    return found


class Averager:
    """The averages of a function of graphs over frames, compiled once for each size of frames.

    Args:
      fn: ``fn(adjacency, types)``, a function of one graph with invariant outputs ``(..., k)``; missing nodes
        have type `MISSING`.
    """

    def __init__(self, fn):
        reps = (PermutationTensor(2), PermutationTensor(1))

        def average(frame, adjacency, types):
            return average_over(fn, frame, reps, Trivial(), (adjacency, types))

        self._average = jax.jit(jax.vmap(average))

    def __call__(self, frame: Frame, graphs: Graphs) -> np.ndarray:
        """Outputs of all graphs, in chunks.

        Args:
          frame: one frame a graph.
          graphs: the graphs.

        Returns:
          Shape ``(graphs, ..., k)``.
        """
        types = np.where(graphs.mask, graphs.node_types, MISSING).astype(np.int32)
        count = len(types)
        found = []
        for start in range(0, count, CHUNK):
            # The last chunk is filled up from the start, so that all have one shape.
            rows = np.arange(start, start + min(CHUNK, count)) % count
            part = jax.tree.map(lambda leaf, rows=rows: leaf[rows], frame)
            chunk = self._average(part, jnp.asarray(graphs.adjacency[rows], jnp.float32), types[rows])
            found.append(np.asarray(chunk))
        return np.concatenate(found)[:count]

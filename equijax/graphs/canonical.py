"""Canonical labelling of graphs, and the smallest frames that there are.

Two labelled graphs have equal canonical forms iff they are isomorphic. The method is that of McKay,
"Practical graph isomorphism", 1981, in its simplest form: refine colours of the nodes by those of their
neighbours; where nodes remain alike, set each apart in turn and go on; keep the least matrix that any such
path ends in. Two paths that end in one matrix differ by an automorphism, which spares other paths. It runs on
the host, in numpy: fast for graphs of up to some hundred nodes that are not made to be hard.
"""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Int

from equijax.groups import S
from equijax.groups.frame import Frame, uniform_frame
from equijax.numerics import check


class Labelling(NamedTuple):
    """A canonical order of the nodes of a graph.

    Attributes:
      order: the nodes in canonical order, int32, shape ``(n,)``: ``adjacency[order][:, order]`` is the
        canonical form.
      automorphisms: generators of the automorphism group as permutations ``i -> generator[i]``, int32, shape
        ``(count, n)``.
    """

    order: Int[np.ndarray, "n"]
    automorphisms: Int[np.ndarray, "count n"]


def canonical_labelling(adjacency, labels=None) -> Labelling:
    """A canonical order of the nodes, and what generates the automorphisms.

    Args:
      adjacency: shape ``(n, n)``, of any numbers, which are compared exactly; need not be symmetric.
      labels: a label of each node, integers of shape ``(n,)``; permutations keep it. All alike if None.

    Returns:
      A `Labelling`. The order as the one element of a frame makes every function of graphs invariant, with
      one call (Puny et al., ICLR 2022, theorem 3); for equivariant functions see `minimal_frame`.

    Raises:
      TypeError: if ``adjacency`` or ``labels`` are not known numbers, as under ``jit``, or the labels not
        integers.
      ValueError: if the shapes do not match.

    Example:
      >>> path = np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]])
      >>> found = canonical_labelling(path)
      >>> path[found.order][:, found.order].tolist(), found.automorphisms.tolist()
      ([[0, 0, 1], [0, 0, 1], [1, 1, 0]], [[0, 2, 1]])
    """
    if isinstance(adjacency, jax.core.Tracer) or isinstance(labels, jax.core.Tracer):
        raise TypeError(
            "adjacency and labels must be known numbers, got a tracer: labelling runs on the host"
        )
    n = check.shape("adjacency", adjacency, "n n")["n"]
    check.count("the number of nodes", n, 1)
    if labels is not None:
        check.integer("labels", labels)
        check.shape("labels", labels, "n", n=n)
    weights = np.unique(np.asarray(adjacency), return_inverse=True)[1].reshape(n, n)
    colors = np.zeros(n, np.int64) if labels is None else np.unique(labels, return_inverse=True)[1]
    search = _Search(weights, colors)
    generators = np.array(search.automorphisms, np.int32).reshape(-1, n)
    return Labelling(search.best_order.astype(np.int32), generators)


def minimal_frame(adjacency, labels=None, *, max_size: int = 5040) -> Frame:
    """The smallest frame of a graph: all orders of the nodes that give its canonical form.

    It has as many elements as the graph has automorphisms, and no equivariant frame has fewer (Puny et al.,
    ICLR 2022, theorem 2; Lin et al., "Equivariance via minimal frame averaging", ICML 2024): one for almost
    every graph. Runs on the host.

    Args:
      adjacency: shape ``(n, n)``, of any numbers, which are compared exactly.
      labels: a label of each node, integers of shape ``(n,)``.
      max_size: the largest number of elements to list.

    Returns:
      The frame of S(n), with equal weights; exact for every graph.

    Raises:
      TypeError: as `canonical_labelling`.
      ValueError: if the shapes do not match, or there are more elements than ``max_size``. For invariant
        functions, one element is enough then, that of `canonical_labelling`.

    Example:
      >>> minimal_frame(np.ones((3, 3))).size, minimal_frame(np.diag([1.0, 2.0, 3.0])).size
      (6, 1)
    """
    found = canonical_labelling(adjacency, labels)
    n = len(found.order)
    identity = tuple(range(n))
    group, frontier = {identity}, [identity]
    while frontier:
        element = np.array(frontier.pop())
        for generator in found.automorphisms:
            product = tuple(generator[element].tolist())
            if product not in group:
                group.add(product)
                frontier.append(product)
        if len(group) > max_size:
            raise ValueError(f"adjacency must have at most {max_size} automorphisms to list them, got more")
    elements = np.array(sorted(group), np.int32)[:, found.order]
    return uniform_frame(S(n), jax.numpy.asarray(elements))


def refine_colors(weights: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """The coarsest equitable colouring finer than a given one: the Weisfeiler-Leman test of dimension 1.

    Nodes keep one colour where they have equally many arcs of each weight, in each direction, to nodes of
    each colour. Colours are numbered from 0 in a way that no relabelling of the nodes changes.

    Args:
      weights: arc weights as small integers, shape ``(n, n)``.
      colors: integers, shape ``(n,)``.

    Example:
      >>> refine_colors(np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]), np.zeros(3, int))
      array([0, 1, 0])
    """
    n = len(colors)
    top = int(weights.max(initial=0)) + 1
    colors = np.unique(colors, return_inverse=True)[1].reshape(n)
    count = int(colors.max(initial=-1)) + 1
    # Both directions of an arc and its end's colour in one number; the own entry is no arc of its own kind.
    both = weights * top + weights.T + top * top * np.eye(n, dtype=np.int64)
    while True:
        arcs = np.sort(both * (n + 1) + colors, axis=1)
        rows = np.concatenate([colors[:, None], arcs], axis=1)
        colors = np.unique(rows, axis=0, return_inverse=True)[1].reshape(n)
        refined = int(colors.max()) + 1
        if refined == count:
            return colors
        count = refined


class _Search:
    """The search tree: its best leaf, and the automorphisms found on the way."""

    def __init__(self, weights: np.ndarray, colors: np.ndarray):
        self.weights = weights
        self.labels = colors
        self.automorphisms: list[tuple[int, ...]] = []
        self.best_order: np.ndarray | None = None
        self.best_form: bytes = b""
        self.best_path: list[int] = []
        self.best_traces: list[bytes] = []
        self._visit(refine_colors(weights, colors), [], [])

    def _visit(self, colors: np.ndarray, path: list[int], traces: list[bytes]) -> int:
        """Search below a node of the tree; returns the depth to go back to."""
        depth = len(path)
        traces = [*traces, self._trace(colors)]
        if self.best_order is not None:
            best = self.best_traces[: depth + 1]
            # A path whose traces are larger than the best's cannot end in the best leaf.
            if traces > best:
                return depth
        sizes = np.bincount(colors)
        if np.all(sizes == 1):
            return self._leaf(np.argsort(colors), path, traces)
        target = int(np.argmin(np.where(sizes > 1, sizes, len(colors) + 1)))
        tried: list[int] = []
        for node in np.flatnonzero(colors == target).tolist():
            if self._orbit(node, path) & set(tried):
                continue
            tried.append(node)
            apart = 2 * colors
            apart[node] -= 1
            back = self._visit(refine_colors(self.weights, apart), [*path, node], traces)
            if back < depth:
                return back
        return depth

    def _trace(self, colors: np.ndarray) -> bytes:
        """What no relabelling changes of a coloured graph: sizes of the colours, and arcs between them."""
        first = np.unique(colors, return_index=True)[1]
        arcs = np.sort(self.weights[first] * (len(colors) + 1) + colors, axis=1)
        return np.bincount(colors).astype(">i8").tobytes() + arcs.astype(">i8").tobytes()

    def _leaf(self, order: np.ndarray, path: list[int], traces: list[bytes]) -> int:
        """Compare a leaf with the best one; returns the depth to go back to."""
        form = (
            self.weights[order][:, order].astype(">i8").tobytes() + self.labels[order].astype(">i8").tobytes()
        )
        if self.best_order is not None and (traces, form) == (self.best_traces, self.best_form):
            automorphism = np.empty_like(order)
            automorphism[self.best_order] = order
            self.automorphisms.append(tuple(automorphism.tolist()))
            # Everything below the place where the paths part is an image of what has been seen.
            return next(d for d, (a, b) in enumerate(zip(path, self.best_path)) if a != b)
        if self.best_order is None or (traces, form) < (self.best_traces, self.best_form):
            self.best_order, self.best_form = order, form
            self.best_path, self.best_traces = path, traces
        return len(path)

    def _orbit(self, node: int, path: list[int]) -> set[int]:
        """Where the automorphisms found so far that fix the path take a node."""
        fixing = [g for g in self.automorphisms if all(g[fixed] == fixed for fixed in path)]
        orbit, frontier = {node}, [node]
        while frontier:
            place = frontier.pop()
            for g in fixing:
                if g[place] not in orbit:
                    orbit.add(g[place])
                    frontier.append(g[place])
        return orbit

"""Hypothesis strategies: group elements, arrays of a representation, padded graphs.

They shrink: elements to the identity or to motions along single axes, arrays to few small integers,
graphs to one node. Hypothesis is imported when a strategy is made; install it with ``pip install
"equijax[test]"``.
"""

import functools

import jax
import jax.numpy as jnp
import jraph
import numpy as np

from equijax import groups
from equijax.equivariance import signature
from equijax.numerics import check
from equijax.testing import inputs

_ANGLES = (1.0, 0.5, -1.0, np.pi / 2, np.pi, 0.1)
"""Algebra coordinates that are drawn, the simplest first."""

_SEEDS = 2**16
_LISTED = 1000
"""Finite groups of at most so many elements are drawn from by number."""


def import_hypothesis():
    """The ``hypothesis`` package.

    Raises:
      ImportError: if it is not installed, with the command that installs it.

    Example:
      >>> import_hypothesis().__name__
      'hypothesis'
    """
    try:
        import hypothesis.strategies
    except ImportError as error:
        raise ImportError(
            'this part of equijax.testing needs hypothesis: install it with pip install "equijax[test]"'
        ) from error
    return hypothesis


def elements(group: groups.Group, dtype=None):
    """A strategy for the elements of a group.

    Args:
      group: any group. The factors of a product are drawn independently.
      dtype: floating dtype of the elements' real-valued arrays; JAX's default if None.

    Returns:
      A strategy for elements without batch axes. Permutations shrink to the identity; elements of Lie groups
      to exponentials along single axes, or for O(n) and E(n) to the reflection of the first axis; others to
      the elements of small seeds.

    Raises:
      TypeError: if ``group`` is not a group.
      ImportError: if Hypothesis is not installed.

    Example:
      >>> import hypothesis
      >>> @hypothesis.given(elements(groups.S(4)))
      ... def test_inverse(g):
      ...     assert (groups.S(4).compose(g, groups.S(4).inverse(g)) == np.arange(4)).all()
      >>> test_inverse()
    """
    signature.check_group(group)
    st = import_hypothesis().strategies
    factors = getattr(group, "factors", None)
    if factors is not None:
        return st.tuples(*(elements(factor, dtype) for factor in factors))
    if isinstance(group, groups.S):
        return st.permutations(range(group.n)).map(lambda image: np.array(image, np.int32))
    seeds = st.integers(0, _SEEDS - 1)
    if group.is_finite and group.order <= _LISTED:
        listed = jax.tree.map(np.asarray, group.elements())
        return st.integers(0, group.order - 1).map(lambda i: jax.tree.map(lambda leaf: leaf[i], listed))
    dim = getattr(group, "algebra_dim", 0)
    reflects = isinstance(group, groups.O | groups.E)

    # All that may be needed is drawn each time, so that shrinking can pass from one kind to a simpler one. It
    # is compiled only when drawn, because the precision in force belongs to the test.
    def make(drawn):
        kind, axis, angle, seed = drawn
        if kind == 0 and dim:
            return _exponential(group, _float_name(dtype))(axis, angle)
        if kind == 1 and reflects:
            return _reflection(group, _float_name(dtype))
        return _sampler(group, _float_name(dtype))(seed)

    axes = st.integers(0, max(dim - 1, 0))
    return st.tuples(st.integers(0, 4), axes, st.sampled_from(_ANGLES), seeds).map(make)


def _float_name(dtype) -> str:
    """The dtype's name, JAX's default for None."""
    return jnp.dtype(jnp.result_type(float) if dtype is None else dtype).name


@functools.lru_cache(maxsize=64)
def _sampler(group, dtype: str):
    """A compiled function from a seed to an element."""
    return jax.jit(lambda seed: group.sample(jax.random.key(seed), (), dtype))


@functools.lru_cache(maxsize=64)
def _exponential(group, dtype: str):
    """A compiled function from an axis of the algebra and a coordinate to an element."""

    def along(axis, angle):
        return group.exp(jnp.zeros(group.algebra_dim, dtype).at[axis].set(angle))

    return jax.jit(along)


def _reflection(group, dtype: str):
    """The reflection of the first axis, for O(n) and E(n)."""
    identity = group.identity((), dtype)
    return jax.tree.map(lambda leaf: leaf.at[0, 0].set(-1) if leaf.ndim == 2 else leaf, identity)


def arrays(rep, group: groups.Group, *, batch: tuple[int, ...] = (), dtype=None, degenerate: bool = True):
    """A strategy for arrays that a representation acts on.

    Args:
      rep: the representation.
      group: the group.
      batch: axes before those of the representation.
      dtype: floating dtype; JAX's default if None.
      degenerate: whether to draw, besides normal entries, the degenerate kinds of
        `equijax.testing.inputs.draw` and arrays of few small integers.

    Returns:
      A strategy for arrays ``(*batch, *rep.shape(group))``.

    Raises:
      TypeError: if the group has no such representation.
      ImportError: if Hypothesis is not installed.

    Example:
      >>> import hypothesis
      >>> @hypothesis.given(arrays(groups.Vector(), groups.SO(3), batch=(5,)))
      ... def test_shape(x):
      ...     assert x.shape == (5, 3) and x.dtype == np.float32
      >>> test_shape()
    """
    signature.check_group(group)
    return drawn_arrays((*batch, *rep.shape(group)), _float_name(dtype), degenerate).map(
        lambda drawn: drawn[1]
    )


def drawn_arrays(shape: tuple[int, ...], dtype: str, degenerate: bool, scale: float = 1.0):
    """A strategy for pairs of a kind (see `equijax.testing.inputs.KINDS`, or ``"sparse"``) and an array of
    it.

    Example:
      >>> import hypothesis
      >>> @hypothesis.given(drawn_arrays((2, 3), "float32", degenerate=False))
      ... def test_kind(drawn):
      ...     assert drawn[0] == "normal" and drawn[1].shape == (2, 3)
      >>> test_kind()
    """
    st = import_hypothesis().strategies
    seeds = st.integers(0, _SEEDS - 1)

    def of_kind(kind):
        return seeds.map(lambda seed: (kind, inputs.draw(kind, shape, seed=seed, scale=scale, dtype=dtype)))

    normal = of_kind("normal")
    if not degenerate:
        return normal
    from hypothesis.extra.numpy import arrays as numpy_arrays

    whole = st.integers(-4, 4).map(float)
    sparse = numpy_arrays("float64", shape, elements=whole, fill=st.just(0.0))
    sparse = sparse.map(lambda array: ("sparse", (array * scale).astype(dtype)))
    kinds = st.sampled_from(inputs.KINDS[1:]).flatmap(of_kind)
    return st.one_of(sparse, normal, kinds, normal)


def padded_graphs(
    *,
    max_nodes: int = 6,
    max_edges: int = 12,
    max_graphs: int = 2,
    node_shape: tuple[int, ...] = (3,),
    edge_shape: tuple[int, ...] | None = None,
    self_edges: bool = False,
    dtype=None,
):
    """A strategy for padded batches of graphs, all of one padded size, so that a compiled function is reused.

    Graphs of one node, graphs without edges, and batches that are nothing but padding are among them.

    Args:
      max_nodes: the number of nodes in a batch, at most; the padded arrays hold one more.
      max_edges: the number of edges in a batch, at most, and the size of the padded arrays.
      max_graphs: the number of graphs in a batch, at most; the padded arrays hold one more.
      node_shape: axes of the node features.
      edge_shape: axes of the edge features, or None for edges without features.
      self_edges: whether an edge may begin and end at one node.
      dtype: floating dtype of the features; JAX's default if None.

    Returns:
      A strategy for ``jraph.GraphsTuple`` with normal features, edges inside one graph each, and padding as
      ``jraph.pad_with_graphs`` does it (``jraph.get_node_padding_mask`` and its kin tell it from the rest).

    Raises:
      ValueError: if ``max_nodes`` or ``max_graphs`` is below 1, or ``max_edges`` is negative.
      ImportError: if Hypothesis is not installed.

    Example:
      >>> import hypothesis
      >>> @hypothesis.given(padded_graphs(max_nodes=4, max_graphs=1))
      ... def test_nodes(graph):
      ...     assert graph.nodes.shape == (5, 3) and graph.n_node.sum() == 5
      >>> test_nodes()
    """
    check.count("max_nodes", max_nodes, 1)
    check.count("max_edges", max_edges, 0)
    check.count("max_graphs", max_graphs, 1)
    st = import_hypothesis().strategies
    dtype = _float_name(dtype)

    @st.composite
    def draw_batch(draw):
        sizes = []
        for _ in range(draw(st.integers(1, max_graphs))):
            sizes.append(draw(st.integers(0, max_nodes - sum(sizes))))
        random = np.random.default_rng(draw(st.integers(0, _SEEDS - 1)))
        pairs, left = [], max_edges
        for size in sizes:
            possible = size * size if self_edges else size * (size - 1)
            count = draw(st.integers(0, min(left, possible)))
            left -= count
            pairs.append(_random_edges(random, size, count, self_edges))
        return _padded(
            random, sizes, pairs, (max_nodes + 1, max_edges, max_graphs + 1), node_shape, edge_shape, dtype
        )

    return draw_batch()


def _random_edges(random, size: int, count: int, self_edges: bool) -> np.ndarray:
    """Different directed edges among the nodes of one graph, shape ``(count, 2)``."""
    senders, receivers = np.nonzero(np.ones((size, size)) if self_edges else 1 - np.eye(size))
    chosen = random.permutation(len(senders))[:count]
    return np.stack([senders[chosen], receivers[chosen]], axis=-1)


def _padded(random, sizes, pairs, padded_sizes, node_shape, edge_shape, dtype) -> jraph.GraphsTuple:
    """Join graphs given by their sizes and edges, with normal features, and pad."""
    offsets = np.cumsum([0, *sizes[:-1]])
    edges = np.concatenate([pair + offset for pair, offset in zip(pairs, offsets, strict=True)]).astype(
        np.int32
    )
    graph = jraph.GraphsTuple(
        nodes=random.normal(size=(sum(sizes), *node_shape)).round(2).astype(dtype),
        edges=None
        if edge_shape is None
        else random.normal(size=(len(edges), *edge_shape)).round(2).astype(dtype),
        senders=edges[:, 0],
        receivers=edges[:, 1],
        globals=None,
        n_node=np.array(sizes, np.int32),
        n_edge=np.array([len(pair) for pair in pairs], np.int32),
    )
    return jraph.pad_with_graphs(graph, *padded_sizes)

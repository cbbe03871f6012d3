"""Padded batches: masks, budgets, the dummy graph, and what happens to graphs that do not fit."""

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import jraph
import numpy as np
import pytest

from equijax import graphs


def make_graph(num_nodes, num_edges, seed=0, num_graphs=1):
    """A graph (or a batch of them, of which the first has all the nodes) with random features."""
    random = np.random.default_rng(seed)
    counts = np.zeros((2, num_graphs), np.int32)
    counts[:, 0] = num_nodes, num_edges
    return jraph.GraphsTuple(
        nodes={"positions": random.normal(size=(num_nodes, 3)), "species": random.integers(0, 3, num_nodes)},
        edges={"shifts": random.normal(size=(num_edges, 3))},
        senders=random.integers(0, max(num_nodes, 1), num_edges).astype(np.int32),
        receivers=random.integers(0, max(num_nodes, 1), num_edges).astype(np.int32),
        globals={"cell": random.normal(size=(num_graphs, 3, 3))},
        n_node=counts[0],
        n_edge=counts[1],
    )


sizes = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 9)), min_size=1, max_size=5)


@hypothesis.given(sizes=sizes)
def test_masks_tell_padding_from_the_rest_and_features_stay(sizes):
    check_padding(sizes, graphs.PaddingBudget(31, 45, 6))


@pytest.mark.parametrize("sizes", [[(3, 2), (1, 0)], [(1, 0)], [(4, 5)]])
def test_masks_are_right_when_the_batch_just_fits(sizes):
    nodes, edges = (sum(column) for column in zip(*sizes))
    check_padding(sizes, graphs.PaddingBudget(nodes + 1, edges, len(sizes) + 1))


def check_padding(sizes, budget):
    """Pad graphs of the given numbers of nodes and edges, and check every array of the result."""
    members = [make_graph(n, e, seed) for seed, (n, e) in enumerate(sizes)]
    nodes, edges = (sum(column) for column in zip(*sizes))
    batch = graphs.pad_batch(members, budget)
    assert graphs.num_nodes(batch) == budget.num_nodes
    assert batch.senders.shape == batch.receivers.shape == (budget.num_edges,)
    assert batch.n_node.shape == (budget.num_graphs,)
    assert batch.n_node.sum() == budget.num_nodes
    assert batch.n_edge.sum() == budget.num_edges
    for mask, real in (
        (graphs.node_mask(batch), nodes),
        (graphs.edge_mask(batch), edges),
        (graphs.graph_mask(batch), len(sizes)),
    ):
        np.testing.assert_array_equal(mask, np.arange(len(mask)) < real)

    positions = np.concatenate([member.nodes["positions"] for member in members])
    np.testing.assert_array_equal(batch.nodes["positions"][:nodes], positions)
    assert not batch.nodes["positions"][nodes:].any()
    offsets = np.cumsum([0, *(n for n, _ in sizes)])
    senders = np.concatenate([member.senders + offset for member, offset in zip(members, offsets)])
    np.testing.assert_array_equal(batch.senders[:edges], senders)
    # Padding edges loop on padding nodes, so nothing flows between padding and the graphs.
    assert np.all(batch.senders[edges:] == nodes)
    assert np.all(batch.receivers[edges:] == nodes)
    index = np.asarray(graphs.graph_index(batch))
    np.testing.assert_array_equal(index[:nodes], np.repeat(np.arange(len(sizes)), [n for n, _ in sizes]))
    assert np.all(index[nodes:] == len(sizes))


@hypothesis.given(sizes=sizes, batch_size=st.integers(1, 7), seed=st.integers(0, 1000))
def test_budget_holds_any_batch_and_is_the_smallest(sizes, batch_size, seed):
    num_nodes, num_edges = zip(*sizes)
    budget = graphs.padding_budget(num_nodes, num_edges, batch_size)
    chosen = np.random.default_rng(seed).permutation(len(sizes))[:batch_size]
    members = [make_graph(*sizes[index]) for index in chosen]
    assert graphs.pad_batch(members, budget).n_node.shape == (batch_size + 1,)
    largest = [sum(sorted(column)[-batch_size:]) for column in (num_nodes, num_edges)]
    assert budget == (largest[0] + 1, largest[1], batch_size + 1)


def test_masks_and_indices_work_under_jit():
    batch = graphs.pad_batch([make_graph(3, 2), make_graph(1, 0)], graphs.PaddingBudget(7, 4, 5))

    @jax.jit
    def masks(graph):
        return (
            graphs.node_mask(graph),
            graphs.edge_mask(graph),
            graphs.graph_mask(graph),
            graphs.graph_index(graph),
        )

    nodes, edges, members, index = masks(batch)
    assert nodes.tolist() == [True] * 4 + [False] * 3
    assert edges.tolist() == [True] * 2 + [False] * 2
    assert members.tolist() == [True] * 2 + [False] * 3
    assert index.tolist() == [0, 0, 0, 1, 2, 2, 2]


def test_masks_and_indices_work_under_vmap_over_stacked_batches():
    budget = graphs.PaddingBudget(7, 4, 4)
    batches = [graphs.pad_batch(members, budget) for members in ([make_graph(3, 2)], [make_graph(2, 4)] * 1)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *batches)
    np.testing.assert_array_equal(
        jax.vmap(graphs.node_mask)(stacked), jnp.stack([graphs.node_mask(batch) for batch in batches])
    )
    np.testing.assert_array_equal(
        jax.vmap(graphs.graph_index)(stacked), jnp.stack([graphs.graph_index(batch) for batch in batches])
    )


def test_batches_of_batches_are_padded_too():
    batch = graphs.pad_batch([make_graph(3, 2, num_graphs=2)], graphs.PaddingBudget(5, 2, 3))
    assert batch.n_node.tolist() == [3, 0, 2]
    assert graphs.graph_mask(batch).tolist() == [True, True, False]


def test_dtypes_stay():
    batch = graphs.pad_batch([make_graph(3, 2)], graphs.PaddingBudget(5, 4, 2))
    assert batch.nodes["positions"].dtype == np.float64
    assert batch.nodes["species"].dtype == np.int64
    assert batch.senders.dtype == np.int32


def test_graph_without_node_features_has_no_size():
    with pytest.raises(ValueError, match=r"graph\.nodes must hold at least one array, got none"):
        graphs.num_nodes(make_graph(3, 2)._replace(nodes=None))


WRONG_CALLS = [
    (
        lambda: graphs.pad_batch([], graphs.PaddingBudget(4, 4, 4)),
        "graphs must hold at least one graph, got no",
    ),
    (
        lambda: graphs.pad_batch([make_graph(4, 2)], graphs.PaddingBudget(4, 2, 2)),
        r"budget must be at least PaddingBudget\(num_nodes=5, .*got PaddingBudget\(num_nodes=4",
    ),
    (
        lambda: graphs.pad_batch([make_graph(4, 2)], graphs.PaddingBudget(5, 1, 2)),
        "budget must be at least .*num_edges=2.*got .*num_edges=1",
    ),
    (
        lambda: graphs.pad_batch([make_graph(4, 2)] * 2, graphs.PaddingBudget(9, 4, 2)),
        "budget must be at least .*num_graphs=3.*got .*num_graphs=2",
    ),
    (lambda: graphs.padding_budget([3], [2], 0), "batch_size must be a number of at least 1, got 0"),
    (lambda: graphs.padding_budget([], [], 1), "num_nodes and num_edges must have .*, got 0 and 0"),
    (lambda: graphs.padding_budget([3, 4], [2], 1), "num_nodes and num_edges must have .*, got 2 and 1"),
]


@pytest.mark.parametrize(("call", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_wrong_kinds_are_named():
    graph = graphs.molecular_graph([1, 1], np.eye(3)[:2], 3.0, species=(1,))
    with pytest.raises(TypeError, match=r"graphs must be a sequence of GraphsTuple, as in \[graph\]"):
        graphs.pad_batch(graph, graphs.PaddingBudget(4, 8, 2))
    with pytest.raises(TypeError, match="budget must be a PaddingBudget, got 4"):
        graphs.pad_batch([graph], 4)
    for mask in (graphs.node_mask, graphs.edge_mask, graphs.graph_mask):
        with pytest.raises(TypeError, match="graph must be a GraphsTuple, got ndarray"):
            mask(np.ones(3))

import networkx as nx
import numpy as np
import pytest

from experiments.tasks import graph8c_exp as task


def wl_hash(graph):
    nx.set_node_attributes(graph, "x", "type")
    return nx.weisfeiler_lehman_graph_hash(graph, node_attr="type", iterations=7)


@pytest.mark.parametrize(("size", "count"), [(2, 1), (3, 2), (4, 6), (5, 21), (6, 112)])
def test_small_connected_graphs_are_those_of_the_atlas(size, count):
    graphs = task.connected_graphs(size)
    assert len(graphs.adjacency) == count
    assert graphs.mask.all()
    found = [nx.from_numpy_array(each) for each in graphs.adjacency]
    assert all(nx.is_connected(graph) for graph in found)
    hashes = {wl_hash(graph) for graph in found}
    atlas = [g for g in nx.graph_atlas_g() if g.number_of_nodes() == size and nx.is_connected(g)]
    assert hashes == {wl_hash(graph) for graph in atlas}


def test_pairs_of_rings_are_alike_to_1_wl_only():
    pairs = task.cycle_pairs(12, seed=3)
    for first, second in zip(pairs.adjacency[::2], pairs.adjacency[1::2], strict=True):
        graphs = [nx.from_numpy_array(each) for each in (first, second)]
        assert not nx.faster_could_be_isomorphic(*graphs) or not nx.is_isomorphic(*graphs)
    for number in range(12):
        pair = task.Graphs(*(array[2 * number : 2 * number + 2] for array in pairs))
        assert task.weisfeiler_leman_pairs(pair) == 1
    assert not (pairs.adjacency.any(axis=2) & ~pairs.mask).any()


def test_copies_are_isomorphic_and_keep_types():
    graphs = task.cycle_pairs(3)
    graphs = graphs._replace(node_types=graphs.mask * (np.arange(36) % 2).astype(np.int32))
    copies = task.relabelled(graphs, seed=1)
    np.testing.assert_array_equal(copies.mask, graphs.mask)
    assert (copies.adjacency != graphs.adjacency).any()
    for number in range(6):
        n = graphs.mask[number].sum()
        both = []
        for source in (graphs, copies):
            graph = nx.from_numpy_array(source.adjacency[number, :n, :n])
            nx.set_node_attributes(graph, dict(enumerate(source.node_types[number, :n].tolist())), "type")
            both.append(graph)
        assert nx.is_isomorphic(*both, node_match=lambda a, b: a["type"] == b["type"])


def test_weisfeiler_leman_agrees_with_networkx():
    graphs = task.connected_graphs(6)
    hashes = [wl_hash(nx.from_numpy_array(each)) for each in graphs.adjacency]
    _, counts = np.unique(hashes, return_counts=True)
    assert task.weisfeiler_leman_pairs(graphs) == np.sum(counts * (counts - 1) // 2)


def test_similarity_must_hold_for_every_seed():
    outputs = np.zeros((2, 4, 1))
    outputs[1, 2] = 0.5
    assert task.similar_pairs(outputs) == 3
    assert task.similar_partners(outputs) == 1
    assert task.told_apart(outputs, np.zeros((2, 4, 1))).tolist() == [False, False, True, False]


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="num_nodes must be one of 2, 3, 4, 5, 6, 7, 8, got 9"):
        task.connected_graphs(9)
    with pytest.raises(ValueError, match="num_pairs must be a number of at least 1"):
        task.cycle_pairs(0)

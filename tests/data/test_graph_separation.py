import gzip
import os

import networkx as nx
import numpy as np
import pytest

import equijax as ej
from equijax.data import graph_separation, registry, store

needs_files = pytest.mark.skipif(not os.environ.get("EQUIJAX_DATA"), reason="EQUIJAX_DATA is not set")


@pytest.fixture
def replace_file(tmp_path, monkeypatch):
    """Register another file for a data set."""

    def replace(name, part, path):
        file = registry.File(path.name, store.sha256(path), None, converted=True)
        entry = registry.ENTRIES[name]._replace(files={part: file})
        monkeypatch.setitem(registry.ENTRIES, name, entry)
        monkeypatch.setenv("EQUIJAX_DATA", str(tmp_path))

    return replace


@pytest.mark.parametrize("size", [0, 1, 2, 7, 8, 20, 62])
def test_graph6_agrees_with_networkx(size):
    graph = nx.gnp_random_graph(size, 0.4, seed=size)
    line = nx.to_graph6_bytes(graph, header=False).strip()
    np.testing.assert_array_equal(
        graph_separation.parse_graph6(line), nx.to_numpy_array(graph).reshape(size, size)
    )


@pytest.mark.parametrize("line", [b"", b"B", b"Bww", b"~??", b"B "])
def test_other_lines_are_refused(line):
    with pytest.raises(ej.data.DataError, match="graph6 format"):
        graph_separation.parse_graph6(line)


def test_connected_graphs(tmp_path, replace_file):
    graphs = [nx.cycle_graph(8), nx.path_graph(8), nx.complete_graph(8)]
    path = tmp_path / "graphs.g6.gz"
    path.write_bytes(gzip.compress(b"".join(nx.to_graph6_bytes(graph, header=False) for graph in graphs)))
    replace_file("graph8c", "adjacency", path)
    loaded = ej.data.load("graph8c")
    np.testing.assert_array_equal(loaded.adjacency, [nx.to_numpy_array(graph) for graph in graphs])


def test_pairs_are_padded(tmp_path, replace_file):
    path = tmp_path / "exp.npz"
    np.savez(
        path,
        node_type=np.array([1, 0, 1, 1, 0], np.int8),
        num_nodes=np.array([2, 3], np.int16),
        edges=np.array([[0, 1, 0, 2], [1, 0, 2, 0]], np.int8),
        num_edges=np.array([2, 2], np.int16),
        label=np.array([1, 0], np.int8),
    )
    replace_file("exp", "all", path)
    loaded = ej.data.load("exp")
    assert loaded.node_types.tolist() == [[1, 0, 0], [1, 1, 0]]
    assert loaded.mask.tolist() == [[True, True, False], [True, True, True]]
    assert loaded.labels.tolist() == [True, False]
    assert np.argwhere(loaded.adjacency).tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 2], [1, 2, 0]]


@needs_files
def test_the_published_graphs():
    adjacency = ej.data.load("graph8c").adjacency
    assert adjacency.shape == (11117, 8, 8)
    assert all(nx.is_connected(nx.from_numpy_array(graph)) for graph in adjacency[::500])


@needs_files
def test_the_published_pairs():
    loaded = ej.data.load("exp")
    assert loaded.adjacency.shape == (1200, 64, 64)
    np.testing.assert_array_equal(loaded.adjacency, np.swapaxes(loaded.adjacency, 1, 2))
    assert not (loaded.adjacency & ~loaded.mask[:, None]).any()
    np.testing.assert_array_equal(loaded.labels[::2], ~loaded.labels[1::2])
    degrees = np.sort(loaded.adjacency.sum(axis=2), axis=1)
    np.testing.assert_array_equal(degrees[::2], degrees[1::2])

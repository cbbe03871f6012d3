import subprocess
import sys

import hypothesis
import jax
import jax.numpy as jnp
import jraph
import numpy as np
import pytest

import equijax as ej
from equijax import groups
from equijax.testing import strategies

GROUPS = [
    groups.SO(2),
    groups.O(3),
    groups.E(2),
    groups.Translation(2),
    groups.Scaling(2),
    groups.Cyclic(5),
    groups.Dihedral(3),
    groups.S(4),
    groups.TrivialGroup(),
    groups.S(3) * groups.SO(3) * groups.Cyclic(2),
]


@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_elements_are_elements(group):
    @hypothesis.given(strategies.elements(group))
    @hypothesis.settings(max_examples=10)
    def check(g):
        group.check_element("g", g)
        product = group.matrix(group.compose(g, group.inverse(g)))
        np.testing.assert_allclose(product, group.matrix(group.identity()), atol=1e-4)

    check()


def test_elements_in_double_precision(x64):
    @hypothesis.given(strategies.elements(groups.O(3), "float64"))
    def check(g):
        assert g.dtype == jnp.float64
        np.testing.assert_allclose(g @ g.T, np.eye(3), atol=1e-12)

    check()


def smallest(strategy, condition):
    settings = hypothesis.settings(max_examples=500, derandomize=True, database=None)
    return hypothesis.find(strategy, condition, settings=settings)


def test_elements_shrink_to_simple_ones():
    image = smallest(strategies.elements(groups.S(5)), lambda g: g[4] != 4)
    assert sorted(image) == list(range(5))
    assert sum(image != np.arange(5)) == 2
    turn = smallest(strategies.elements(groups.SO(3)), lambda g: abs(g[1, 1] - 1) > 0.1)
    assert turn[0, 0] == 1.0 or turn[2, 2] == 1.0
    reflection = smallest(strategies.elements(groups.O(3)), lambda g: np.linalg.det(g) < 0)
    np.testing.assert_array_equal(reflection, np.diag([-1.0, 1.0, 1.0]))


def test_arrays_include_degenerate_ones():
    strategy = strategies.arrays(groups.Vector(), groups.SO(3), batch=(4,), dtype="float32")
    zeros = smallest(strategy, lambda x: True)
    np.testing.assert_array_equal(zeros, np.zeros((4, 3), np.float32))
    for condition in (
        lambda x: np.abs(x).max() > 1e2,
        lambda x: 0 < np.abs(x).max() < 1e-2,
        lambda x: np.abs(x).min() > 0 and np.linalg.matrix_rank(np.diff(x, axis=0)) == 0,
        lambda x: np.linalg.matrix_rank(x) == 3,
    ):
        assert condition(smallest(strategy, condition))


def test_arrays_can_do_without():
    @hypothesis.given(strategies.arrays(groups.Vector(), groups.SO(3), batch=(4,), degenerate=False))
    def check(x):
        assert np.linalg.matrix_rank(x) == 3
        assert 0.3 < np.abs(x).max() < 10

    check()


def test_padded_graphs():
    seen = set()

    @hypothesis.given(strategies.padded_graphs(max_nodes=4, max_edges=5, max_graphs=2, edge_shape=(2,)))
    @hypothesis.settings(max_examples=100)
    def check(graph):
        assert graph.nodes.shape == (5, 3)
        assert graph.edges.shape == (5, 2)
        assert graph.senders.shape == graph.receivers.shape == (5,)
        assert graph.n_node.shape == (3,)
        assert int(graph.n_node.sum()) == 5
        nodes, edges = (
            np.asarray(mask(graph)) for mask in (jraph.get_node_padding_mask, jraph.get_edge_padding_mask)
        )
        graph_of = np.repeat(np.arange(3), graph.n_node)
        pairs = np.stack([graph.senders, graph.receivers], -1)[edges]
        assert nodes[pairs].all()
        assert (graph_of[pairs[:, 0]] == graph_of[pairs[:, 1]]).all()
        assert (pairs[:, 0] != pairs[:, 1]).all()
        assert len(np.unique(pairs, axis=0)) == len(pairs)
        seen.add(("nodes", int(nodes.sum())))
        seen.add(("edges", int(edges.sum())))

    check()
    assert {("nodes", 0), ("nodes", 1), ("nodes", 4), ("edges", 0)} <= seen
    assert ("edges", 5) in seen or ("edges", 4) in seen


def test_self_edges():
    strategy = strategies.padded_graphs(max_nodes=1, max_edges=1, max_graphs=1, self_edges=True)
    graph = smallest(strategy, lambda graph: graph.n_edge[0] == 1)
    assert (graph.senders[0], graph.receivers[0]) == (0, 0)


def test_errors_name_the_argument():
    with pytest.raises(TypeError, match="group must be a Group"):
        strategies.elements(3)
    with pytest.raises(ValueError, match="max_nodes must be a number of at least 1, got 0"):
        strategies.padded_graphs(max_nodes=0)
    with pytest.raises(TypeError):
        strategies.arrays(groups.Vector(), groups.S(3))


def test_without_hypothesis_the_error_names_the_extra():
    program = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "import equijax as ej\n"
        "assert callable(ej.testing.audit)\n"
        "try:\n    ej.testing.strategies.elements(ej.groups.SO(3))\n"
        "except ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 'pip install "equijax[test]"' in done.stdout
    assert jax.tree.leaves(ej.groups.S(2).identity())

import jax
import jax.numpy as jnp
import networkx as nx
import numpy as np
import pytest

from equijax.equivariance import average_over
from equijax.graphs import canonical_labelling, minimal_frame, refine_colors
from equijax.groups import PermutationTensor, S, Trivial

ATLAS = [g for g in nx.graph_atlas_g() if 1 <= g.number_of_nodes() <= 6]
# Regular graphs, where refinement alone tells nothing.
HARD = {
    "petersen": (nx.petersen_graph(), 120),
    "cube": (nx.cubical_graph(), 48),
    "two triangles": (nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3)), 72),
    "complete": (nx.complete_graph(6), 720),
    "frucht": (nx.frucht_graph(), 1),
    "dodecahedron": (nx.dodecahedral_graph(), 120),
    "heawood": (nx.heawood_graph(), 336),
    "complete bipartite": (nx.complete_bipartite_graph(4, 4), 1152),
}


def form(adjacency, labels=None):
    order = canonical_labelling(adjacency, labels).order
    return adjacency[order][:, order].tobytes() + (b"" if labels is None else labels[order].tobytes())


def shuffled(adjacency, seed):
    moved = np.random.RandomState(seed).permutation(len(adjacency))
    return adjacency[moved][:, moved], moved


def test_forms_of_the_atlas_agree_iff_graphs_are_isomorphic():
    forms = []
    for number, graph in enumerate(ATLAS):
        adjacency = nx.to_numpy_array(graph)
        assert form(shuffled(adjacency, number)[0]) == form(adjacency)
        forms.append(form(adjacency))
    assert len(set(forms)) == len(ATLAS) == 208


def test_frames_of_the_atlas_have_as_many_elements_as_automorphisms():
    for graph in ATLAS[::3]:
        adjacency = nx.to_numpy_array(graph)
        frame = np.asarray(minimal_frame(adjacency).elements)
        matcher = nx.isomorphism.GraphMatcher(graph, graph)
        assert len(frame) == sum(1 for _ in matcher.isomorphisms_iter())
        assert len({adjacency[each][:, each].tobytes() for each in frame}) == 1


@pytest.mark.parametrize("name", HARD)
def test_regular_graphs(name):
    graph, size = HARD[name]
    adjacency = nx.to_numpy_array(graph)
    frame = minimal_frame(adjacency)
    assert frame.size == size
    forms = {adjacency[each][:, each].tobytes() for each in np.asarray(frame.elements)}
    assert len(forms) == 1
    assert form(shuffled(adjacency, 3)[0]) == forms.pop()


def test_large_symmetric_graphs_are_quick():
    adjacency = nx.to_numpy_array(nx.disjoint_union_all([nx.complete_graph(6)] * 5))
    assert form(shuffled(adjacency, 0)[0]) == form(adjacency)


def test_strongly_regular_graphs_are_told_apart():
    rook = nx.to_numpy_array(nx.line_graph(nx.complete_bipartite_graph(4, 4)))
    places = [(i, j) for i in range(4) for j in range(4)]
    steps = {(0, 1), (1, 0), (1, 1)}
    shrikhande = np.array(
        [
            [
                float(((a - c) % 4, (b - d) % 4) in steps or ((c - a) % 4, (d - b) % 4) in steps)
                for c, d in places
            ]
            for a, b in places
        ]
    )
    np.testing.assert_allclose(rook.sum(axis=1), shrikhande.sum(axis=1))
    assert form(shuffled(rook, 1)[0]) == form(rook)
    assert form(shuffled(shrikhande, 1)[0]) == form(shrikhande)
    assert form(rook) != form(shrikhande)


def test_labels_and_directions_count():
    path = nx.to_numpy_array(nx.path_graph(3))
    assert minimal_frame(path).size == 2
    assert minimal_frame(path, np.array([0, 1, 7])).size == 1
    assert form(path, np.array([0, 1, 7])) == form(path[::-1, ::-1].copy(), np.array([7, 1, 0]))
    assert form(path, np.array([0, 1, 7])) != form(path, np.array([0, 7, 1]))
    directed = np.triu(path)
    assert minimal_frame(directed).size == 1
    assert form(directed) == form(directed[::-1, ::-1].copy())
    loops = np.diag([1.0, 0.0, 0.0])
    assert minimal_frame(loops).size == 2


def test_averages_over_minimal_frames_are_exact(x64):
    random = np.random.RandomState(0)
    weights = random.randn(64, 16), random.randn(16, 9)

    def network(a):
        return jnp.tanh(a.reshape(64) @ weights[0]) @ weights[1]

    def averaged(a):
        out = average_over(
            lambda a: {"nodes": network(a)[:8], "graph": network(a)[8]},
            minimal_frame(a),
            (PermutationTensor(2),),
            {"nodes": PermutationTensor(1), "graph": Trivial()},
            (jnp.asarray(a),),
        )
        return out["nodes"], out["graph"]

    for name in ("cube", "complete bipartite"):
        adjacency = nx.to_numpy_array(HARD[name][0])
        moved, source = shuffled(adjacency, 2)
        nodes, graph = averaged(adjacency)
        moved_nodes, moved_graph = averaged(moved)
        np.testing.assert_allclose(moved_nodes, nodes[source], atol=1e-12)
        np.testing.assert_allclose(moved_graph, graph, atol=1e-12)


def test_frames_are_elements_of_the_symmetric_group():
    frame = minimal_frame(nx.to_numpy_array(nx.path_graph(4)))
    assert frame.group == S(4)
    assert frame.elements.dtype == jnp.int32
    assert np.all(np.sort(frame.elements, axis=-1) == np.arange(4))


def test_refinement_is_the_weisfeiler_leman_test():
    for graph in ATLAS[::7]:
        adjacency = nx.to_numpy_array(graph, dtype=int)
        n = len(adjacency)
        found = refine_colors(adjacency, np.zeros(n, int))
        # Independently: iterated hashing of the neighbours' colours.
        colors = [0] * n
        for _ in range(n):
            rows = [(colors[i], tuple(sorted(colors[j] for j in graph[i]))) for i in range(n)]
            colors = [sorted(set(rows)).index(row) for row in rows]
        same = np.equal.outer(found, found)
        np.testing.assert_array_equal(same, np.equal.outer(np.array(colors), np.array(colors)))


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match=r"adjacency must have shape \(n, n\)"):
        canonical_labelling(np.ones((2, 3)))
    with pytest.raises(ValueError, match="labels must have shape"):
        canonical_labelling(np.ones((2, 2)), np.ones(3, int))
    with pytest.raises(TypeError, match="labels must be an integer array"):
        canonical_labelling(np.ones((2, 2)), np.ones(2))
    with pytest.raises(TypeError, match="must be known numbers, got a tracer"):
        jax.jit(lambda a: canonical_labelling(a).order)(jnp.ones((2, 2)))
    with pytest.raises(ValueError, match="adjacency must have at most 100 automorphisms"):
        minimal_frame(np.ones((6, 6)), max_size=100)
    with pytest.raises(ValueError, match="the number of nodes must be a number of at least 1"):
        canonical_labelling(np.ones((0, 0)))

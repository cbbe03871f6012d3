"""Molecules as graphs: features, connecting vectors, tables of elements."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import graphs, testing
from equijax.groups import E, PermutationTensor, Point, S, Trivial, Vector

WATER = np.array([[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.0]])


def water(**options):
    return graphs.molecular_graph([8, 1, 1], WATER, 2.0, **{"species": (1, 6, 8), **options})


def test_features_of_a_molecule():
    graph = water()
    assert graph.nodes["species"].tolist() == [2, 0, 0]
    np.testing.assert_array_equal(graph.nodes["positions"], WATER.astype(np.float32))
    assert graph.n_node.tolist() == [3]
    assert graph.n_edge.tolist() == [6] == [len(graph.senders)]
    assert graph.globals["cell"].shape == (1, 3, 3)
    assert not graph.globals["cell"].any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_that_asked_for(dtype):
    graph = water(dtype=dtype, cell=np.eye(3) * 3, pbc=True)
    floating = (graph.nodes["positions"], graph.edges["shifts"], graph.globals["cell"])
    assert {array.dtype for array in floating} == {np.dtype(dtype)}
    assert graph.senders.dtype == graph.receivers.dtype == graph.nodes["species"].dtype == np.int32


def test_relative_vectors_cross_the_cell():
    cell = np.diag([3.0, 10.0, 10.0])
    positions = np.array([[0.1, 0.0, 0.0], [2.9, 0.0, 0.0]])
    graph = graphs.molecular_graph(
        [1, 1], positions, 1.0, species=(1,), cell=cell, pbc=True, dtype=np.float64
    )
    assert graph.receivers.tolist() == [0, 1]
    np.testing.assert_allclose(graphs.relative_vectors(graph), [[-0.2, 0, 0], [0.2, 0, 0]], atol=1e-12)


def test_relative_vectors_are_within_the_cutoff_for_any_cell():
    random = np.random.default_rng(0)
    cell = np.diag([2.0, 3.0, 4.0]) + random.uniform(-0.4, 0.4, (3, 3))
    graph = graphs.molecular_graph(
        np.ones(8, int), random.uniform(-9, 9, (8, 3)), 2.5, species=(1,), cell=cell, pbc=True, dtype=float
    )
    lengths = np.linalg.norm(graphs.relative_vectors(graph), axis=1)
    assert len(lengths) > 8
    assert lengths.max() < 2.5


def test_relative_vectors_are_translation_invariant_rotation_equivariant_and_differentiable():
    graph = graphs.complete_molecular_graph(jnp.asarray(WATER), jnp.array([1, 0, 0]))

    def vectors(positions):
        moved = graph._replace(nodes={**graph.nodes, "positions": positions})
        return graphs.relative_vectors(moved)

    testing.assert_equivariant(
        vectors, E(3), in_reps=(Point(),), out_reps=Vector(), shapes=((4, 3),), gradient=True, max_examples=20
    )
    np.testing.assert_allclose(jax.jit(vectors)(graph.nodes["positions"]), vectors(graph.nodes["positions"]))


def test_complete_graph_holds_every_ordered_pair_and_a_dummy():
    graph = graphs.complete_molecular_graph(jnp.asarray(WATER), jnp.array([2, 0, 0]))
    pairs = set(zip(graph.senders.tolist(), graph.receivers.tolist()))
    assert pairs == {(i, j) for i in range(3) for j in range(3) if i != j}
    assert graphs.node_mask(graph).tolist() == [True] * 3 + [False]
    assert graphs.edge_mask(graph).tolist() == [True] * 6
    assert graphs.graph_mask(graph).tolist() == [True, False]


def test_complete_graph_of_one_atom_has_no_edges():
    graph = graphs.complete_molecular_graph(jnp.zeros((1, 3)), jnp.array([0]))
    assert graph.senders.shape == (0,)
    assert graphs.graph_index(graph).tolist() == [0, 1]


def test_complete_graph_works_under_jit_vmap_and_grad_and_forgets_the_order_of_atoms():
    species = jnp.zeros(4, int)

    def total(positions):
        graph = graphs.complete_molecular_graph(positions, species)
        return jnp.sum(graphs.relative_vectors(graph) ** 2)

    testing.assert_equivariant(
        total,
        S(4) * E(3),
        in_reps=(PermutationTensor(1) @ Point(),),
        out_reps=Trivial(),
        gradient=True,
        max_examples=20,
    )
    clouds = jnp.asarray(np.random.default_rng(0).normal(size=(3, 4, 3)), jnp.float32)
    np.testing.assert_allclose(
        jax.jit(jax.vmap(total))(clouds), [total(cloud) for cloud in clouds], rtol=1e-5
    )


def test_species_index_follows_the_table():
    assert graphs.species_index(np.array([1, 8, 6, 1]), (8, 1, 6)).tolist() == [1, 0, 2, 1]
    assert graphs.species_index(np.zeros(0, int), (8,)).shape == (0,)


WRONG_CALLS = [
    (lambda: graphs.species_index(np.array([1, 7]), (1, 8)), "numbers must be among .*1, 8.*got.*7"),
    (
        lambda: graphs.species_index(np.array([[1, 8]]), (1, 8)),
        r"numbers must have shape \(n\), got \(1, 2\)",
    ),
    (lambda: graphs.species_index(np.array([1]), (1, 8, 1)), r"species must not repeat .*got \(1, 8, 1\)"),
    (lambda: water(species=(1, 6)), "numbers must be among the elements .*got.*8"),
    (lambda: water(pbc=True), "cell must have a lattice vector"),
    (
        lambda: graphs.molecular_graph([8, 1], WATER, 2.0, species=(1, 8)),
        r"numbers must have shape \(n\), n=3, got \(2,\)",
    ),
    (
        lambda: graphs.molecular_graph([], np.zeros((0, 3)), 2.0, species=(1,)),
        "positions must hold at least one atom, got none",
    ),
    (
        lambda: graphs.molecular_graph([8, 1, 1], WATER[:, :2], 2.0, species=(1, 8)),
        r"positions must have shape \(n, 3\), got \(3, 2\)",
    ),
    (lambda: graphs.molecular_graph([8, 1, 1], WATER, -2.0, species=(1, 8)), "cutoff must be .*got -2.0"),
    (
        lambda: graphs.complete_molecular_graph(jnp.zeros((3, 3)), jnp.zeros(2, int)),
        r"species must have shape \(n\), n=3, got \(2,\)",
    ),
    (
        lambda: graphs.complete_molecular_graph(jnp.zeros((3, 2)), jnp.zeros(3, int)),
        r"positions must have shape \(n, 3\), got \(3, 2\)",
    ),
]


@pytest.mark.parametrize(("call", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_species_of_complete_graphs_must_be_indices():
    with pytest.raises(TypeError, match="species must be an integer array, got dtype float32"):
        graphs.complete_molecular_graph(jnp.zeros((3, 3)), jnp.zeros(3))


def test_wrong_kinds_are_named():
    positions = np.eye(3)[:2]
    with pytest.raises(TypeError, match=r"numbers must be integers .*, got dtype <U1"):
        graphs.molecular_graph(["O", "H"], positions, 4.0, species=(1, 8))
    with pytest.raises(TypeError, match="species must be a sequence of atomic numbers, got 8"):
        graphs.molecular_graph([8, 8], positions, 4.0, species=8)
    with pytest.raises(TypeError, match=r"positions must be a NumPy array, .* got a traced array"):
        jax.jit(lambda p: graphs.molecular_graph([1, 1], p, 4.0, species=(1,)))(positions)

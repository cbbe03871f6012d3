import math

import jax
import jax.numpy as jnp
import networkx as nx
import numpy as np
import pytest

from equijax.equivariance import average_over
from equijax.graphs import sampled_sorting_frame, sorting_frame, sorting_frame_size, spectral_key
from equijax.groups import PermutationTensor, S, Trivial

ATLAS = [nx.to_numpy_array(g) for g in nx.graph_atlas_g() if g.number_of_nodes() == 6 and nx.is_connected(g)]
# Components with coincident spectra, such as pairs of 1-WL-equivalent graphs consist of.
DISCONNECTED = [
    nx.to_numpy_array(nx.disjoint_union(*pair))
    for pair in (
        (nx.cycle_graph(6), nx.cycle_graph(6)),
        (nx.cycle_graph(5), nx.path_graph(7)),
        (nx.petersen_graph(), nx.complete_graph(2)),
        (nx.cubical_graph(), nx.star_graph(3)),
    )
]
key_of = jax.jit(spectral_key, static_argnames="tolerance")
order = PermutationTensor(2)


def automorphisms(adjacency):
    graph = nx.from_numpy_array(adjacency)
    return sum(1 for _ in nx.isomorphism.GraphMatcher(graph, graph).isomorphisms_iter())


def network(adjacency):
    """A random function of a matrix, with no symmetry."""
    random, n = np.random.RandomState(0), adjacency.shape[-1]
    hidden = jnp.tanh(adjacency.reshape(n * n) @ random.randn(n * n, 16) + random.randn(16))
    return hidden @ random.randn(16)


@pytest.mark.parametrize("graphs", [ATLAS, DISCONNECTED], ids=["connected", "disconnected"])
def test_keys_move_with_the_nodes(graphs, x64):
    for number, adjacency in enumerate(graphs):
        moved = np.random.RandomState(number).permutation(len(adjacency))
        keys, again = np.asarray(key_of(adjacency)), np.asarray(key_of(adjacency[moved][:, moved]))
        np.testing.assert_allclose(again, keys[moved], atol=1e-9)
        assert sorting_frame_size(again) == sorting_frame_size(keys)
        np.testing.assert_allclose(keys.sum(axis=1), 1, atol=1e-9)


def test_keys_are_diagonals_of_projections(x64):
    adjacency = nx.to_numpy_array(nx.karate_club_graph(), weight=None)
    laplacian = np.diag(adjacency.sum(axis=1)) - adjacency
    values, vectors = np.linalg.eigh(laplacian)
    found = np.asarray(key_of(adjacency))
    for column, value in enumerate(np.unique(np.round(values, 8))):
        space = vectors[:, np.abs(values - value) < 1e-7]
        np.testing.assert_allclose(found[:, column], np.sum(space**2, axis=1), atol=1e-5)
    assert not found[:, len(np.unique(np.round(values, 8))) :].any()


def test_keys_in_single_precision():
    for number, adjacency in enumerate(DISCONNECTED):
        moved = np.random.RandomState(number).permutation(len(adjacency))
        single = jnp.asarray(adjacency, jnp.float32)
        keys, again = key_of(single), key_of(single[moved][:, moved])
        assert sorting_frame_size(keys) == sorting_frame_size(again)
        np.testing.assert_allclose(again, keys[moved], atol=1e-3)


def test_missing_nodes_sort_last(x64):
    adjacency = np.zeros((2, 9, 9))
    adjacency[0, :6, :6], adjacency[1, 3:, 3:] = ATLAS[40], ATLAS[40]
    adjacency[0, 6:, :] = np.nan
    mask = np.array([[True] * 6 + [False] * 3, [False] * 3 + [True] * 6])
    keys = np.asarray(key_of(adjacency, mask))
    for row, kept in zip(keys, mask, strict=True):
        np.testing.assert_allclose(row[kept, :6], key_of(ATLAS[40]), atol=1e-9)
        assert np.isinf(row[~kept]).all()
    sampled = sampled_sorting_frame(jax.random.key(0), jnp.asarray(keys), num_samples=5)
    assert sampled.batch_shape == (2,)
    assert np.all(np.asarray(sampled.elements)[0, :, 6:] == [6, 7, 8])
    assert np.all(np.asarray(sampled.elements)[1, :, 6:] == [0, 1, 2])
    assert sorting_frame(keys[0]).size == sorting_frame(np.asarray(key_of(ATLAS[40]))).size
    assert np.all(np.asarray(sorting_frame(keys[1]).elements)[:, 6:] == [0, 1, 2])


def test_full_frames_are_exact(x64):
    averaged = jax.jit(lambda a, frame: average_over(network, frame, (order,), Trivial(), (a,)))
    tested = 0
    for number, adjacency in enumerate(ATLAS):
        keys = np.asarray(key_of(adjacency))
        size = sorting_frame_size(keys)
        assert size % automorphisms(adjacency) == 0
        if size > 24:
            continue
        tested += 1
        moved = np.random.RandomState(number).permutation(6)
        permuted = adjacency[moved][:, moved]
        want = averaged(adjacency, sorting_frame(keys))
        got = averaged(permuted, sorting_frame(np.asarray(key_of(permuted))))
        np.testing.assert_allclose(got, want, atol=1e-12)
        assert abs(network(permuted) - network(adjacency)) > 1e-9 or automorphisms(adjacency) > 1
    assert tested > 80


def test_equivariant_averages_of_node_features(x64):
    adjacency = ATLAS[60]
    weights = np.random.RandomState(1).randn(36, 6)

    def nodes(a):
        return jnp.tanh(a.reshape(36) @ weights)

    def averaged(a):
        frame = sorting_frame(np.asarray(key_of(a)))
        return average_over(nodes, frame, (order,), PermutationTensor(1), (a,))

    g = S(6).sample(jax.random.key(4))
    got = averaged(np.asarray(order.act(g, jnp.asarray(adjacency))))
    np.testing.assert_allclose(got, PermutationTensor(1).act(g, averaged(adjacency)), atol=1e-12)


def test_all_sorted_orders_are_listed(x64):
    keys = np.array([[1.0, 2.0], [0.0, 5.0], [1.0, 2.0], [1.0, 0.0], [0.0, 5.0]])
    elements = np.asarray(sorting_frame(keys).elements)
    assert len({tuple(each) for each in elements.tolist()}) == 4
    for each in elements:
        assert keys[each].tolist() == sorted(keys.tolist())


def test_samples_are_uniform_over_the_frame(x64):
    keys = jnp.array([[1.0], [0.0], [1.0], [1.0]])
    drawn = sampled_sorting_frame(jax.random.key(0), keys, num_samples=3000)
    orders, counts = np.unique(drawn.elements, axis=0, return_counts=True)
    assert sorted(map(tuple, orders.tolist())) == sorted(map(tuple, sorting_frame(keys).elements.tolist()))
    np.testing.assert_allclose(counts, 500, atol=4 * math.sqrt(500))


def test_sampled_averages_converge(x64):
    adjacency = nx.to_numpy_array(nx.cycle_graph(6))
    keys = key_of(adjacency)
    exact = average_over(network, sorting_frame(keys), (order,), Trivial(), (jnp.asarray(adjacency),))
    sizes = [8, 128]

    def deviation(num_samples):
        def one(key):
            frame = sampled_sorting_frame(key, keys, num_samples=num_samples)
            return average_over(network, frame, (order,), Trivial(), (jnp.asarray(adjacency),))

        draws = jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(0), 300))
        return np.sqrt(np.mean((draws - exact) ** 2))

    slope = math.log(deviation(sizes[1]) / deviation(sizes[0])) / math.log(sizes[1] / sizes[0])
    assert -0.6 < slope < -0.4


def test_no_derivative_goes_through_an_order(x64):
    def total(a):
        frame = sampled_sorting_frame(jax.random.key(0), spectral_key(a), num_samples=4)
        return average_over(network, frame, (order,), Trivial(), (a,))

    assert np.all(np.isfinite(jax.jit(jax.grad(total))(jnp.asarray(ATLAS[0]))))
    batch = jax.vmap(total)(jnp.asarray(np.stack(ATLAS[:3])))
    assert np.all(np.isfinite(batch))


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match=r"adjacency must have shape \(..., n, n\)"):
        spectral_key(jnp.ones((2, 3)))
    with pytest.raises(TypeError, match="adjacency must be a real floating-point array"):
        spectral_key(jnp.ones((3, 3), int))
    with pytest.raises(TypeError, match="mask must be a boolean array"):
        spectral_key(jnp.ones((3, 3)), jnp.ones(3))
    with pytest.raises(ValueError, match="tolerance must be a number above 0"):
        spectral_key(jnp.ones((3, 3)), tolerance=0.0)
    with pytest.raises(ValueError, match="keys must have at most 100 sorted orders to list them, got 120"):
        sorting_frame(np.zeros((5, 1)), max_size=100)
    with pytest.raises(TypeError, match="keys must be known numbers"):
        jax.jit(sorting_frame)(jnp.zeros((3, 1)))
    with pytest.raises(ValueError, match="keys must have at least one row"):
        sorting_frame(np.zeros((0, 2)))
    with pytest.raises(TypeError, match="key must be a random key"):
        sampled_sorting_frame(0, jnp.zeros((3, 1)), num_samples=1)
    with pytest.raises(ValueError, match="num_samples must be a number of at least 1"):
        sampled_sorting_frame(jax.random.key(0), jnp.zeros((3, 1)), num_samples=0)

import jax
import jax.numpy as jnp
import networkx as nx
import numpy as np
import pytest

from experiments.baselines.graph_networks import GIN, GraphMLP

FEATURES = jnp.ones((6, 1))
TRIANGLES = jnp.asarray(
    nx.to_numpy_array(nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3))), jnp.float32
)
HEXAGON = jnp.asarray(nx.to_numpy_array(nx.cycle_graph(6)), jnp.float32)
ORDER = np.array([3, 1, 5, 0, 2, 4])


def outputs(net, *graphs):
    params = jax.jit(net.init)(jax.random.key(0), HEXAGON, FEATURES)
    return [np.asarray(net.apply(params, graph, FEATURES)) for graph in graphs]


def test_gin_is_invariant_and_blind_to_what_1_wl_is():
    path = jnp.asarray(nx.to_numpy_array(nx.path_graph(6)), jnp.float32)
    a, b, c, d = outputs(GIN(8, 3, 4), TRIANGLES, HEXAGON, path, path[ORDER][:, ORDER])
    np.testing.assert_allclose(a, b, atol=1e-5)
    np.testing.assert_allclose(c, d, atol=1e-5)
    assert np.abs(a - c).max() > 1e-2


@pytest.mark.parametrize("net", [GIN(8, 3, 4, positions=True), GraphMLP((8,), 4)])
def test_the_others_see_the_numbering(net):
    a, b, c = outputs(net, TRIANGLES, HEXAGON, TRIANGLES[ORDER][:, ORDER])
    assert np.abs(a - b).max() > 1e-3
    assert np.abs(a - c).max() > 1e-3


@pytest.mark.parametrize("positions", [False, True])
def test_nodes_that_do_not_exist_change_nothing_of_gin(positions):
    # Parameters for eight nodes; features of zero mark the last two as missing.
    net = GIN(8, 2, 3, positions=positions)
    adjacency = jnp.zeros((8, 8)).at[:6, :6].set(HEXAGON)
    features = jnp.ones((8, 1)).at[6:].set(0)
    params = jax.jit(net.init)(jax.random.key(0), adjacency, features)
    changed = jax.tree.map(lambda leaf: leaf, params)
    if positions:
        kernel = changed["params"]["Dense_0"]["kernel"]
        changed["params"]["Dense_0"]["kernel"] = kernel.at[7:].set(100.0)
    np.testing.assert_allclose(
        net.apply(params, adjacency, features), net.apply(changed, adjacency, features), atol=1e-6
    )


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="features must have shape"):
        GIN(8, 2, 3).init(jax.random.key(0), HEXAGON, jnp.ones((5, 1)))
    with pytest.raises(ValueError, match="adjacency must have shape"):
        GraphMLP((8,), 3).init(jax.random.key(0), HEXAGON[:3], FEATURES)

"""Wrong calls of the interatomic potential."""

import jax
import jax.numpy as jnp
import pytest

from equijax import graphs, nn

MODEL = nn.InteratomicPotential(species=(1, 6, 8), features=3, many_body_features=3)


def single(**changes):
    """A small graph with some of its features replaced; ``None`` takes one away."""
    graph = graphs.complete_molecular_graph(jnp.zeros((3, 3)), jnp.zeros(3, int))
    features = {"positions": graph.nodes["positions"], "species": graph.nodes["species"], **graph.edges}
    features = {key: value for key, value in {**features, **changes}.items() if value is not None}
    nodes = {key: features[key] for key in ("positions", "species") if key in features}
    edges = {"shifts": features["shifts"]} if "shifts" in features else None
    return graph._replace(nodes=nodes, edges=edges)


WRONG_CALLS = [
    (
        {},
        single(positions=None),
        ValueError,
        r"graph.nodes must be a dict with 'positions', got \['species'\]",
    ),
    ({}, single(species=None), ValueError, r"graph.nodes must be a dict with 'species', got \['positions'\]"),
    ({}, single(shifts=None), ValueError, "graph.edges must be a dict with 'shifts', got NoneType"),
    ({}, single(positions=jnp.zeros((4, 2))), ValueError, r"graph.nodes\['positions'\] .*got \(4, 2\)"),
    ({}, single(positions=jnp.zeros((4, 3), int)), TypeError, r"graph.nodes\['positions'\] .*dtype int32"),
    ({}, single(species=jnp.zeros(4)), TypeError, r"graph.nodes\['species'\] must be an integer .*float32"),
    ({}, single(species=jnp.zeros(3, int)), ValueError, r"graph.nodes\['species'\] .*n=4, got \(3,\)"),
    ({}, single(shifts=jnp.zeros((5, 3))), ValueError, r"graph.edges\['shifts'\] .*e=6, got \(5, 3\)"),
    ({"species": ()}, single(), ValueError, r"len\(species\) must be .* at least 1, got 0"),
    ({"num_interactions": 0}, single(), ValueError, "num_interactions must be .* at least 1, got 0"),
    ({"lmax": -1}, single(), ValueError, "lmax must be .* at least 0, got -1"),
    ({"order": 0}, single(), ValueError, "order must be .* at least 1, got 0"),
    ({"cutoff": 0.0}, single(), ValueError, "cutoff must be a number above 0, got 0.0"),
    ({"num_radial": 0}, single(), ValueError, "num must be .* at least 1, got 0"),
    ({"energy_scale": -1.0}, single(), ValueError, "energy_scale must be a number above 0, got -1.0"),
    ({"mean_interaction": (1.0,)}, single(), ValueError, "mean_interaction must hold .* 3 species, got 1"),
]


@pytest.mark.parametrize(("attributes", "graph", "error", "message"), WRONG_CALLS)
def test_wrong_calls_name_the_argument(attributes, graph, error, message):
    with pytest.raises(error, match=message):
        MODEL.clone(**attributes).init(jax.random.key(0), graph)


def test_stress_needs_cells():
    graph = single()._replace(globals=None)
    with pytest.raises(ValueError, match=r"graph\.globals must be a dict with 'cell', got NoneType"):
        nn.energy_and_forces(lambda graph: jnp.zeros(2), graph, stress=True)


def test_wrong_kinds_are_named():
    with pytest.raises(TypeError, match="graph must be a GraphsTuple, got ArrayImpl"):
        MODEL.init(jax.random.key(0), jnp.ones((4, 3)))
    with pytest.raises(TypeError, match="energy_fn must be a function, got int"):
        nn.energy_and_forces(3, single())
    with pytest.raises(TypeError, match="species must be a sequence of atomic numbers, got 8"):
        MODEL.clone(species=8).init(jax.random.key(0), single())

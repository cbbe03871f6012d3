"""The interatomic potential: symmetry, smoothness, derivatives, padding, batches and cells."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax import graphs, nn, testing
from equijax.groups import E, PermutationTensor, Point, S, Trivial, Vector

SPECIES = (1, 6, 8)
CUTOFF = 3.0
MODEL = nn.InteratomicPotential(
    species=SPECIES,
    cutoff=CUTOFF,
    features=3,
    many_body_features=3,
    num_radial=5,
    avg_num_neighbors=4.0,
    mean_interaction=(-1.0, -2.0, -3.0),
    energy_scale=2.0,
)
BUDGET = graphs.PaddingBudget(18, 160, 4)
METHANOL = np.array([6, 8, 1, 1, 1, 1])
POSITIONS = np.array(
    [
        [0.0, 0.0, 0.0],
        [1.42, 0.05, 0.0],
        [-0.36, 1.03, 0.1],
        [-0.39, -0.5, 0.88],
        [-0.4, -0.52, -0.87],
        [1.74, -0.4, 0.75],
    ]
)


@functools.cache
def variables(dtype="float64"):
    """Random parameters, none of them zero, as numpy arrays of a dtype."""
    graph = graphs.complete_molecular_graph(jnp.zeros((2, 3)), jnp.zeros(2, int))
    shapes = jax.eval_shape(MODEL.init, jax.random.key(0), graph)
    random = np.random.default_rng(0)

    def draw(leaf):
        fan_in = leaf.shape[-2] if len(leaf.shape) > 1 else 1
        return (1.3 * random.normal(size=leaf.shape) / np.sqrt(fan_in)).astype(dtype)

    return jax.tree.map(draw, shapes)


def energy(graph, dtype="float64"):
    return MODEL.apply(variables(dtype), graph)


@functools.partial(jax.jit, static_argnames="stress")
def evaluate(graph, stress=True):
    return nn.energy_and_forces(energy, graph, stress=stress)


def molecule(numbers=METHANOL, positions=POSITIONS, **options):
    return graphs.molecular_graph(
        numbers, positions, CUTOFF, **{"species": SPECIES, "dtype": np.float64, **options}
    )


def padded(*members):
    return graphs.pad_batch(members, BUDGET)


@functools.partial(jax.jit, static_argnames="dtype")
def predict(positions, species, dtype):
    """Energy and forces of one molecule, without a list of neighbours."""
    graph = graphs.complete_molecular_graph(positions, species)
    output = nn.energy_and_forces(lambda graph: energy(graph, dtype), graph)
    return output.energy[0], output.forces[:-1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_energy_is_invariant_and_forces_are_equivariant(dtype):
    testing.assert_equivariant(
        functools.partial(predict, dtype=dtype),
        S(6) * E(3),
        in_reps=(PermutationTensor(1) @ Point(), PermutationTensor(1) @ Trivial()),
        out_reps=(Trivial(), PermutationTensor(1) @ Vector()),
        args=(POSITIONS, graphs.species_index(METHANOL, SPECIES)),
        dtype=dtype,
        max_examples=30,
    )


def test_energy_depends_on_every_position_and_on_the_elements(x64):
    output = evaluate(padded(molecule()))
    assert np.all(np.linalg.norm(output.forces[:6], axis=1) > 1e-2)
    swapped = evaluate(padded(molecule(METHANOL[[1, 0, 2, 3, 4, 5]])))
    assert abs(output.energy[0] - swapped.energy[0]) > 1e-3


def test_list_of_neighbours_and_all_pairs_agree(x64):
    output = evaluate(padded(molecule()))
    expected = predict(jnp.asarray(POSITIONS), graphs.species_index(METHANOL, SPECIES), "float64")
    np.testing.assert_allclose(output.energy[0], expected[0], atol=1e-12)
    np.testing.assert_allclose(output.forces[:6], expected[1], atol=1e-12)


def test_batch_equals_one_by_one_and_padding_is_zero(x64):
    water = molecule(METHANOL[1:4], POSITIONS[1:4])
    other = molecule(METHANOL[::-1], POSITIONS * 1.1 + 0.3)
    batch = evaluate(padded(water, molecule(), other))
    start = 0
    for place, member in enumerate((water, molecule(), other)):
        alone = evaluate(padded(member))
        count = int(member.n_node[0])
        np.testing.assert_allclose(batch.energy[place], alone.energy[0], atol=1e-11)
        np.testing.assert_allclose(batch.forces[start : start + count], alone.forces[:count], atol=1e-11)
        assert not alone.energy[1:].any()
        assert not alone.forces[count:].any()
        start += count
    assert not batch.energy[3:].any()
    assert not batch.forces[start:].any()


def with_garbage(batch, seed, into_graphs=False):
    """The batch with random, partly huge, numbers in all the padding."""
    random = np.random.default_rng(seed)
    padding_nodes = ~np.asarray(graphs.node_mask(batch))
    padding_edges = ~np.asarray(graphs.edge_mask(batch))
    where = np.arange(len(padding_nodes)) if into_graphs else np.flatnonzero(padding_nodes)

    def fill(array, places, values):
        array = np.array(array)
        array[places] = values
        return array

    huge = 10.0 ** random.integers(-2, 7, (padding_nodes.sum(), 1))
    ends = random.choice(where, (2, padding_edges.sum()))
    return batch._replace(
        nodes={
            "positions": fill(
                batch.nodes["positions"], padding_nodes, huge * random.normal(size=(len(huge), 3))
            ),
            "species": fill(
                batch.nodes["species"], padding_nodes, random.integers(0, 3, padding_nodes.sum())
            ),
        },
        edges={"shifts": fill(batch.edges["shifts"], padding_edges, random.normal(size=(len(ends[0]), 3)))},
        senders=fill(batch.senders, padding_edges, ends[0]),
        receivers=fill(batch.receivers, padding_edges, ends[1]),
        globals={"cell": fill(batch.globals["cell"], ~np.asarray(graphs.graph_mask(batch)), random.normal())},
    )


@jax.jit
def loss_gradient(parameters, graph):
    """Gradient of a training loss: mean squares of energies and forces."""

    def loss(parameters):
        output = nn.energy_and_forces(functools.partial(MODEL.apply, parameters), graph)
        return jnp.sum((output.energy + 1) ** 2) + jnp.sum((output.forces - 0.1) ** 2)

    return jax.grad(loss)(parameters)


@pytest.mark.parametrize("into_graphs", [False, True], ids=["as jraph pads", "edges anywhere"])
def test_padded_entries_never_change_a_result(x64, into_graphs):
    batch = padded(molecule(), molecule(METHANOL[1:4], POSITIONS[1:4]))
    expected, gradient = evaluate(batch), loss_gradient(variables(), batch)
    for seed in range(3):
        garbage = with_garbage(batch, seed, into_graphs)
        found = evaluate(garbage)
        np.testing.assert_allclose(found.energy, expected.energy, atol=1e-11)
        np.testing.assert_allclose(found.forces, expected.forces, atol=1e-11)
        np.testing.assert_allclose(found.stress[:2], expected.stress[:2], atol=1e-11)
        jax.tree.map(
            functools.partial(np.testing.assert_allclose, atol=1e-9),
            loss_gradient(variables(), garbage),
            gradient,
        )


@pytest.mark.parametrize(
    "positions", [[[0.3, 0.1, 0.2]], [[0.0, 0, 0], [5.0, 0, 0]]], ids=["one atom", "no edges"]
)
def test_isolated_atoms_have_no_energy_and_training_stays_finite(x64, positions):
    batch = padded(molecule(METHANOL[: len(positions)], np.array(positions)))
    output = evaluate(batch)
    assert not output.energy.any()
    assert not output.forces.any()
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(loss_gradient(variables(), batch)))


def test_batches_without_any_edge_slots_work(x64):
    graph = graphs.pad_batch([molecule([8], np.zeros((1, 3)))], graphs.PaddingBudget(2, 0, 2))
    output = evaluate(graph, stress=False)
    assert not output.energy.any()
    assert output.forces.shape == (2, 3)


def test_coincident_atoms_give_finite_numbers(x64):
    output = evaluate(padded(molecule(METHANOL, np.repeat(POSITIONS[:3], 2, axis=0))))
    assert np.isfinite(output.energy).all()
    assert np.isfinite(output.forces).all()
    gradient = loss_gradient(variables(), padded(molecule(METHANOL[:3], np.zeros((3, 3)))))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


def test_forces_are_minus_finite_differences_of_the_energy(x64):
    graph = padded(molecule())
    step = 1e-4
    for atom, axis in [(0, 0), (1, 2), (5, 1)]:
        moved = []
        for sign in (1, -1):
            positions = graph.nodes["positions"].copy()
            positions[atom, axis] += sign * step
            moved.append(evaluate(graph._replace(nodes={**graph.nodes, "positions": positions})).energy[0])
        difference = -(moved[0] - moved[1]) / (2 * step)
        np.testing.assert_allclose(evaluate(graph).forces[atom, axis], difference, rtol=1e-5, atol=1e-7)


@jax.jit
@jax.vmap
def pulled(distance):
    """Energy of three atoms, of which one is pulled away, and its first and second derivatives."""

    def energy_at(distance):
        positions = jnp.zeros((3, 3)).at[1, 0].set(1.1).at[2, 1].set(distance)
        graph = graphs.complete_molecular_graph(positions, jnp.array([0, 2, 1]))
        return energy(graph)[0]

    first = jax.grad(energy_at)
    return energy_at(distance), first(distance), jax.grad(first)(distance)


def test_energy_force_and_curvature_are_continuous_where_a_neighbour_leaves(x64):
    # The pulled atom leaves the cut-off of the first at 3 and that of the second at √(9 - 1.21).
    for leaving in (CUTOFF, np.sqrt(CUTOFF**2 - 1.1**2)):
        step = 1e-5
        values = np.stack(pulled(leaving + step * np.array([-2.0, -1.0, 0.0, 1.0, 2.0])))
        jumps = np.abs(values[:, 2:] - values[:, :3]).max(axis=1)
        assert np.all(jumps < [1e-4, 1e-3, 1e-1])
        # Finite differences of the energy across the cut-off give the force there.
        difference = (values[0, 3] - values[0, 1]) / (2 * step)
        np.testing.assert_allclose(difference, values[1, 2], atol=1e-6)
        second = (values[1, 3] - values[1, 1]) / (2 * step)
        np.testing.assert_allclose(second, values[2, 2], atol=1e-2)


def test_energy_is_exactly_constant_beyond_the_cutoff(x64):
    values = np.stack(pulled(np.array([3.0, 3.2, 4.0, 9.0])))
    np.testing.assert_allclose(values[0], values[0, 0], atol=1e-13)
    assert not values[1:].any()
    inside = np.stack(pulled(np.array([2.5])))
    assert abs(inside[0, 0] - values[0, 0]) > 1e-3


CELL = np.array([[3.3, 0.0, 0.0], [0.5, 3.5, 0.0], [-0.3, 0.4, 3.7]])
ROCK = np.array([[0.2, 0.1, 0.0], [1.4, 1.3, 1.2]])


def crystal(positions=ROCK, cell=CELL, numbers=(6, 8), **options):
    return molecule(np.asarray(numbers), positions, cell=cell, pbc=True, **options)


def test_supercell_has_eight_times_the_energy_and_the_same_forces_and_stress(x64):
    images = np.array(list(np.ndindex(2, 2, 2))) @ CELL
    positions = (ROCK[None] + images[:, None]).reshape(-1, 3)
    large = evaluate(padded(crystal(positions, 2 * CELL, np.tile([6, 8], 8))))
    small = evaluate(padded(crystal()))
    assert np.linalg.norm(small.forces[0]) > 1e-2
    np.testing.assert_allclose(large.energy[0], 8 * small.energy[0], atol=1e-10)
    np.testing.assert_allclose(large.forces[:16], np.tile(small.forces[:2], (8, 1)), atol=1e-10)
    np.testing.assert_allclose(large.stress[0], small.stress[0], atol=1e-10)


def test_wrapping_positions_changes_nothing(x64):
    moved = ROCK + np.array([[2, -1, 0], [-3, 0, 1]]) @ CELL
    first, second = evaluate(padded(crystal())), evaluate(padded(crystal(moved)))
    np.testing.assert_allclose(second.energy, first.energy, atol=1e-11)
    np.testing.assert_allclose(second.forces, first.forces, atol=1e-11)
    np.testing.assert_allclose(second.stress, first.stress, atol=1e-11)


def test_cell_smaller_than_the_cutoff_sees_images_of_itself(x64):
    cell = np.diag([2.1, 2.3, 2.2])
    single = evaluate(padded(crystal(ROCK[:1], cell, [6])))
    double = evaluate(padded(crystal(ROCK[0] + np.outer([0, 1], cell[0]), np.diag([4.2, 2.3, 2.2]), [6, 6])))
    np.testing.assert_allclose(double.energy[0], 2 * single.energy[0], atol=1e-11)
    np.testing.assert_allclose(single.forces[0], 0, atol=1e-11)
    assert abs(single.energy[0]) > 1e-2


def test_stress_is_the_derivative_by_strain(x64):
    output = evaluate(padded(crystal()))
    volume = np.linalg.det(CELL)
    step = 1e-5
    for i, j in [(0, 0), (1, 1), (0, 1), (1, 2)]:
        strain = np.zeros((3, 3))
        strain[i, j] += step / 2
        strain[j, i] += step / 2
        energies = [
            evaluate(padded(crystal(ROCK @ deform, CELL @ deform))).energy[0]
            for deform in (np.eye(3) + strain, np.eye(3) - strain)
        ]
        difference = (energies[0] - energies[1]) / (2 * step * volume)
        np.testing.assert_allclose(output.stress[0, i, j], difference, atol=1e-8)
    np.testing.assert_allclose(output.stress[0], output.stress[0].T, atol=1e-13)
    assert np.abs(output.stress[0]).max() > 1e-4


@pytest.mark.parametrize("seed", range(3))
def test_crystal_is_equivariant(x64, seed):
    rotation, translation = jax.tree.leaves(E(3).sample(jax.random.key(seed), (), jnp.float64))
    if rotation.ndim == 1:
        rotation, translation = translation, rotation
    first = evaluate(padded(crystal()))
    second = evaluate(padded(crystal(ROCK @ rotation.T + translation, CELL @ rotation.T)))
    np.testing.assert_allclose(second.energy, first.energy, atol=1e-10)
    np.testing.assert_allclose(second.forces[:2], first.forces[:2] @ rotation.T, atol=1e-10)
    np.testing.assert_allclose(second.stress[0], rotation @ first.stress[0] @ rotation.T, atol=1e-10)


def test_molecules_without_a_cell_have_no_stress(x64):
    output = evaluate(padded(molecule(), crystal()))
    assert not output.stress[0].any()
    assert output.stress[1].any()
    assert evaluate(padded(molecule()), stress=False).stress is None


def test_vmap_over_stacked_batches(x64):
    batches = [padded(molecule()), padded(crystal(), molecule(METHANOL[1:4], POSITIONS[1:4]))]
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *batches)
    together = jax.jit(jax.vmap(evaluate))(stacked)
    for place, batch in enumerate(batches):
        alone = evaluate(batch)
        np.testing.assert_allclose(together.energy[place], alone.energy, atol=1e-11)
        np.testing.assert_allclose(together.forces[place], alone.forces, atol=1e-11)
        np.testing.assert_allclose(together.stress[place], alone.stress, atol=1e-11)


def test_dtype_is_that_of_the_graph_and_the_parameters():
    single = padded(molecule(dtype=np.float32))
    outputs = {}
    for enabled in (False, True):
        with jax.enable_x64(enabled):
            output = jax.jit(lambda graph: nn.energy_and_forces(lambda g: energy(g, "float32"), graph))(
                single
            )
            assert output.energy.dtype == output.forces.dtype == jnp.float32
            outputs[enabled] = np.asarray(output.energy)
    with jax.enable_x64(True):
        exact = evaluate(padded(molecule()))
        assert exact.energy.dtype == exact.forces.dtype == exact.stress.dtype == jnp.float64
    np.testing.assert_allclose(outputs[False], exact.energy, rtol=1e-5)
    np.testing.assert_allclose(outputs[True], exact.energy, rtol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"lmax": 0},
        {"lmax": 1, "order": 1, "num_interactions": 1},
        {"lmax": 3, "order": 2, "num_interactions": 3, "mean_interaction": None},
    ],
)
def test_other_sizes(options):
    model = MODEL.clone(**options)
    graph = padded(molecule(dtype=np.float32))
    parameters = model.init(jax.random.key(0), graph)
    rotation = np.array([[0.0, 0, 1], [1, 0, 0], [0, -1, 0]])
    turned = padded(molecule(METHANOL, POSITIONS @ rotation.T, dtype=np.float32))
    first, second = (jax.jit(model.apply)(parameters, g) for g in (graph, turned))
    np.testing.assert_allclose(first, second, atol=1e-4)
    assert first[0] != 0

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.fd import calculate_numerical_forces

from equijax.graphs import complete_molecular_graph
from equijax.nn import InteratomicPotential
from equijax.simulation import PotentialCalculator, SavedPotential, save_potential


def potential(species):
    model = InteratomicPotential(
        species=species, features=2, many_body_features=2, lmax=1, order=2, cutoff=3.0, energy_scale=2.0
    )
    graph = complete_molecular_graph(jnp.eye(3)[:2], jnp.array([0, len(species) - 1]))
    energies = {number: -100.0 * number for number in species}
    return SavedPotential(model, jax.jit(model.init)(jax.random.key(0), graph), energies)


@pytest.fixture(scope="module")
def of_water():
    return potential((1, 8))


@pytest.fixture(scope="module")
def of_salt():
    return potential((11, 17))


def test_forces_are_minus_the_gradient(of_water, x64):
    water = molecule("H2O")
    water.rattle(0.05, seed=1)
    water.calc = PotentialCalculator(of_water, dtype=np.float64)
    numerical = calculate_numerical_forces(water, eps=1e-4)
    np.testing.assert_allclose(water.get_forces(), numerical, atol=1e-6)
    np.testing.assert_allclose(water.get_forces().sum(0), 0, atol=1e-10)


def test_isolated_atom_has_its_reference_energy(of_water):
    atom = Atoms("O", positions=[[1.0, 2.0, 3.0]])
    atom.calc = PotentialCalculator(of_water)
    assert atom.get_potential_energy() == -800.0
    np.testing.assert_array_equal(atom.get_forces(), 0)


def test_molecules_of_any_size_one_after_another(of_water):
    calculator = PotentialCalculator(of_water)
    far = molecule("H2O")
    far.calc = calculator
    single = far.get_potential_energy()
    two = far + far.copy()
    two.positions[3:] += [50.0, 0, 0]
    two.calc = calculator
    assert two.get_potential_energy() == pytest.approx(2 * single, abs=1e-4)
    far.calc = calculator
    assert far.get_potential_energy() == pytest.approx(single, abs=1e-5)


def test_stress_is_the_derivative_by_strain(of_salt, x64):
    crystal = bulk("NaCl", "rocksalt", a=5.0)
    crystal.rattle(0.05, seed=2)
    crystal.calc = PotentialCalculator(of_salt, dtype=np.float64)
    numerical = np.zeros((3, 3))
    step = 1e-4
    for i in range(3):
        for j in range(3):
            energies = []
            for sign in (1, -1):
                strain = np.eye(3)
                strain[i, j] += sign * step / 2
                strain[j, i] += sign * step / 2
                moved = crystal.copy()
                moved.set_cell(crystal.cell @ strain, scale_atoms=True)
                moved.calc = crystal.calc
                energies.append(moved.get_potential_energy())
            numerical[i, j] = (energies[0] - energies[1]) / (2 * step) / crystal.get_volume()
    np.testing.assert_allclose(crystal.get_stress(voigt=False), numerical, atol=1e-7)


def test_from_file(of_water, tmp_path):
    save_potential(tmp_path / "water.npz", of_water)
    energies = []
    for calculator in (PotentialCalculator(of_water), PotentialCalculator.from_file(tmp_path / "water.npz")):
        water = molecule("H2O")
        water.calc = calculator
        energies.append(water.get_potential_energy())
    assert energies[0] == energies[1]


def test_clear_errors(of_water):
    methane = molecule("CH4")
    methane.calc = PotentialCalculator(of_water)
    with pytest.raises(
        ValueError, match=r"numbers must be among the elements \(1, 8\) of the model, got \[6\]"
    ):
        methane.get_potential_energy()
    water = molecule("H2O")
    water.calc = PotentialCalculator(of_water)
    with pytest.raises(ValueError, match="stress needs a cell that is periodic in all directions"):
        water.get_stress()
    with pytest.raises(ValueError, match="float64 needs"):
        PotentialCalculator(of_water, dtype=np.float64)


def test_wrong_arguments_are_named(of_water):
    with pytest.raises(TypeError, match="potential must be a SavedPotential, got NoneType"):
        PotentialCalculator(None)
    with pytest.raises(TypeError, match="dtype must be float32 or float64, got int32"):
        PotentialCalculator(of_water, dtype=np.int32)
    with pytest.raises(ValueError, match=r"potential.atomic_energies must have every species .* lacks \[8\]"):
        PotentialCalculator(of_water._replace(atomic_energies={1: 0.0}))

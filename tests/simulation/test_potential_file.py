import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.graphs import complete_molecular_graph
from equijax.nn import InteratomicPotential
from equijax.simulation import SavedPotential, load_potential, save_potential


@pytest.fixture(scope="module")
def potential():
    model = InteratomicPotential(
        species=(1, 8), features=2, many_body_features=2, lmax=1, order=2, mean_interaction=(-1.0, -2.5)
    )
    graph = complete_molecular_graph(jnp.eye(3), jnp.array([0, 0, 1]))
    return SavedPotential(model, jax.jit(model.init)(jax.random.key(0), graph), {1: -13.6, 8: -2041.3})


def test_round_trip_is_exact(potential, tmp_path):
    save_potential(tmp_path / "water.npz", potential)
    loaded = load_potential(tmp_path / "water.npz")
    assert loaded.model == potential.model
    assert loaded.atomic_energies == potential.atomic_energies
    assert jax.tree.structure(loaded.variables) == jax.tree.structure(dict(potential.variables))
    for ours, theirs in zip(jax.tree.leaves(loaded.variables), jax.tree.leaves(potential.variables)):
        np.testing.assert_array_equal(ours, theirs)
    graph = complete_molecular_graph(jnp.eye(3), jnp.array([0, 0, 1]))
    np.testing.assert_array_equal(
        loaded.model.apply(loaded.variables, graph), potential.model.apply(potential.variables, graph)
    )


def test_file_appears_only_when_whole(potential, tmp_path):
    save_potential(tmp_path / "water.npz", potential)
    assert [path.name for path in tmp_path.iterdir()] == ["water.npz"]


@pytest.mark.parametrize("damage", ["cut", "text", "other archive"])
def test_damaged_files_are_refused(potential, tmp_path, damage):
    path = tmp_path / "water.npz"
    save_potential(path, potential)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-200])
    elif damage == "text":
        path.write_text("not an archive")
    else:
        np.savez(path, weights=np.ones(3))
    with pytest.raises(ValueError, match=r"path must be a file written by save_potential, got .*water\.npz"):
        load_potential(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_potential(tmp_path / "nothing.npz")


def test_only_what_a_file_can_hold_is_saved(potential, tmp_path):
    foreign = potential._replace(model=potential.model.clone(many_body=lambda **_: None))
    with pytest.raises(ValueError, match="default convolution and many_body"):
        save_potential(tmp_path / "x.npz", foreign)
    incomplete = potential._replace(atomic_energies={1: -13.6})
    with pytest.raises(ValueError, match=r"atomic_energies must have every species.*lacks \[8\]"):
        save_potential(tmp_path / "x.npz", incomplete)
    assert not list(tmp_path.iterdir())


def test_wrong_arguments_are_named(tmp_path):
    with pytest.raises(TypeError, match="potential must be a SavedPotential, got NoneType"):
        save_potential(tmp_path / "a.npz", None)
    with pytest.raises(TypeError, match=r"potential.model must be a InteratomicPotential, got NoneType"):
        save_potential(tmp_path / "a.npz", SavedPotential(None, {}, {}))
    with pytest.raises(FileNotFoundError, match="path must be a file written by save_potential, got"):
        load_potential(tmp_path / "a.npz")

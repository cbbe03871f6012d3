import dataclasses

import numpy as np
import pytest

import equijax as ej
from experiments.force_field import Config, run
from experiments.force_field.predict import predict

CONFIG = Config(
    lmax=1,
    features=2,
    many_body_features=2,
    order=2,
    num_interactions=1,
    num_steps=4,
    baseline_steps=0,
    evaluate_every=2,
    dynamics_ps=0.01,
)


@pytest.fixture(scope="module")
def molecules_file(tmp_path_factory):
    """Water, its ion and a periodic box of it, with the energies and forces of springs."""
    rng = np.random.default_rng(0)
    parts = []
    for index in range(12):
        count = (3, 2, 3)[index % 3]
        positions = np.asarray([[0.0, 0, 0], [1.0, 0, 0], [-0.3, 0.95, 0]])[:count]
        positions = positions + 0.05 * rng.normal(size=positions.shape)
        bonds = positions[1:] - positions[0]
        length = np.linalg.norm(bonds, axis=-1, keepdims=True)
        pull = 4 * (length - 1) * bonds / length
        parts.append(
            ej.data.MolecularFrames(
                numbers=[8, 1, 1][:count],
                positions=positions,
                num_atoms=[count],
                energy=[2 * np.sum((length - 1) ** 2) - 5.0 * count],
                forces=np.concatenate([pull.sum(0, keepdims=True), -pull]),
                cell=6 * np.eye(3)[None] if index % 3 == 2 else None,
                pbc=np.full((1, 3), index % 3 == 2),
            )
        )
    path = tmp_path_factory.mktemp("data") / "water.xyz"
    ej.data.write_xyz(path, ej.data.MolecularFrames.concatenate(parts))
    return path


def test_own_molecules_of_mixed_sizes_and_boundaries(molecules_file, tmp_path, capsys):
    config = dataclasses.replace(CONFIG, data=str(molecules_file))
    report = run(config, tmp_path)
    values = {(row.method, row.metric): row.value for row in report.rows}
    assert values["Gaunt potential", "equivariance error, S(n) x E(3), float64"] < 1e-9
    assert values["Gaunt potential", "equivariance error, S(n) x E(3), float32"] < 1e-4
    assert values["Gaunt potential", "force RMSE, held out"] > 0
    assert values["Gaunt potential", "steps"] == 4
    assert not report.missing_figures(tmp_path)

    predict(tmp_path, molecules_file, tmp_path / "out.xyz")
    assert "12 frames, 32 atoms" in capsys.readouterr().out
    predicted = ej.data.read_xyz(tmp_path / "out.xyz")
    atoms = predicted.to_ase()[2].copy()  # a periodic one
    atoms.calc = ej.simulation.PotentialCalculator.from_file(tmp_path / "potential.npz")
    assert predicted.energy[2] == pytest.approx(atoms.get_potential_energy(), abs=1e-4)
    np.testing.assert_allclose(
        predicted[2].forces, atoms.get_forces(), atol=1e-4 * (1 + np.abs(predicted.forces).max())
    )


def test_predict_needs_a_finished_run(tmp_path):
    with pytest.raises(ej.data.DataError, match=r"has no potential\.npz"):
        predict(tmp_path, tmp_path / "x.xyz")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("num_steps", 0, "num_steps must be a number of at least 1, got 0"),
        ("lmax", -1, "lmax must be a number of at least 0, got -1"),
        ("batch_size", 3, "batch_size must be a multiple of shards=2, got 3"),
        ("cutoff", 0.0, r"cutoff must be a number above 0, got 0\.0"),
        ("ema_decay", 1.0, "ema_decay must be at least 0 and below 1"),
        ("energy_weight", -1.0, "energy_weight must not be negative"),
    ],
)
def test_configurations_out_of_range_are_refused(field, value, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CONFIG, **{field: value})


def test_predict_refuses_a_damaged_potential(tmp_path):
    (tmp_path / "potential.npz").write_bytes(b"PK")
    with pytest.raises(ej.data.DataError, match="path must be a file written by save_potential"):
        predict(tmp_path, tmp_path / "x.xyz")

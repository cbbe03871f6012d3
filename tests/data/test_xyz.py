import numpy as np
import pytest

from equijax.data import DataError, MolecularFrames, read_xyz, split_isolated_atoms, write_xyz

FRAME = """2
Properties=species:S:1:pos:R:3:forces:R:3 energy=-31.5 config_type=cold pbc="F F F"
H 0.0 0.0 0.0 0.1 0.2 0.3
H 0.0 0.0 0.7 -0.1 -0.2 -0.3
"""
ATOM = """1
Properties=species:S:1:pos:R:3 energy=-13.6 config_type=isolated_atom
H 0.0 0.0 0.0
"""


def written(tmp_path, text):
    path = tmp_path / "frames.xyz"
    path.write_text(text)
    return path


def test_reads_labels_cells_and_further_keys(tmp_path):
    crystal = FRAME.replace('pbc="F F F"', 'Lattice="5 0 0 1 5 0 0 0 6" angle=3.5').replace("H", "Cu")
    frames = read_xyz(written(tmp_path, FRAME + crystal))
    np.testing.assert_array_equal(frames.num_atoms, [2, 2])
    np.testing.assert_array_equal(frames.numbers, [1, 1, 29, 29])
    np.testing.assert_array_equal(frames.energy, [-31.5, -31.5])
    np.testing.assert_array_equal(frames.forces[:2], [[0.1, 0.2, 0.3], [-0.1, -0.2, -0.3]])
    np.testing.assert_array_equal(frames.cell[1], [[5, 0, 0], [1, 5, 0], [0, 0, 6]])
    np.testing.assert_array_equal(frames.pbc, [[False] * 3, [True] * 3])
    np.testing.assert_array_equal(frames.info["angle"], [np.nan, 3.5])
    assert list(frames.info["config_type"]) == ["cold", "cold"]


@pytest.mark.parametrize(
    ("energy", "forces"), [("REF_energy", "REF_forces"), ("Energy", "Forces"), ("dft_energy", "dft_forces")]
)
def test_usual_and_explicit_keys(tmp_path, energy, forces):
    text = FRAME.replace("energy=", f"{energy}=").replace("forces:", f"{forces}:")
    assert read_xyz(written(tmp_path, text)).energy == -31.5
    odd = FRAME.replace("energy=", "e_total=").replace("forces:", "gradient:")
    frames = read_xyz(written(tmp_path, odd), energy_key="e_total", forces_key="gradient")
    np.testing.assert_array_equal(frames.forces[0], [0.1, 0.2, 0.3])


def test_isolated_atoms_need_no_forces(tmp_path):
    frames, energies = split_isolated_atoms(read_xyz(written(tmp_path, ATOM + FRAME)))
    assert energies == {1: -13.6}
    assert len(frames) == 1


def test_blank_lines_between_frames_lose_nothing(tmp_path):
    assert len(read_xyz(written(tmp_path, f"\n{FRAME}\n\n{FRAME}\n"))) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "frames.xyz is empty"),
        ("\n  \n", "frames.xyz is empty"),
        (FRAME + FRAME[: FRAME.rindex("H")], r"frame 1 \(line 5\) is cut off: expected 2 atoms, got 1"),
        ("3\n", r"frame 0 \(line 1\) is cut off: expected 3 atoms, got 0"),
        (FRAME + "two\n", r"frame 1 \(line 5\): expected a number of atoms, got 'two'"),
        (FRAME + FRAME.replace("0.7", "0.7x"), "frame 1: not readable .*: ValueError"),
        (
            FRAME + FRAME.replace("H 0.0 0.0 0.7", "Hh 0.0 0.0 0.7"),
            "frame 1: not readable .*: KeyError: 'Hh'",
        ),
        (FRAME + FRAME.replace("-0.1 -0.2 -0.3", "-0.1"), "frame 1: "),
        (FRAME + FRAME.replace("-0.3", "nan"), "frame 1, atom 1: forces .* not a finite number"),
        (FRAME + FRAME.replace("-31.5", "inf"), r"frame 1: energy \(key 'energy'\) is not a finite number"),
        (FRAME.replace("energy=-31.5", ""), "frame 0: no energy .* keys of this frame are .*config_type"),
        (FRAME.replace("forces:", "velo:"), r"frame 0: no forces \(looked for REF_forces, .*velo.*energy"),
    ],
)
def test_bad_files_are_refused_with_their_place(tmp_path, text, message):
    with pytest.raises(DataError, match=f"(?s){message}") as raised:
        read_xyz(written(tmp_path, text))
    assert "frames.xyz" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_binary_and_missing_files(tmp_path):
    path = tmp_path / "frames.xyz"
    with pytest.raises(FileNotFoundError, match="path must name an extended-XYZ file"):
        read_xyz(path)
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(DataError, match="not a text file"):
        read_xyz(path)


def test_write_then_read(tmp_path):
    rng = np.random.default_rng(0)
    frames = MolecularFrames(
        numbers=[8, 1, 1, 29],
        positions=rng.normal(size=(4, 3)),
        num_atoms=[3, 1],
        energy=[-2081.1234567890123, -3.5],
        forces=rng.normal(size=(4, 3)),
        cell=[np.zeros((3, 3)), 4 * np.eye(3)],
        pbc=[[False] * 3, [True] * 3],
        stress=[np.full((3, 3), np.nan), 0.01 * np.eye(3)],
        info={"config_type": ["hot", ""], "angle": [3.5, np.nan]},
    )
    path = tmp_path / "odd@name.xyz"
    write_xyz(path, frames)
    back = read_xyz(path)
    for name in ("numbers", "num_atoms", "energy", "cell", "pbc", "stress"):
        np.testing.assert_array_equal(getattr(back, name), getattr(frames, name), err_msg=name)
    for name in ("positions", "forces"):
        np.testing.assert_allclose(getattr(back, name), getattr(frames, name), atol=1e-8)
    assert list(back.info["config_type"]) == ["hot", ""]
    np.testing.assert_array_equal(back.info["angle"], [3.5, np.nan])
    assert [file.name for file in tmp_path.iterdir()] == ["odd@name.xyz"]


def test_nothing_to_write(tmp_path):
    frames = read_xyz(written(tmp_path, FRAME))
    with pytest.raises(ValueError, match="at least one frame"):
        write_xyz(tmp_path / "none.xyz", frames[:0])


def test_writing_names_what_is_wrong(tmp_path):
    frames = MolecularFrames(numbers=[2], positions=np.zeros((1, 3)), num_atoms=[1])
    with pytest.raises(TypeError, match="frames must be a MolecularFrames, got"):
        write_xyz(frames, tmp_path / "a.xyz")
    with pytest.raises(FileNotFoundError, match="path must be in a folder that exists, got"):
        write_xyz(tmp_path / "nowhere" / "a.xyz", frames)

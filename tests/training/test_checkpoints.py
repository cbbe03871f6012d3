import json
import os

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import equijax as ej
from equijax.training.checkpoints import sweep, verify


def tree():
    return {
        "params": {
            "dense": {"kernel": np.arange(6.0, dtype=np.float32).reshape(2, 3)},
            "scale": np.float64(-0.0),
        },
        "opt_state": optax.adam(0.1).init({"a": jnp.ones(2)}),
        "stack": [np.ones(2, np.int8), (np.array(True), jnp.ones(2, jnp.bfloat16))],
        "empty": np.zeros((0, 3), np.float32),
        "key": jax.random.key(4),
    }


def test_every_leaf_comes_back_bit_for_bit(tmp_path):
    saved = tree()
    path = ej.training.save_checkpoint(tmp_path / "one", saved, {"step": 3, "note": "é"})
    restored, info = ej.training.restore_checkpoint(path, tree())
    assert info == {"step": 3, "note": "é"}
    assert jax.tree.structure(restored) == jax.tree.structure(saved)
    assert jax.random.normal(restored.pop("key")) == jax.random.normal(saved.pop("key"))
    for got, expected in zip(jax.tree.leaves(restored), jax.tree.leaves(saved), strict=True):
        assert got.dtype == np.asarray(expected).dtype
        assert got.shape == np.shape(expected)
        assert got.tobytes() == np.asarray(expected).tobytes()


def test_without_a_template_dictionaries_come_back_as_they_were(tmp_path):
    params = {"layer": {"kernel": np.ones((2, 2), np.float32), "bias": np.zeros(2, np.float32)}}
    restored, _ = ej.training.restore_checkpoint(ej.training.save_checkpoint(tmp_path / "one", params))
    assert jax.tree.structure(restored) == jax.tree.structure(params)
    jax.tree.map(np.testing.assert_array_equal, restored, params)


def test_a_checkpoint_can_be_replaced(tmp_path):
    for value in (1.0, 2.0):
        ej.training.save_checkpoint(tmp_path / "one", {"w": np.float32(value)})
    assert ej.training.restore_checkpoint(tmp_path / "one")[0]["w"] == 2.0
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def files_of(path):
    return sorted(file for file in path.rglob("*") if file.is_file())


def test_any_damage_to_any_file_is_found(tmp_path):
    path = ej.training.save_checkpoint(tmp_path / "one", {"w": np.arange(100.0)}, {"step": 1})
    for file in files_of(path):
        content = file.read_bytes()
        damages = (
            [content[: len(content) // 2], b"", bytes([content[0] ^ 1]) + content[1:]] if content else []
        )
        for damage in damages:
            file.write_bytes(damage)
            with pytest.raises(ej.training.CorruptCheckpointError, match=r"one is damaged"):
                ej.training.restore_checkpoint(path)
        os.remove(file)
        with pytest.raises(ej.training.CorruptCheckpointError, match=r"one is damaged"):
            ej.training.restore_checkpoint(path)
        file.write_bytes(content)
    verify(path)


def test_a_manifest_of_another_kind_is_damage(tmp_path):
    path = ej.training.save_checkpoint(tmp_path / "one", {"w": np.arange(3.0)})
    for text in ("[]", "{}", '{"info.json": 3}', json.dumps({"info.json": [1, 2]})):
        (path / "manifest.json").write_text(text)
        with pytest.raises(ej.training.CorruptCheckpointError, match="damaged"):
            verify(path)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            {"w": np.zeros((2, 4)), "b": np.zeros(3)},
            r"w has shape \(2, 3\) \(float64\) in the .* and \(2, 4\)",
        ),
        ({"w": np.zeros((2, 3), np.float32), "b": np.zeros(3)}, r"\(float64\).*\(float32\)"),
        ({"w": np.zeros((2, 3))}, "b is only in the checkpoint"),
        ({"w": np.zeros((2, 3)), "b": np.zeros(3), "c": {"d": 0.0}}, "c/d is not in the checkpoint"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, template, message):
    path = ej.training.save_checkpoint(tmp_path / "one", {"w": np.zeros((2, 3)), "b": np.zeros(3)})
    with pytest.raises(ValueError, match=message) as caught:
        ej.training.restore_checkpoint(path, template)
    assert "another folder" in str(caught.value)


def test_leaves_need_names_of_their_own(tmp_path):
    with pytest.raises(ValueError, match="name of its own"):
        ej.training.save_checkpoint(tmp_path / "one", {"a/b": 1.0, "a": {"b": 2.0}})
    with pytest.raises(ValueError, match="leaf inside a leaf"):
        ej.training.save_checkpoint(tmp_path / "two", {"a": 1.0, "a/b": 2.0})


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="path must be the folder of a checkpoint"):
        ej.training.restore_checkpoint(tmp_path / "nothing")


def test_leftovers_of_a_killed_process_are_swept_away(tmp_path):
    path = ej.training.save_checkpoint(tmp_path / "one", {"w": 1.0})
    for name in (".unfinished-two", ".discarded-zero"):
        (tmp_path / name / "arrays").mkdir(parents=True)
    sweep(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["one"]
    verify(path)


def test_plain_orbax_reads_the_arrays(tmp_path):
    import orbax.checkpoint as ocp

    path = ej.training.save_checkpoint(tmp_path / "one", {"a": {"w": np.arange(3.0, dtype=np.float32)}})
    as_numpy = {"a": {"w": ocp.RestoreArgs(restore_type=np.ndarray)}}
    restored = ocp.PyTreeCheckpointer().restore(path / "arrays", restore_args=as_numpy)
    np.testing.assert_array_equal(restored["a"]["w"], [0, 1, 2])


def test_what_is_no_checkpoint_is_left_alone(tmp_path):
    file, folder = tmp_path / "notes.txt", tmp_path / "folder"
    file.write_text("precious")
    folder.mkdir()
    (folder / "notes.txt").write_text("precious")
    for path in (file, folder):
        with pytest.raises(ValueError, match="path must be new or the folder of a checkpoint"):
            ej.training.save_checkpoint(path, {"w": np.ones(2)})
    assert file.read_text() == (folder / "notes.txt").read_text() == "precious"
    for content in (1.0, 2.0):
        ej.training.save_checkpoint(tmp_path / "model", {"w": np.full(2, content)})
    assert ej.training.restore_checkpoint(tmp_path / "model")[0]["w"].tolist() == [2.0, 2.0]

import warnings

import numpy as np
import pytest

import equijax as ej
from equijax.training.rotation import Rotation


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def save(folder, steps, best_steps=()):
    """States at ``steps``; a new best just before each state whose step is in ``best_steps``."""
    best = None
    with Rotation(folder) as rotation:
        for step in steps:
            if step in best_steps:
                best = step
                rotation.save_best(step, {"w": np.float32(-step)}, {"step": step})
            info = {"step": step, "best_step": best}
            rotation.save_state(step, {"params": {"w": np.float32(step)}, "opt_state": np.zeros(2)}, info)


TEMPLATE = {"params": {"w": np.float32(0)}, "opt_state": np.zeros(2)}


def damage(path):
    (path / "info.json").write_text((path / "info.json").read_text()[:-5])


def test_the_last_two_states_and_their_bests_are_kept(tmp_path):
    save(tmp_path, [10, 20, 30, 40], best_steps=[10, 20, 30])
    assert names(tmp_path) == ["best_00000030", "step_00000030", "step_00000040"]


def test_a_best_stays_as_long_as_a_kept_state_needs_it(tmp_path):
    save(tmp_path, [10, 20], best_steps=[10, 20])
    assert names(tmp_path) == ["best_00000010", "best_00000020", "step_00000010", "step_00000020"]


def test_the_newest_state_is_restored(tmp_path):
    save(tmp_path, [10, 20])
    tree, info = Rotation(tmp_path).restore_latest(TEMPLATE)
    assert (tree["params"]["w"], info["step"]) == (20, 20)


def test_a_damaged_state_is_skipped_with_a_warning_and_set_aside(tmp_path):
    save(tmp_path, [10, 20], best_steps=[10, 20])
    damage(tmp_path / "step_00000020")
    with pytest.warns(RuntimeWarning, match="step_00000020 is damaged: info.json has .* bytes"):
        tree, info = Rotation(tmp_path).restore_latest(TEMPLATE)
    assert (tree["params"]["w"], info["best_step"]) == (10, 10)
    assert names(tmp_path) == ["best_00000010", "corrupt_step_00000020", "step_00000010"]


def test_if_all_are_damaged_there_is_none(tmp_path):
    save(tmp_path, [10, 20])
    damage(tmp_path / "step_00000010")
    damage(tmp_path / "step_00000020")
    with pytest.warns(RuntimeWarning) as caught:
        assert Rotation(tmp_path).restore_latest(TEMPLATE) is None
    assert len(caught) == 2


def test_a_model_that_does_not_fit_is_an_error_and_nothing_is_lost(tmp_path):
    save(tmp_path, [10, 20])
    before = names(tmp_path)
    with pytest.raises(ValueError, match="params/w has shape"):
        Rotation(tmp_path).restore_latest({**TEMPLATE, "params": {"w": np.zeros(3, np.float32)}})
    assert names(tmp_path) == before


def test_half_written_and_half_deleted_checkpoints_do_not_count(tmp_path):
    save(tmp_path, [10])
    (tmp_path / ".unfinished-step_00000020" / "arrays").mkdir(parents=True)
    (tmp_path / ".discarded-step_00000005").mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, info = Rotation(tmp_path).restore_latest(TEMPLATE)
    assert info["step"] == 10
    assert names(tmp_path) == ["step_00000010"]


def test_what_goes_wrong_in_the_background_is_raised(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises((NotADirectoryError, FileExistsError)), Rotation(blocked / "below") as rotation:
        rotation.save_state(1, {"w": np.float32(0)}, {"best_step": None})


def test_parameters_to_predict_with_are_the_best(tmp_path):
    save(tmp_path / "checkpoints", [10, 20, 30], best_steps=[10])
    params, info = ej.training.restore_params(tmp_path)
    assert (params["w"], info) == (-10, {"step": 10, "kind": "best"})
    params, _ = ej.training.restore_params(tmp_path, {"w": np.float32(0)})
    assert params["w"] == -10
    with pytest.raises(ValueError, match="w has shape"):
        ej.training.restore_params(tmp_path, {"w": np.zeros(2, np.float32)})


def test_a_damaged_best_leaves_the_last_parameters(tmp_path):
    save(tmp_path / "checkpoints", [10, 20], best_steps=[10])
    damage(tmp_path / "checkpoints" / "best_00000010")
    with pytest.warns(RuntimeWarning, match="best_00000010 is damaged"):
        params, info = ej.training.restore_params(tmp_path)
    assert (params["w"], info) == (20, {"step": 20, "kind": "params"})


def test_a_damaged_state_sends_predictions_to_the_one_before(tmp_path):
    save(tmp_path / "checkpoints", [10, 20])
    damage(tmp_path / "checkpoints" / "step_00000020")
    with pytest.warns(RuntimeWarning, match="step_00000020 is damaged"):
        params, _ = ej.training.restore_params(tmp_path)
    assert params["w"] == 10
    assert names(tmp_path / "checkpoints") == ["step_00000010", "step_00000020"]


def test_a_folder_without_a_run_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="workdir must hold a run"):
        ej.training.restore_params(tmp_path)

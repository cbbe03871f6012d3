import dataclasses

import pytest

from experiments.framework import configuration
from experiments.framework.errors import UsageError
from experiments.framework.workdir import finished_report, open_workdir


@dataclasses.dataclass(frozen=True)
class Config:
    steps: int = 1


def opened(folder, config=None, *, overwrite=False):
    open_workdir(folder, "toy", "small", config or Config(), overwrite=overwrite)


def test_a_run_that_made_nothing_binds_nobody(tmp_path):
    folder = tmp_path / "a/b"
    opened(folder)
    (folder / "config.json.unfinished").touch()
    opened(folder, Config(steps=2))
    assert configuration.load_config(Config, folder) == Config(steps=2)
    (folder / "checkpoint").touch()
    with pytest.raises(UsageError, match="steps was 2, now 1"):
        opened(folder)


def test_overwriting_clears_the_folder_and_follows_no_link(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/letter.txt").touch()
    folder = tmp_path / "run"
    opened(folder)
    (folder / "checkpoints/10").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path / "kept")
    opened(folder, Config(steps=2), overwrite=True)
    assert [path.name for path in folder.iterdir()] == ["config.json"]
    assert (tmp_path / "kept/letter.txt").exists()
    assert finished_report(folder) is None

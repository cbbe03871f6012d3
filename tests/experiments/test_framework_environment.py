import json
import os
import socket
import subprocess

from experiments.framework import environment


def git(folder, *arguments):
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", str(folder), *author, *arguments], check=True, capture_output=True)


def test_the_commit_says_whether_the_program_was_changed(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    assert environment.commit(tmp_path) == "unknown"
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("x = 1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    clean = environment.commit(tmp_path)
    assert len(clean) == 12
    (tmp_path / "results").mkdir()
    (tmp_path / "results/a.json").write_text("{}")
    (tmp_path / "EXPERIMENTS.md").write_text("page")
    assert environment.commit(tmp_path) == clean
    (tmp_path / "a.py").write_text("x = 2\n")
    assert environment.commit(tmp_path) == f"{clean}-changed"


def test_the_machine_is_described_by_class_and_not_by_name(tmp_path):
    about = environment.describe(tmp_path)
    text = json.dumps(about)
    assert about["cores"] == environment.cores() >= 1
    assert about["packages"]["jax"].count(".") == 2
    assert about["processor"]
    assert "/" not in about["processor"] + about["system"] + about["devices"]
    assert len(socket.gethostname()) < 4 or socket.gethostname() not in text

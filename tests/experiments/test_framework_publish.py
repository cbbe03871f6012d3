import json

import pytest

from experiments.framework import publish


def test_presets_get_files_of_their_own(toys, capsys):
    assert toys("run", "parabola", "--publish") == 0
    assert toys("run", "parabola", "--preset", "full") == 0
    assert toys("publish", "parabola", "runs/parabola/full") == 0
    assert sorted(path.name for path in (toys.root / "results").iterdir()) == [
        "parabola.full.json",
        "parabola.json",
    ]
    assert toys("report") == 0
    page = (toys.root / "EXPERIMENTS.md").read_text()
    assert page.index("### parabola, small") < page.index("### parabola, full")
    assert (
        "[parabola](#parabola) | Gradient descent on a parabola reaches its minimum. | small, full |" in page
    )
    assert "python -m experiments run parabola --preset full" in page
    assert "- **holds**: descent gets closer" in page


def test_nothing_of_the_machine_is_published(toys):
    assert toys("run", "parabola", "--publish", "--workdir", toys.root / "deep/down") == 0
    text = (toys.root / "results/parabola.json").read_text()
    assert str(toys.root) not in text
    assert json.loads(text)["notes"] == ["see curve.png"]


@pytest.mark.parametrize(
    ("text", "published"),
    [
        ("meV/Å and 1/ps, a / b", "meV/Å and 1/ps, a / b"),
        ("runs/toy/small", "runs/toy/small"),
        ("--data '/home/me/a b.xyz'", "--data 'a b.xyz'"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("/home/me/x.xyz, /tmp/y/", "x.xyz, y"),
    ],
)
def test_absolute_paths_lose_their_folders(text, published):
    assert publish.without_paths({"a": [text]}) == {"a": [published]}


def test_the_page_is_checked_for_freshness(toys, capsys):
    assert toys("report", "--check") == 1
    assert toys("report") == 0
    assert "No result has been published yet." in (toys.root / "EXPERIMENTS.md").read_text()
    assert toys("report", "--check") == 0
    assert toys("run", "parabola", "--publish") == 0
    assert toys("report", "--check") == 1
    assert "EXPERIMENTS.md is stale; make it with: python -m experiments report" in capsys.readouterr().err


def test_what_cannot_be_published(toys, capsys):
    assert toys("run", "parabola", "--steps", "3", "--publish") == 2
    assert "only a preset's own configuration is published" in capsys.readouterr().err
    assert not (toys.root / "results").exists()
    (toys.root / "runs/parabola/small/report.json").unlink()
    assert toys("publish", "parabola", "runs/parabola/small") == 2
    assert "has not finished" in capsys.readouterr().err
    toys.add("circle.py", (toys.folder / "parabola.py").read_text())
    assert toys("publish", "circle", "runs/parabola/small") == 2
    assert "is the folder of a run of parabola, not circle" in capsys.readouterr().err


def test_results_that_belong_to_nothing_are_reported(toys, capsys):
    assert toys("run", "parabola", "--publish") == 0
    (toys.folder / "parabola.py").rename(toys.folder / "circle.py")
    assert toys("report") == 2
    assert "results/parabola.json belongs to no experiment" in capsys.readouterr().err
    (toys.root / "results/parabola.json").write_text("{")
    assert toys("report") == 2
    assert "is not a report" in capsys.readouterr().err

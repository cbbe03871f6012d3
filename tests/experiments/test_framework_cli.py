import json
import re
import subprocess
import sys
import time

import pytest

from experiments.framework import Report


def calls(workdir):
    return (workdir / "calls.txt").read_text().count("called")


def test_list_names_experiments_and_presets(toys, capsys):
    assert toys("list") == 0
    out = " ".join(capsys.readouterr().out.split())
    for part in ("parabola", "Gradient descent on a parabola", "smoke small full", "run NAME --help"):
        assert part in out


def test_list_is_fast_and_imports_no_jax():
    code = (
        "import sys; from experiments.framework.cli import main; main(['list']);"
        "print(sorted({'jax', 'flax', 'numpy', 'ase', 'tyro'} & set(sys.modules)))"
    )
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
    assert time.perf_counter() - start < 5


def test_run_writes_configuration_and_report(toys, capsys):
    assert toys("run", "parabola") == 0
    workdir = toys.root / "runs/parabola/small"
    report = Report.read(workdir / "report.json")
    assert (report.experiment, report.preset) == ("parabola", "small")
    assert report.config == {"steps": 10, "rate": 0.25, "widths": [4, 4], "data": None}
    assert report.environment["command"] == "python -m experiments run parabola --preset small"
    assert report.environment["cores"] >= 1
    assert json.loads((workdir / "config.json").read_text())["experiment"] == "parabola"
    out = capsys.readouterr().out
    assert "descent gets closer" in out
    assert "runs/parabola/small/report.json" in out


def test_fields_and_preset_from_the_command_line(toys):
    arguments = ("--preset=smoke", "--workdir", "here", "--rate", "0.1", "--widths", "1", "2", "3")
    assert toys("run", "parabola", *arguments, "--data", "/some/folder/a.xyz") == 0
    report = Report.read(toys.root / "here/report.json")
    assert report.config == {"steps": 2, "rate": 0.1, "widths": [1, 2, 3], "data": "/some/folder/a.xyz"}
    assert report.rows[0].value == pytest.approx(0.64)
    assert "--rate 0.1 --widths 1 2 3 --data /some/folder/a.xyz" in report.environment["command"]


def test_a_finished_run_is_not_repeated(toys, capsys):
    workdir = toys.root / "runs/parabola/smoke"
    for _ in range(2):
        assert toys("run", "parabola", "--preset", "smoke") == 0
    assert calls(workdir) == 1
    assert "This run has finished" in capsys.readouterr().out


@pytest.mark.parametrize("lost", ["report.json", "curve.png"])
def test_an_unfinished_run_is_taken_up_with_its_folder(toys, lost):
    workdir = toys.root / "runs/parabola/smoke"
    assert toys("run", "parabola", "--preset", "smoke") == 0
    (workdir / lost).unlink()
    assert toys("run", "parabola", "--preset", "smoke") == 0
    assert calls(workdir) == 2
    assert Report.read(workdir / "report.json").missing_figures(workdir) == []


def test_a_truncated_report_is_made_again(toys):
    workdir = toys.root / "runs/parabola/smoke"
    assert toys("run", "parabola", "--preset", "smoke") == 0
    (workdir / "report.json").write_text('{"rows": [')
    assert toys("run", "parabola", "--preset", "smoke") == 0
    assert Report.read(workdir / "report.json").rows[0].value == 0.25


def test_another_configuration_in_the_folder_is_refused_unless_told(toys, capsys):
    workdir = toys.root / "runs/parabola/smoke"
    assert toys("run", "parabola", "--preset", "smoke") == 0
    again = ("run", "parabola", "--preset", "smoke", "--steps", "7", "--rate", "0.5")
    assert toys(*again) == 2
    message = capsys.readouterr().err
    assert "(steps was 2, now 7, rate was 0.25, now 0.5)" in message
    assert "--overwrite" in message
    assert toys(*again, "--overwrite") == 0
    assert calls(workdir) == 1
    assert Report.read(workdir / "report.json").config["steps"] == 7


def test_folders_that_are_no_runs_are_never_touched(toys, capsys):
    (toys.root / "home").mkdir()
    (toys.root / "home/letter.txt").write_text("dear")
    for extra in ([], ["--overwrite"]):
        assert toys("run", "parabola", "--workdir", "home", *extra) == 2
        assert "home is not empty and not the folder of a run" in capsys.readouterr().err
    assert toys("run", "parabola", "--workdir", "home/letter.txt") == 2
    assert (toys.root / "home/letter.txt").read_text() == "dear"
    toys.add("circle.py", (toys.folder / "parabola.py").read_text())
    assert toys("run", "circle", "--workdir", "c") == 0
    assert toys("run", "parabola", "--workdir", "c") == 2
    assert "c is the folder of a run of circle, not parabola" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "para"], "no experiment 'para'; there are: parabola"),
        (
            ["run", "--preset", "small"],
            "run takes the name of an experiment first, got --preset; there are: parabola",
        ),
        (
            ["run", "parabola", "--preset", "huge"],
            "parabola has no preset 'huge'; there are: smoke, small, full",
        ),
        (
            ["run", "parabola", "--stepz", "3"],
            "no option --stepz; .*fields of its configuration: steps, rate",
        ),
        (["run", "parabola", "--steps", "0"], "parabola: steps must be at least 1, got 0"),
        (["parabola"], r"no command 'parabola' \(did you mean: run parabola\?\); there are: list, .*predict"),
        (["list", "all"], "list takes no arguments, got all"),
        (["predict"], "predict needs --workdir DIR"),
        (["predict", "--workdir", "nowhere"], "nowhere is not the folder of a run: it holds no config.json"),
        (["publish", "parabola", "nowhere"], "nowhere is not the folder of a run"),
        (["report", "--chek"], "report has no option --chek"),
    ],
)
def test_wrong_commands_get_one_line_and_status_2(toys, capsys, arguments, message):
    assert toys(*arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert re.search(message, error), error


def test_help(toys, capsys):
    assert toys("--help") == 0
    assert "predict" in capsys.readouterr().out
    assert toys() == 2
    assert toys("run", "--help") == 0
    assert "parabola" in capsys.readouterr().out
    for arguments in (["run", "parabola", "--help"], ["predict", "--help"], ["publish", "--help"]):
        with pytest.raises(SystemExit) as stopped:
            toys(*arguments)
        assert stopped.value.code == 0
    out = " ".join(capsys.readouterr().out.split())
    for part in ("one of smoke, small, full", "number of steps", "--workdir", "Print the loss somewhere"):
        assert part in out


def test_own_commands_go_to_the_experiment_of_the_folder(toys, capsys):
    twin = (
        (toys.folder / "parabola.py")
        .read_text()
        .replace('"loss", x * x)\n\n\nCOMMANDS', '"twin", x)\n\n\nCOMMANDS')
    )
    toys.add("circle.py", twin)
    toys.add("plain.py", twin.replace('COMMANDS = {"predict": predict}', ""))
    for name in ("circle", "parabola", "plain"):
        assert toys("run", name, "--preset", "smoke", "--workdir", name) == 0
    capsys.readouterr()
    assert toys("predict", "--workdir", "circle", "--x", "3") == 0
    assert capsys.readouterr().out == "steps 2 twin 3.0\n"
    assert toys("predict", "--workdir", "parabola", "--x", "3") == 0
    assert capsys.readouterr().out == "steps 2 loss 9.0\n"
    assert toys("predict", "--workdir", "plain") == 2
    assert "plain, which has no command 'predict'" in capsys.readouterr().err


def test_errors_in_data_get_one_line_and_status_1(toys, capsys):
    source = (toys.folder / "parabola.py").read_text()
    reading = "def run(config, workdir):\n    import equijax\n    equijax.data.read_xyz(config.data)\n"
    toys.add("parabola.py", source.replace("def run(config, workdir):\n", reading))
    assert toys("run", "parabola", "--data", "none.xyz") == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "path must name an extended-XYZ file, got none.xyz" in error


def test_a_wrong_option_does_nothing_first(toys, capsys):
    assert toys("report", "--nope") == 2
    assert "report has no option --nope" in capsys.readouterr().err
    assert not (toys.root / "EXPERIMENTS.md").exists()
    toys("run", "parabola", "--workdir", toys.root / "run")
    capsys.readouterr()
    assert toys("predict", "--workdir", toys.root / "run", "--nope") == 2
    assert "loss" not in capsys.readouterr().out


def test_a_folder_that_cannot_be_made_is_one_line(toys, capsys):
    (toys.root / "file").write_text("")
    assert toys("run", "parabola", "--workdir", toys.root / "file" / "run") == 2
    assert "error: workdir must be a folder that can be written, got" in capsys.readouterr().err

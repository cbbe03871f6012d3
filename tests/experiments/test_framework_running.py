import pytest

from experiments.framework.discovery import find
from experiments.framework.running import parse


def broken(toys, old, new):
    source = (toys.folder / "parabola.py").read_text()
    assert old in source
    toys.add("parabola.py", source.replace(old, new))


def test_the_request_holds_everything(toys):
    request = parse(find("parabola", toys.package), ["--steps", "5", "--publish"], program="run")
    assert request.config == request.module.Config(steps=5)
    assert request.preset == "small"
    assert str(request.workdir) == "runs/parabola/small"
    assert request.publish
    assert not request.overwrite


def test_a_configuration_must_be_frozen(toys):
    broken(toys, "@dataclasses.dataclass(frozen=True)", "@dataclasses.dataclass")
    with pytest.raises(TypeError, match="Config of parabola must be a frozen dataclass"):
        toys("run", "parabola")


def test_a_configuration_must_leave_the_framework_its_names(toys):
    broken(toys, "rate: float = 0.25", "rate: float = 0.25\n    workdir: str = 'x'")
    with pytest.raises(TypeError, match="must not have the fields workdir"):
        toys("run", "parabola")


def test_a_run_must_return_a_report(toys):
    broken(toys, "return Report(", "return dict(claims=")
    broken(toys, "dict(claims=rows, claims,", "dict(claims=claims,")
    with pytest.raises(TypeError, match="run of parabola must return a Report, got dict"):
        toys("run", "parabola")


def test_a_run_must_draw_what_it_reports(toys):
    broken(toys, '(workdir / "curve.png").write_bytes(b"a picture")', "")
    with pytest.raises(ValueError, match=r"reports figures that it did not draw: curve.png"):
        toys("run", "parabola")
    assert not (toys.root / "runs/parabola/small/report.json").exists()

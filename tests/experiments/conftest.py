"""A package of one toy experiment, in a folder of its own."""

import importlib
import itertools
import pathlib
import textwrap
from typing import NamedTuple

import pytest

from experiments.framework.cli import main

_SERIAL = itertools.count()

PARABOLA = '''
"""Gradient descent on a parabola reaches its minimum.

    python -m experiments run parabola      (less than a second)
"""

import dataclasses
import pathlib

from experiments.framework import Claim, Report, Row, load_config


@dataclasses.dataclass(frozen=True)
class Config:
    """What to minimise, and how."""

    steps: int = 10  # number of steps
    rate: float = 0.25
    widths: tuple[int, ...] = (4, 4)
    data: pathlib.Path | None = None

    def __post_init__(self):
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, got {self.steps}")


PRESETS = {"smoke": Config(steps=2), "small": Config(), "full": Config(steps=100)}


def run(config, workdir):
    with open(workdir / "calls.txt", "a") as stream:
        stream.write("called\\n")
    (workdir / "curve.png").write_bytes(b"a picture")
    x = (1 - 2 * config.rate) ** config.steps
    rows = [
        Row("descent", "distance", x, "m", spread=0.01, paper=0.0, parameters=1234, seconds=3.2),
        Row("standing still", "distance", 1.0, "m"),
        Row("descent", "loss", x * x),
    ]
    claims = [Claim("descent gets closer", "holds", {"distance": x}), Claim("works in 3D", "not measured")]
    return Report(rows, claims, figures=["curve.png"], notes=[f"see {workdir.resolve()}/curve.png"])


def predict(workdir: pathlib.Path, x: float = 1.0) -> None:
    """Print the loss somewhere."""
    print("steps", load_config(Config, workdir).steps, "loss", x * x)


COMMANDS = {"predict": predict}
'''


class Toys(NamedTuple):
    """The toy package, and how to call its command line."""

    package: str
    root: pathlib.Path

    @property
    def folder(self):
        return self.root / self.package

    def add(self, name, source):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source).lstrip())

    def __call__(self, *arguments):
        return main([str(argument) for argument in arguments], package=self.package)


@pytest.fixture
def toys(tmp_path, monkeypatch):
    made = Toys(f"toys_{next(_SERIAL)}", tmp_path)
    made.add("__init__.py", "")
    made.add("parabola.py", PARABOLA)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    importlib.invalidate_caches()
    return made

"""What a run reports: measured rows, the paper's claims with verdicts, figures; as JSON and back."""

import dataclasses
import json
import math
import numbers
import pathlib

FILE = "report.json"
VERDICTS = ("holds", "holds if ...", "does not hold here", "not measured")


@dataclasses.dataclass(frozen=True)
class Row:
    """One measured number.

    Attributes:
      method: what was measured, for example ``"Gaunt potential"``.
      metric: what of it, for example ``"force RMSE, 300 K"``.
      value: the number; None if only the paper's is known, or the run diverged.
      unit: for example ``"meV/Å"``; empty for a pure number.
      spread: standard deviation over seeds.
      paper: the paper's value.
      parameters: number of learnt parameters of the method.
      seconds: wall time that the method took to train.

    Raises:
      TypeError, ValueError: if a number is none, or not finite.
    """

    method: str
    metric: str
    value: float | None
    unit: str = ""
    spread: float | None = None
    paper: float | None = None
    parameters: int | None = None
    seconds: float | None = None

    def __post_init__(self):
        for name in ("method", "metric", "unit"):
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"{name} of a Row must be a string, got {getattr(self, name)!r}")
        for name in ("value", "spread", "paper", "parameters", "seconds"):
            number = _number(f"{name} of Row({self.method!r}, {self.metric!r})", getattr(self, name))
            if name == "parameters" and number is not None:
                number = int(number)
            object.__setattr__(self, name, number)


@dataclasses.dataclass(frozen=True)
class Claim:
    """A claim of the paper in short, and whether it holds here.

    Attributes:
      text: the claim.
      verdict: ``"holds"``, ``"holds if ..."`` (with the condition), ``"does not hold here"`` or
        ``"not measured"``.
      numbers: the measured numbers that the verdict rests on, by what they are.

    Raises:
      ValueError: if the verdict is another, or rests on no number though something was measured.
    """

    text: str
    verdict: str
    numbers: dict[str, float] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        conditional = self.verdict.startswith("holds if ") and self.verdict.strip(" .") != "holds if"
        if not conditional and self.verdict not in ("holds", "does not hold here", "not measured"):
            raise ValueError(f"verdict must be one of {', '.join(map(repr, VERDICTS))}, got {self.verdict!r}")
        measured = {
            name: _number(f"number {name!r} of a Claim", value) for name, value in self.numbers.items()
        }
        if None in measured.values():
            raise ValueError(f"numbers of a Claim must all be numbers, got {self.numbers!r}")
        if self.verdict != "not measured" and not measured:
            raise ValueError(f"a claim that {self.verdict!r} must rest on numbers, got none: {self.text!r}")
        object.__setattr__(self, "numbers", measured)


@dataclasses.dataclass(frozen=True)
class Report:
    """The outcome of a run. The experiment fills the first four; the framework adds the rest.

    Attributes:
      rows: measured numbers.
      claims: the paper's claims with verdicts.
      figures: names of PNG files in the run's folder.
      notes: lines to print below the table: limits, where things are, what to run next.
      experiment, preset, config: what was run.
      environment: command, commit, class of machine, versions of packages.

    Raises:
      ValueError: if there are no rows, or two of one method and metric.
    """

    rows: tuple[Row, ...]
    claims: tuple[Claim, ...] = ()
    figures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    experiment: str = ""
    preset: str = ""
    config: dict = dataclasses.field(default_factory=dict)
    environment: dict = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        for name in ("rows", "claims", "figures", "notes"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not self.rows:
            raise ValueError("rows of a Report must hold at least one Row, got none")
        cells = [(row.method, row.metric, row.unit) for row in self.rows]
        twice = {cell for cell in cells if cells.count(cell) > 1}
        if twice:
            raise ValueError(f"rows of a Report must differ in method or metric, got twice: {sorted(twice)}")

    def write(self, path: pathlib.Path) -> None:
        """Write the report as JSON; the file appears only when it is whole."""
        path = pathlib.Path(path)
        unfinished = path.with_name(path.name + ".unfinished")
        text = json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False)
        unfinished.write_text(text + "\n", encoding="utf-8")
        unfinished.replace(path)

    @classmethod
    def read(cls, path: pathlib.Path) -> "Report":
        """The report in a JSON file.

        Raises:
          ValueError: if the file is not a report.
        """
        try:
            content = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
            rows = [Row(**row) for row in content.pop("rows")]
            claims = [Claim(**claim) for claim in content.pop("claims")]
            return cls(rows=rows, claims=claims, **content)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"{path} is not a report: {type(error).__name__}: {error}") from error

    def missing_figures(self, workdir: pathlib.Path) -> list[str]:
        """Figures that the report names and the folder does not hold."""
        return [name for name in self.figures if not (pathlib.Path(workdir) / name).is_file()]


def _number(name: str, value) -> float | int | None:
    """A finite Python number from a Python, NumPy or JAX scalar; None stays None."""
    if value is None:
        return None
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value!r}; give None for a run that diverged")
    return value

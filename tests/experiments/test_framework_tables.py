import io

import pytest
from rich.console import Console

from experiments.framework import Claim, Report, Row, tables

REPORT = Report(
    rows=[
        Row("ours", "energy", 8.123, "meV", spread=0.25, parameters=25000, seconds=240.0),
        Row("ours", "force", 25.06, "meV/Å"),
        Row("trivial | mean", "energy", 1234.5, "meV", paper=1200.0),
        Row("published", "force", None, "meV/Å", paper=5.1),
    ],
    claims=[
        Claim("ours is better", "holds", {"ours": 8.123}),
        Claim("ours is [bold]faster", "holds if cold", {"seconds": 3}),
        Claim("ours is exact", "not measured"),
    ],
    notes=["see [here]"],
    experiment="toy",
    preset="small",
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (7, "7"),
        (25000, "25,000"),
        (1234.5, "1,234"),
        (123.45, "123"),
        (12.345, "12.3"),
        (-1.2345, "-1.23"),
        (0.12345, "0.123"),
        (0.00012345, "1.2e-04"),
        (1e-12, "1.0e-12"),
    ],
)
def test_numbers(value, text):
    assert tables.number(value) == text


def test_the_shorter_side_becomes_the_columns():
    header, lines = tables.grid(REPORT)
    assert header == ["metric", "ours", "trivial | mean", "published"]
    assert lines == [
        ["energy, meV", "8.12 ± 0.25", "1,234 (paper 1,200)", ""],
        ["force, meV/Å", "25.1", "", "paper 5.10"],
        ["parameters", "25,000", "", ""],
        ["training, s", "240", "", ""],
    ]
    header, lines = tables.grid(Report([Row("a", "loss", 1), Row("b", "loss", 2)]))
    assert header == ["method", "loss"]
    assert lines == [["a", "1"], ["b", "2"]]


def test_markdown():
    text = tables.markdown(REPORT)
    assert "| metric | ours | trivial \\| mean | published |" in text
    assert "- **holds if cold**: ours is [bold]faster (seconds 3)" in text
    assert "- **not measured**: ours is exact\n" in text + "\n"


def test_the_terminal_shows_all_of_it_and_takes_brackets_literally():
    stream = io.StringIO()
    tables.show(REPORT, Console(file=stream, width=120))
    for part in ("toy · small", "8.12 ± 0.25", "holds if cold", "ours is [bold]faster", "see [here]"):
        assert part in stream.getvalue()


def test_tally():
    assert tables.tally(REPORT.claims) == "holds: 1, holds if: 1, not measured: 1"
    assert tables.tally([]) == "none"

import dataclasses
import json
import math

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.framework import Claim, Report, Row

finite = st.floats(allow_nan=False, allow_infinity=False)
rows = st.builds(
    Row,
    method=st.text(max_size=4),
    metric=st.text(max_size=4),
    value=st.none() | finite,
    unit=st.sampled_from(["", "meV/Å"]),
    spread=st.none() | finite,
    paper=st.none() | finite,
    parameters=st.none() | st.integers(0, 10**9),
    seconds=st.none() | finite,
)
claims = st.builds(
    Claim,
    text=st.text(max_size=9),
    verdict=st.sampled_from(["holds", "does not hold here", "holds if small", "not measured"]),
    numbers=st.dictionaries(st.text(max_size=3), finite, min_size=1, max_size=2),
)
reports = st.builds(
    Report,
    rows=st.lists(rows, min_size=1, max_size=4, unique_by=lambda row: (row.method, row.metric, row.unit)),
    claims=st.lists(claims, max_size=3),
    figures=st.lists(st.text(max_size=3), max_size=2),
    notes=st.lists(st.text(max_size=3), max_size=2),
    config=st.dictionaries(st.text(max_size=3), finite, max_size=2),
)


@given(report=reports)
def test_a_report_survives_the_file(tmp_path_factory, report):
    folder = tmp_path_factory.mktemp("run")
    report.write(folder / "report.json")
    assert Report.read(folder / "report.json") == report
    assert [path.name for path in folder.iterdir()] == ["report.json"]


def test_scalars_of_arrays_become_numbers():
    row = Row("m", "loss", jnp.float32(0.5), spread=np.float64(0.25), parameters=np.int64(7))
    assert (row.value, row.spread, row.parameters) == (0.5, 0.25, 7)
    json.dumps(dataclasses.asdict(row))


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: Row("m", "loss", math.nan), ValueError, r"value of Row\('m', 'loss'\) must be finite"),
        (lambda: Row("m", "loss", 1.0, spread=math.inf), ValueError, "spread of Row"),
        (lambda: Row("m", "loss", "low"), TypeError, "must be a number, got 'low'"),
        (lambda: Row("m", "loss", True), TypeError, "must be a number, got True"),
        (lambda: Row("m", "loss", np.zeros(2)), TypeError, "must be a number"),
        (lambda: Row("m", 3, 1.0), TypeError, "metric of a Row must be a string, got 3"),
        (lambda: Claim("c", "true", {"a": 1}), ValueError, "verdict must be one of 'holds', .*, got 'true'"),
        (lambda: Claim("c", "holds if ...", {"a": 1}), ValueError, "verdict must be one of"),
        (lambda: Claim("c", "holds"), ValueError, "must rest on numbers, got none"),
        (lambda: Claim("c", "holds", {"a": None}), ValueError, "must all be numbers"),
        (lambda: Claim("c", "holds", {"a": math.nan}), ValueError, "number 'a' of a Claim must be finite"),
        (lambda: Report([]), ValueError, "at least one Row"),
        (lambda: Report([Row("m", "loss", 1)] * 2), ValueError, "got twice"),
    ],
)
def test_bad_reports_are_refused(build, error, message):
    with pytest.raises(error, match=message):
        build()


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"rows": [], "claims": []}', '{"rows": [{}], "claims": []}']
)
def test_files_that_are_no_reports_are_refused(tmp_path, text):
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(ValueError, match=r"report.json is not a report"):
        Report.read(tmp_path / "report.json")


def test_missing_figures(tmp_path):
    (tmp_path / "a.png").touch()
    assert Report([Row("m", "loss", 1)], figures=["a.png", "b.png"]).missing_figures(tmp_path) == ["b.png"]

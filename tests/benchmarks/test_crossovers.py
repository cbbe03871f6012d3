"""The table of the fastest methods, measured anew."""

import json

import pytest

from benchmarks import crossovers
from benchmarks.framework import cli
from equijax.sphere.crossovers import TABLE_PATH
from equijax.sphere.gaunt import METHODS


def test_intervals_change_where_it_pays():
    seconds = {3: {"a": 1.0, "b": 2.0}, 6: {"a": 3.0, "b": 2.0}, 9: {"a": 9.0, "b": 4.0}}
    assert crossovers.intervals(seconds) == [{"up_to": 4, "method": "a"}, {"up_to": None, "method": "b"}]


def test_intervals_do_not_follow_noise():
    seconds = {size: {"a": 1.0, "b": 1.0 - 0.02 * (size % 2)} for size in range(3, 9)}
    assert len(crossovers.intervals(seconds)) == 1
    # A gain beyond the price is no noise.
    seconds |= {9: {"a": 1.0, "b": 0.8}, 10: {"a": 1.0, "b": 0.8}}
    seconds |= {size: {"a": 0.9, "b": 1.0} for size in range(3, 7)}
    assert crossovers.intervals(seconds) == [
        {"up_to": 6, "method": "a"},
        {"up_to": None, "method": "b"},
    ]


def test_intervals_pass_over_methods_that_were_not_timed_everywhere():
    seconds = {3: {"a": 1.0, "b": 2.0}, 6: {"b": 2.0}}
    assert crossovers.intervals(seconds) == [{"up_to": 4, "method": "a"}, {"up_to": None, "method": "b"}]


def test_format_is_that_of_the_shipped_table():
    text = TABLE_PATH.read_text(encoding="utf-8")
    assert crossovers.formatted(json.loads(text)) == text


def test_quick_run_replaces_the_entry_of_the_back_end_alone(tmp_path, capsys):
    path, shipped = tmp_path / "table.json", TABLE_PATH.read_text(encoding="utf-8")
    path.write_text(json.dumps({"cpu": {}, "gpu": {"kept": True}}))
    assert cli.main(["crossovers", "--quick", "--output", str(path)]) == 0
    table = json.loads(path.read_text(encoding="utf-8"))
    assert table["gpu"] == {"kept": True}
    assert table["cpu"]["measured"]["rows"] == 1024
    assert table["cpu"]["methods"][-1]["up_to"] is None
    assert {row["method"] for row in table["cpu"]["methods"]} <= set(METHODS)
    assert TABLE_PATH.read_text(encoding="utf-8") == shipped
    assert "table takes" in capsys.readouterr().out


@pytest.mark.parametrize("degrees", [(1, 1), (2, 4)])
def test_sizes_are_the_degree_that_a_quadrature_needs(degrees):
    cases = list(crossovers._cases([degrees]))
    assert {case.size for case in cases} == {2 * degrees[0] + degrees[1]}
    assert {case.method for case in cases} == set(crossovers.CANDIDATES)

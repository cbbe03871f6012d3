"""The benchmark of products: contenders, conclusions, targets, and a quick run."""

import json

import numpy as np
import pytest

from benchmarks.framework import cli
from benchmarks.framework.directions import FORWARD, GRADIENT
from benchmarks.framework.timing import Timing
from benchmarks.peers import e3nn
from benchmarks.peers.contender import Unavailable, Work
from benchmarks.tensor_products import conclusions, ours, rooflines, sections, targets
from benchmarks.tensor_products.verification import verify
from equijax import sphere

PEAKS = rooflines.Peaks(1e-6, 1e11, 1e10, {3: 1e10})


def timed(name, size, median, *, section=sections.EVEN, direction=GRADIENT, **about):
    about = {"paths": 10, "free_weights": 5, "rows": 1000, **about}
    return Timing(name, size, direction, median, median, median, 0.5, 1e-3, 3, 1, 1.0, section, about)


@pytest.fixture
def only_e3nn(monkeypatch):
    """Leave the optional peers out, so that the test is the same where they are installed."""
    monkeypatch.setattr(sections, "PEERS", (e3nn,))
    sections.verified.cache_clear()
    yield
    sections.verified.cache_clear()


@pytest.mark.parametrize("method", ours.METHODS)
def test_gaunt_products_couple_the_even_paths(method):
    assert verify(ours.gaunt(method), Work(2, 2)).paths == 11


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_full_products_couple_all_paths(rank):
    assert verify(ours.full(rank), Work(2, 2, "all")).paths == 15


def test_tables_of_coefficients_end_where_they_are_too_large():
    with pytest.raises(Unavailable, match="up to L=5"):
        ours.gaunt("direct")(Work(6, 6))


def test_bare_products_are_those_of_the_grid_product():
    x, y = sections.draw(Work(3, 3))
    values, other, _ = ours.three_products(
        x, y, np.ones((1, ours.grid_tables(3)[1].shape[0]), np.float32), lmax=3
    )
    z = (np.asarray(values) * np.asarray(other)) @ ours.grid_tables(3)[1]
    np.testing.assert_allclose(z, sphere.gaunt_product(x, y, 3, method="grid"), atol=1e-5)


def test_bound_counts_operations_or_bytes():
    components, points = ours.grid_tables(3)[0].shape
    operations, num_bytes = (
        3 * 2 * 1024 * components * points,
        12 * (1024 * (components + points) + components * points),
    )
    fast_memory = PEAKS._replace(near={3: 1e30})
    assert rooflines.bound(3, fast_memory) == pytest.approx(operations / 1e11)
    assert rooflines.bound(3, PEAKS._replace(operations=1e30)) == pytest.approx(num_bytes / 1e10)


def test_targets_are_judged_by_the_ratios():
    timings = [timed(targets.AUTO, 2, 1e-3), timed(e3nn.NAME, 2, 5e-3), timed(targets.AUTO, 4, 1e-3)]
    timings += [timed(e3nn.NAME, 4, 5e-3), timed(targets.AUTO, 6, 1e-3)]
    timings += [
        timed(method, 3, seconds, section=sections.BARE, direction=FORWARD)
        for method, seconds in ((sections.GRID_ALONE, 1.0), (sections.PRODUCTS_ALONE, 0.9))
    ]
    timings += [timed(ours.full_name(1), 4, 1e-3, section=sections.ALL)]
    timings += [timed(e3nn.NAME, 4, 4e-3, section=sections.ALL)]
    verdicts = targets.judge(timings, PEAKS)
    assert [verdict.met for verdict in verdicts] == [True, False, None, True, True, False, True]
    assert [verdict.measured for verdict in verdicts[:2]] == [pytest.approx(5.0), pytest.approx(5.0)]
    assert verdicts[-1].measured == pytest.approx(4.0)
    slower = [*timings, timed("some peer", 6, 0.5e-3)]
    worst = targets.judge(slower, PEAKS)[4]
    assert (worst.measured, worst.met) == (pytest.approx(0.5), False)
    assert "some peer at L=6" in worst.detail
    text = targets.conclusion(timings, PEAKS).text
    assert text.count("not met") == 2
    assert text.count("not measured") == 1


def test_choices_name_what_was_faster():
    timings = [timed(targets.AUTO, 2, 2e-3, method="grid"), timed(ours.gaunt_name("grid"), 2, 2e-3)]
    timings += [timed(ours.gaunt_name("separable"), 2, 1e-3), timed(e3nn.NAME, 2, 6e-3)]
    (row,) = conclusions._choices(timings).data
    assert (row["took"], row["fastest_of_ours"], row["fastest_peer"]) == ("grid", "separable", e3nn.NAME)
    assert row["auto_over_fastest_of_ours"] == pytest.approx(2)
    assert row["fastest_peer_over_auto"] == pytest.approx(3)


def test_costs_are_divided_by_paths_and_by_free_weights():
    rows = conclusions._per_path([timed("some", 2, 1e-3, direction=FORWARD), timed("some", 2, 1.0)]).data
    assert len(rows) == 1
    assert rows[0]["ns_a_row_and_path"] == pytest.approx(100)
    assert rows[0]["ns_a_row_and_free_weight"] == pytest.approx(200)


def test_methods_of_a_size_share_their_signals(only_e3nn):
    cases = list(sections.cases(quick=True))
    by_section = {}
    for case in cases:
        by_section.setdefault(case.section, []).append(case)
    assert list(by_section) == [sections.EVEN, sections.ALL, sections.BARE]
    assert len(by_section[sections.EVEN]) == len(ours.METHODS) + 1
    assert len(by_section[sections.ALL]) == 4
    for group in by_section.values():
        for case in group:
            np.testing.assert_array_equal(case.arguments[0], group[0].arguments[0])
    assert by_section[sections.EVEN][0].about["method"] == sphere.method_for(1, 1, 1)


def test_contenders_that_take_too_long_to_make_are_left_out():
    seconds = {1: 0.001, 3: 2.0}
    with pytest.raises(Unavailable, match="would take about 32 s to set up"):
        sections._made(e3nn.make, Work(7, 7), seconds)
    assert sections._made(e3nn.make, Work(2, 2), seconds).free_weights == 11
    assert seconds[2] > 0


def test_quick_run_ends_with_the_targets(only_e3nn, tmp_path, capsys):
    assert cli.main(["tensor_products", "--quick", "--output", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "e3nn-jax tensor_product" in printed
    assert printed.index("Verification") < printed.index("The method that auto took")
    assert "never slower than the fastest peer" in printed
    content = json.loads((tmp_path / "tensor_products.json").read_text())
    verification, *_, verdicts = content["conclusions"].values()
    assert all(row["error"] < 2e-5 for row in verification)
    assert len(verdicts) == 7
    assert {row["direction"] for row in content["rows"]} == {FORWARD, GRADIENT, "second order"}

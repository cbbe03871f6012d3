"""Timing in turns, and slopes."""

import jax
import jax.numpy as jnp
import pytest

from benchmarks.framework import timing


def fake(size, median, method="m", direction="forward", compilation=1.0, megabyte=None):
    return timing.Timing(method, size, direction, median, median, median, compilation, None, 3, 1, megabyte)


def benchmark(**changes):
    return timing.Benchmark(
        **{
            "name": "fake",
            "title": "A title",
            "work": "The work.",
            "size": "n",
            "scale": float,
            "scale_name": "n",
            "fit_from": 2,
            "cases": lambda quick: [],
            **changes,
        }
    )


def test_every_case_is_timed_in_both_directions():
    x = jnp.ones(4)
    cases = [timing.Case(name, size, jnp.sin, (x,)) for size in (2, 1) for name in ("a", "b")]
    lines = []
    found = timing.measure(cases, samples=3, seconds=0.0, progress=lines.append)
    assert not found.left_out
    assert {(t.method, t.size, t.direction) for t in found.timings} == {
        (name, size, direction) for name in "ab" for size in (1, 2) for direction in timing.DIRECTIONS
    }
    assert lines == ["size 1: 2 methods", "size 2: 2 methods"]
    for t in found.timings:
        assert 0 < t.lower <= t.median <= t.upper
        assert t.compilation > 0
        assert (t.samples, t.calls) == (3, 1)


def test_work_shows_in_time_and_in_operations():
    def powers(count):
        def function(x):
            for _ in range(count):
                x = x @ x / 300
            return x

        return function

    x = jnp.ones((300, 300))
    cases = [timing.Case("few", 1, powers(1), (x,)), timing.Case("many", 1, powers(30), (x,))]
    few, _, many, _ = timing.measure(cases, samples=3, seconds=0.0).timings
    assert many.median > 3 * few.median
    assert many.gigaflop == pytest.approx(30 * few.gigaflop, rel=0.1)
    assert few.gigaflop == pytest.approx(2 * 300**3 / 1e9, rel=0.1)


def test_short_calls_are_repeated_in_a_sample():
    found = timing.measure([timing.Case("m", 1, jnp.sin, (jnp.ones(2),))], samples=1, seconds=0.01)
    assert found.timings[0].calls > 3


def test_compilation_cache_setting_is_restored():
    before = jax.config.jax_enable_compilation_cache
    timing.measure([timing.Case("m", 1, jnp.sin, (jnp.ones(2),))], samples=1, seconds=0.0)
    assert jax.config.jax_enable_compilation_cache == before


def test_slope_is_the_exponent_and_leaves_small_sizes_out():
    timings = [fake(1, 100.0), *(fake(size, 2e-3 * size**2.5) for size in (2, 4, 8))]
    timings += [fake(4, 1.0, "single")]
    assert timing.slopes(benchmark(), timings) == {("", "m", "forward"): pytest.approx(2.5)}


def test_samples_must_be_positive():
    with pytest.raises(ValueError, match="samples must be a number of at least 1, got 0"):
        timing.measure([], samples=0, seconds=0.0)


def test_sections_directions_and_numbers_are_carried_along():
    x, w = jnp.ones((2, 3)), jnp.ones(3)
    case = timing.Case("m", 3, jnp.multiply, (x, w), "one", ("forward", "second order"), {"rows": 2})
    found = timing.measure([case], samples=1, seconds=0.0).timings
    assert [t.direction for t in found] == ["forward", "second order"]
    assert {(t.section, t.about["rows"]) for t in found} == {("one", 2)}
    assert found[0].megabyte == pytest.approx(24e-6)


def test_slow_cases_take_fewer_samples():
    def slow(x):
        return jax.lax.fori_loop(0, 300_000, lambda i, x: x + 1.0, x)

    case = timing.Case("m", 1, slow, (jnp.float32(0.0),), directions=("forward",))
    found = timing.measure([case], samples=9, seconds=0.0, seconds_in_all=1e-9).timings
    assert found[0].samples == 3


def test_sizes_beyond_the_limits_are_left_out_with_the_reason():
    known = [fake(1, 1e-3, compilation=1.0, megabyte=10.0), fake(3, 1e-3, compilation=4.0, megabyte=10.0)]
    case = timing.Case("m", 7, jnp.sin, (jnp.ones(2),))
    why = timing.beyond_limits(case, "forward", known, timing.Limits(seconds=15.0))
    assert why == "would take about 16 s to compile and call thrice, above 15 s"
    assert timing.beyond_limits(case, "forward", known, timing.Limits(seconds=17.0)) is None
    why = timing.beyond_limits(case, "forward", known, timing.Limits(megabyte=9.0))
    assert why == "would need about 10 MB, above 9 MB"
    assert timing.beyond_limits(case, "second order", known, timing.Limits(seconds=0.0)) is None


def test_what_is_absent_or_beyond_the_limits_is_told():
    x = jnp.ones(2)
    cases = [timing.Absent("other", None, "", "not installed")]
    cases += [timing.Case("m", size, jnp.sin, (x,), directions=("forward",)) for size in (1, 2)]
    found = timing.measure(cases, samples=1, seconds=0.0, limits=timing.Limits(seconds=0.0))
    assert [t.size for t in found.timings] == [1]
    assert [(one.method, one.size, one.direction) for one in found.left_out] == [
        ("other", None, None),
        ("m", 2, "forward"),
    ]


def test_extrapolation_follows_the_last_two_sizes():
    assert timing.extrapolate({}, 3) == 0
    assert timing.extrapolate({1: 2.0, 5: 9.0}, 3) == 2
    assert timing.extrapolate({1: 2.0, 2: 1.0}, 3) == 1
    assert timing.extrapolate({0: 7.0, 1: 2.0, 3: 8.0}, 7) == pytest.approx(32.0)
    assert timing.extrapolate({1: 1e-6, 3: 1.0}, 7) == pytest.approx(2.0**8)

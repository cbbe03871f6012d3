"""Timing in turns, and slopes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.framework import timing


def fake(size, median, method="m", direction="forward"):
    return timing.Timing(method, size, direction, median, median, median, 1.0, None, 3, 1)


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
    assert {(t.method, t.size, t.direction) for t in found} == {
        (name, size, direction) for name in "ab" for size in (1, 2) for direction in timing.DIRECTIONS
    }
    assert lines == ["size 1: 2 methods", "size 2: 2 methods"]
    for t in found:
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
    few, _, many, _ = timing.measure(cases, samples=3, seconds=0.0)
    assert many.median > 3 * few.median
    assert many.gigaflop == pytest.approx(30 * few.gigaflop, rel=0.1)
    assert few.gigaflop == pytest.approx(2 * 300**3 / 1e9, rel=0.1)


def test_backward_direction_computes_gradients_of_all_arguments():
    run, arguments = timing._with_gradient(
        timing.Case("m", 1, lambda x, w: w["a"] * x**2, (jnp.array([1.0, 2.0]), {"a": jnp.array(3.0)}))
    )
    value, (by_x, by_w) = jax.jit(run)(*arguments)
    np.testing.assert_allclose(value, [3, 12])
    np.testing.assert_allclose(by_x, [6, 12])
    np.testing.assert_allclose(by_w["a"], 5)


def test_short_calls_are_repeated_in_a_sample():
    found = timing.measure([timing.Case("m", 1, jnp.sin, (jnp.ones(2),))], samples=1, seconds=0.01)
    assert found[0].calls > 3


def test_compilation_cache_setting_is_restored():
    before = jax.config.jax_enable_compilation_cache
    timing.measure([timing.Case("m", 1, jnp.sin, (jnp.ones(2),))], samples=1, seconds=0.0)
    assert jax.config.jax_enable_compilation_cache == before


def test_slope_is_the_exponent_and_leaves_small_sizes_out():
    timings = [fake(1, 100.0), *(fake(size, 2e-3 * size**2.5) for size in (2, 4, 8))]
    timings += [fake(4, 1.0, "single")]
    assert timing.slopes(benchmark(), timings) == {("m", "forward"): pytest.approx(2.5)}


def test_samples_must_be_positive():
    with pytest.raises(ValueError, match="samples must be a number of at least 1, got 0"):
        timing.measure([], samples=0, seconds=0.0)

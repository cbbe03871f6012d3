"""The benchmark of frames: its methods do the work that it says, and a quick run ends with the ratio."""

import json

import jax
import jax.numpy as jnp
import numpy as np

import equijax as ej
from benchmarks import frames
from benchmarks.framework import cli
from equijax.groups import SE, Point, Vector


def test_methods_agree_in_shape_and_averages_are_equivariant():
    found = {case.method: case for case in frames.cases(quick=True)}
    assert set(found) == {frames.ONE, frames.PLAIN, frames.AVERAGE, frames.DRAWN, frames.WEIGHTED}
    for case in found.values():
        assert jax.eval_shape(case.function, *case.arguments).shape == (frames.BATCH, frames.POINTS, 3)
    params, x = found[frames.AVERAGE].arguments

    def error(method):
        f = jax.jit(lambda x: found[method].function(params, x))
        return ej.equivariance.error(f, SE(3), (Point(),), Vector(), (x,), key=jax.random.key(0))

    assert error(frames.AVERAGE) < 1e-4
    assert error(frames.ONE) > 1e-2


def test_plain_calls_are_not_merged():
    case = next(case for case in frames.cases(quick=True) if case.method == frames.PLAIN)
    params, x = case.arguments
    net = frames.PointMLP(case.size)
    calls = [net.apply({"params": params}, x + 0.1 * number) for number in range(4)]
    np.testing.assert_allclose(case.function(params, x), jnp.mean(jnp.stack(calls), axis=0), atol=1e-6)


def test_quick_run_ends_with_the_ratio(tmp_path, capsys):
    assert cli.main(["frames", "--quick", "--output", str(tmp_path)]) == 0
    assert "of m plain calls" in capsys.readouterr().out
    written = json.loads((tmp_path / "frames.json").read_text())
    (ratios,) = written["conclusions"].values()
    assert all(0.01 < row["average over m calls"] < 100 for row in ratios)

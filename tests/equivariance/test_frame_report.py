import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.equivariance import frame_average, frame_report
from equijax.euclid import pca_frame, weighted_pair_frame
from equijax.groups import SE, SO, Point, Trivial, Vector

SQUARE = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1], [3, 3], [3, -3], [-3, 3], [-3, -3]])
STEPS = (1e-1, 1e-2, 1e-4)


def network(x):
    random = np.random.RandomState(0)
    return jnp.tanh(x.ravel() @ random.randn(16, 8) / 4 + random.randn(8)) @ random.randn(8)


def report_of(make, x):
    group = SE(2)
    averaged = frame_average(network, functools.partial(make, group=group), (Point(),), Trivial())
    return frame_report(
        averaged, group, (Point(),), Trivial(), (jnp.asarray(x),), key=jax.random.key(0), steps=STEPS
    )


def test_principal_axes_jump_where_variances_are_equal_and_weighted_frames_do_not(x64):
    generic = np.random.RandomState(1).randn(8, 2)
    assert not report_of(pca_frame, generic).jumps
    assert report_of(pca_frame, generic).error < 1e-12
    square = report_of(pca_frame, SQUARE)
    assert square.jumps
    assert square.slopes[-1] > 100
    weighted = report_of(weighted_pair_frame, SQUARE)
    assert not weighted.jumps
    assert weighted.error < 1e-12
    assert "no jump was met" in str(weighted)
    assert "the function jumps here" in str(square)
    assert "equivariance error under SE(2):" in str(square)


def test_slopes_of_a_linear_map_are_its_gains(x64):
    def f(x, numbers):
        return {"double": 2 * x, "numbers": numbers}

    reps = {"double": Vector(), "numbers": Trivial()}
    args = (jnp.ones((4, 3)), jnp.arange(3))
    report = frame_report(f, SO(3), (Vector(), Trivial()), reps, args, key=jax.random.key(0))
    np.testing.assert_allclose(report.slopes, 2, rtol=1e-9)
    assert report.error < 1e-12
    assert report.steps.tolist() == [1e-1, 1e-2, 1e-3]


def test_errors_of_functions_without_symmetry_are_found():
    report = frame_report(
        jnp.sum, SO(3), (Vector(),), Trivial(), (jnp.ones((4, 3)),), key=jax.random.key(0), num_samples=2
    )
    assert report.error > 0.1


def test_errors_name_the_argument():
    call = functools.partial(frame_report, jnp.sum, SO(3), (Vector(),), Trivial(), (jnp.ones((4, 3)),))
    with pytest.raises(ValueError, match="steps must be at least two positive numbers, from large to small"):
        call(key=jax.random.key(0), steps=(1e-3, 1e-2))
    with pytest.raises(TypeError, match="key must be a random key"):
        call(key=0)
    with pytest.raises(TypeError, match="args must be a tuple"):
        frame_report(jnp.sum, SO(3), (Vector(),), Trivial(), jnp.ones(3), key=jax.random.key(0))
    with pytest.raises(TypeError, match="args must hold a real floating-point array"):
        frame_report(lambda x: x[0], SO(3), (Trivial(),), Trivial(), (jnp.arange(3),), key=jax.random.key(0))

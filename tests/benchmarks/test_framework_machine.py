"""Peaks of the machine, and bounds from them."""

import pytest

from benchmarks.framework import machine


def test_peaks_are_speeds_of_a_computer():
    assert 1e8 < machine.matmul_peak(size=256, repeats=2) < 1e16
    assert 1e7 < machine.bandwidth(1 << 16, repeats=2) < 1e15
    assert 1e-8 < machine.call_overhead(repeats=5) < 0.1


def test_bandwidth_does_not_depend_on_the_number_of_passes():
    # If the compiler merged the passes, arrays of fewer passes would look slower by orders of magnitude.
    many, few = machine.bandwidth(1 << 16, repeats=3), machine.bandwidth(1 << 25, repeats=3)
    assert many < 100 * few


@pytest.mark.parametrize(
    ("operations", "num_bytes", "seconds"), [(100.0, 1.0, 10.0), (1.0, 100.0, 50.0), (0.0, 0.0, 0.0)]
)
def test_the_slower_resource_bounds(operations, num_bytes, seconds):
    assert machine.roofline(operations, num_bytes, peak=10.0, bytes_a_second=2.0) == seconds

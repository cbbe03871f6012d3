"""Symmetries of weights: finding them, and matching networks by them against git-re-basin's algorithm.

    python -m benchmarks weights            # about 10 minutes on two cores
    python -m benchmarks weights --quick    # the smallest sizes; writes nothing

Tracing is timed from a cold start of the tracer, with weights as shapes only; the part that is JAX's own
tracing is shown beside it. Matching is timed on pairs of independent networks, with the same assignment
solver (scipy's) on both sides, in turns; the objective that each reaches stands beside the time.
"""

from benchmarks.weights.run import BENCHMARK

__all__ = ["BENCHMARK"]

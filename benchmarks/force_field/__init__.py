"""Steps a second of training a force field: ours, its Clebsch-Gordan twin, and mlip's MACE.

    python -m benchmarks force_field            # a few minutes on two cores
    python -m benchmarks force_field --quick    # a minute

All three train on the same molecules in the same batches with the same loss, optimiser and step (that of
`equijax.training.fit`: forces by one reverse pass, the memory of the state used again). MACE is there if mlip
is installed (``pip install 'equijax[peers]'``), with as many channels as bring its number of parameters
closest to ours.
"""

from benchmarks.force_field.run import BENCHMARK

__all__ = ["BENCHMARK"]

"""Products of two signals on the sphere: every method of ours against every peer that is installed.

    python -m benchmarks tensor_products            # under 12 minutes on two cores
    python -m benchmarks tensor_products --quick    # seconds

Peers: ``tensor_product`` of e3nn-jax, ``Tensor`` of e3x, ``TensorProduct`` of e3j, the naive path of
cuEquivariance-jax and mlip's Gaunt product. All but the first are optional (``pip install
'equijax[peers]'``); those that are missing are named in the report. Before anything is timed, each product
is compared with the Gaunt and bracket coefficients, path by path.
"""

from benchmarks.framework.timing import Benchmark, Limits
from benchmarks.tensor_products.conclusions import conclude
from benchmarks.tensor_products.sections import cases

BENCHMARK = Benchmark(
    name="tensor_products",
    title="Products of two signals on the sphere",
    work=(
        "Every method multiplies batches of signals of degrees 0 … L and natural parity, in single "
        "precision, each row (8 entries of 128 channels, unless a section says otherwise) by a row, and "
        "returns degrees 0 … L or 0 … 2L. Even paths are those with l1 + l2 + l3 even; all paths include the "
        "odd ones, whose results have pseudo parity and are returned apart. Clebsch-Gordan products have a "
        "weight for each path and sum the paths into each degree; Gaunt products a weight for each degree of "
        "the factors and of the result, so fewer free weights: the table per path says so in numbers. The "
        "backward pass gives the gradients by both factors and the weights, the second order those of the "
        "squared norm of an energy's gradients, as learning from forces does. Factors, weights and results "
        "are in the layout that each library likes best. Compilation includes making constant tables, where "
        "an earlier direction has not made them."
    ),
    size="L",
    scale=lambda lmax: lmax + 1,
    scale_name="L + 1",
    fit_from=3,
    cases=cases,
    limits=Limits(seconds=14.0, megabyte=3000.0),
    conclude=conclude,
)

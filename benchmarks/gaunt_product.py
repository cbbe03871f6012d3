"""Gaunt products, by three methods, against Clebsch-Gordan products of e3nn-jax.

    python -m benchmarks gaunt_product            # under 4 minutes on two cores
    python -m benchmarks gaunt_product --quick    # seconds

To expect on a CPU, in single precision: the grid is ahead of e3nn-jax at every degree, by 2 to 3 times for
L = 1 to 3, 4 times at L = 4 and 10 times at L = 6, more with gradients; the Fourier method overtakes e3nn-jax
near L = 5 only, and stays behind the grid.
"""

import functools
from collections.abc import Iterator

import e3nn_jax as e3nn
import jax.numpy as jnp
import numpy as np

from benchmarks.framework.timing import Benchmark, Case
from equijax import sphere

ROWS = (8, 128)
DIRECT_UP_TO = 5
"""The table of Gaunt coefficients grows as the sixth power of the degree: beyond, it is not a contender."""


def natural(lmax: int) -> e3nn.Irreps:
    """Irreps of a signal: ``0e + 1o + 2e + …``."""
    return e3nn.Irreps.spherical_harmonics(lmax)


def clebsch_gordan(x, y, weights, *, lmax: int):
    """Tensor product of e3nn-jax with a weight for each path, summed over the paths into each degree.

    Only outputs of natural parity are kept, so the paths are those with ``l1 + l2 + l3`` even: the same
    couplings as in a Gaunt product.

    Args:
      x, y: shape ``(..., (lmax + 1)²)``.
      weights: shape ``(paths,)``.
      lmax: largest degree of the result.
    """
    product = e3nn.tensor_product(
        e3nn.IrrepsArray(natural(lmax), x),
        e3nn.IrrepsArray(natural(lmax), y),
        filter_ir_out=[ir for _, ir in natural(lmax)],
    )
    weighted = product * weights
    return jnp.concatenate([chunk.sum(axis=-2) for chunk in weighted.chunks], axis=-1)


def gaunt(x, y, weights, *, lmax: int, method: str):
    """Gaunt product with a weight for each degree of both factors and of the result."""
    return sphere.gaunt_product(x, y, lmax, method=method, weights=weights)


def num_paths(lmax: int) -> int:
    """Couplings of degrees up to ``lmax`` with ``l1 + l2 + l3`` even."""
    irreps = natural(lmax)
    return e3nn.tensor_product(irreps, irreps, filter_ir_out=[ir for _, ir in irreps]).num_irreps


def cases(quick: bool) -> Iterator[Case]:
    """Each method at each degree, on the same random signals."""
    for lmax in (1, 2) if quick else range(1, 7):
        random = np.random.default_rng(lmax)

        def draw(*shape, random=random):
            return jnp.asarray(random.normal(size=shape), jnp.float32)

        x, y = draw(*ROWS, (lmax + 1) ** 2), draw(*ROWS, (lmax + 1) ** 2)
        by_degree = tuple(draw(lmax + 1) for _ in range(3))
        for method in ("grid", "fourier", "direct"):
            if method != "direct" or lmax <= DIRECT_UP_TO:
                function = functools.partial(gaunt, lmax=lmax, method=method)
                yield Case(f"Gaunt, {method}", lmax, function, (x, y, by_degree))
        function = functools.partial(clebsch_gordan, lmax=lmax)
        yield Case("Clebsch-Gordan, e3nn-jax", lmax, function, (x, y, draw(num_paths(lmax))))


BENCHMARK = Benchmark(
    name="gaunt_product",
    title="Products of two signals on the sphere: Gaunt against Clebsch-Gordan",
    work=(
        "Every method multiplies 1024 rows (8 × 128) of signals of degrees 0 … L and natural parity and "
        "returns degrees 0 … L, in single precision. All use the couplings with l1 + l2 + l3 even; a "
        "Clebsch-Gordan product has a weight for each of them, a Gaunt product one for each degree of the "
        "factors and of the result (3 (L + 1)): fewer parameters. The backward pass gives the gradients by "
        "both factors and the weights."
    ),
    size="L",
    scale=lambda lmax: lmax + 1,
    scale_name="L + 1",
    fit_from=3,
    cases=cases,
)

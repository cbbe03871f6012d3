"""mlip's ``GauntTensorProduct``: values on a spherical design, with per-degree weights added here."""

import e3nn_jax as e3nn
import numpy as np

from benchmarks.peers.contender import Contender, Unavailable, Work, by_parity, require, same
from equijax.sphere import per_degree

NAME = "mlip GauntTensorProduct"


def make(work: Work) -> Contender:
    """The product as it is, of factors with a weight for each degree, and so is its result."""
    require("mlip")
    from mlip.models.gaunt_tensor_product import GauntTensorProduct

    if work.paths != "even":
        raise Unavailable("has the even paths only")
    target = e3nn.Irreps.spherical_harmonics(work.lmax_out)
    try:
        product = GauntTensorProduct((work.natural, work.natural), target=target, use_float64=False)
    except (ValueError, KeyError, FileNotFoundError, AssertionError) as error:
        degree = 2 * work.lmax + work.lmax_out
        raise Unavailable(f"has no spherical design of degree {degree}") from error

    def function(x, y, weights):
        factors = (
            e3nn.IrrepsArray(work.natural, per_degree(weight, signal))
            for weight, signal in zip(weights, (x, y))
        )
        return per_degree(weights[2], product(*factors).array)

    degrees = (work.lmax, work.lmax, work.lmax_out)
    weights = tuple(np.ones(degree + 1, np.float32) for degree in degrees)
    return Contender(NAME, function, weights, sum(degrees) + 1, same, lambda z: by_parity(z, work))

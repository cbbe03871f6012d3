"""cuEquivariance's fully connected tensor product, by its ``naive`` method: plain JAX on any back end."""

import functools

import jax
import numpy as np

from benchmarks.peers.contender import Contender, Work, by_parity, require, same

NAME = "cuEquivariance naive"


@functools.cache
def _polynomial(natural: str, kept: str):
    """cuEquivariance's description of the product; making it does not depend on the channels."""
    import cuequivariance as cue

    factor, result = (cue.Irreps("O3", irreps.replace("1x", "")) for irreps in (natural, kept))
    return cue.descriptors.fully_connected_tensor_product(factor, factor, result).polynomial


def make(work: Work) -> Contender:
    """One copy of each irrep a row: fully connected means a weight for each path, summed by degree."""
    require("cuequivariance", "cuequivariance_jax")
    import cuequivariance_jax as cuex

    polynomial = _polynomial(str(work.natural), str(work.kept()))
    size = polynomial.outputs[0].size

    def function(x, y, weights):
        result = jax.ShapeDtypeStruct((*x.shape[:-1], size), x.dtype)
        return cuex.segmented_polynomial(polynomial, [weights, x, y], [result], method="naive")[0]

    paths = polynomial.inputs[0].size
    return Contender(NAME, function, np.ones(paths, np.float32), paths, same, lambda z: by_parity(z, work))

"""``e3nn_jax.tensor_product``: every path by itself, here weighted and summed into each degree."""

import e3nn_jax as e3nn
import jax.numpy as jnp
import numpy as np

from benchmarks.peers.contender import Contender, Work, by_parity, same

NAME = "e3nn-jax tensor_product"


def make(work: Work) -> Contender:
    """The product with a weight for each path; only the wanted results are computed.

    Example:
      >>> make(Work(2, 2)).free_weights
      11
    """
    kept = work.kept()
    wanted = [ir for _, ir in kept]
    product_irreps = e3nn.tensor_product(work.natural, work.natural, filter_ir_out=wanted)
    order = [[ir for _, ir in product_irreps].index(ir) for ir in wanted]

    def function(x, y, weights):
        factors = (e3nn.IrrepsArray(work.natural, signal) for signal in (x, y))
        weighted = e3nn.tensor_product(*factors, filter_ir_out=wanted) * weights
        chunks = weighted.chunks
        return jnp.concatenate([chunks[index].sum(axis=-2) for index in order], axis=-1)

    paths = product_irreps.num_irreps
    weights = np.ones(paths, np.float32)
    return Contender(NAME, function, weights, paths, same, lambda z: by_parity(z, work))

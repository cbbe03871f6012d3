"""``e3j.core.TensorProduct``: gather, multiply and scatter by the non-zero coefficients (its plain JAX path).

On a GPU its own kernels serve where ``e3j-ops`` is installed; the benchmark leaves e3j's defaults alone.
"""

import functools

import jax.numpy as jnp
import numpy as np

from benchmarks.peers.contender import Contender, Work, by_parity, require

NAME = "e3j TensorProduct"


@functools.cache
def _product(natural: str, kept: str):
    """e3j's product of natural irreps; setting it up takes seconds, and does not depend on the channels."""
    import e3j

    return e3j.core.TensorProduct((natural, natural), kept, layout="TRAILING_CHANNELS", mode="MAP")


def make(work: Work) -> Contender:
    """The product in its faster layout, channels last; its paths are weighted and summed like e3nn-jax's."""
    require("e3j")
    product = _product(str(work.natural), str(work.kept()))
    blocks, start = {}, 0
    for multiplicity, ir in product.target:
        blocks[(ir.p * (-1) ** ir.l, ir.l)] = (start, multiplicity)
        start += multiplicity * ir.dim
    paths = sum(multiplicity for _, multiplicity in blocks.values())

    def function(x, y, weights):
        z = product(x, y)
        sums, first = [], 0
        for parity, l in work.results():
            start, multiplicity = blocks[(parity, l)]
            part = z[..., start : start + multiplicity * (2 * l + 1), :]
            part = part.reshape(*part.shape[:-2], multiplicity, 2 * l + 1, part.shape[-1])
            weight = weights[first : first + multiplicity, None, None]
            sums.append(jnp.sum(part * weight, axis=-3))
            first += multiplicity
        return jnp.concatenate(sums, axis=-2)

    return Contender(
        NAME,
        function,
        np.ones(paths, np.float32),
        paths,
        lambda x: np.swapaxes(x, -1, -2),
        lambda z: by_parity(np.swapaxes(z, -1, -2), work),
    )

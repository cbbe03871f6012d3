"""``e3x.nn.Tensor``: one dense contraction with all Clebsch-Gordan coefficients, and a weight a channel."""

import numpy as np

from benchmarks.peers.contender import Contender, Unavailable, Work, require

NAME = "e3x Tensor"
SHIPPED_DEGREE = 15


def make(work: Work) -> Contender:
    """The module with pseudotensors left out or kept, in its layout: entry, parity, component, feature."""
    require("e3x")
    if max(work.lmax, work.lmax_out) > SHIPPED_DEGREE:
        raise Unavailable(f"ships coefficients up to degree {SHIPPED_DEGREE}; more take it minutes to make")
    import e3x

    module = e3x.nn.Tensor(
        max_degree=work.lmax_out, include_pseudotensors=work.paths == "all", cartesian_order=False
    )
    degrees = work.lmax + 1
    shape = (1, degrees, 1, degrees, len(work.parities), work.lmax_out + 1, work.channels)

    def function(x, y, weights):
        return module.apply({"params": {"kernel": weights}}, x, y)

    def signals(z):
        return np.moveaxis(_split_parities(np.asarray(z), work), -1, -3)

    return Contender(
        NAME,
        function,
        np.ones(shape, np.float32),
        len(work.couplings()),
        lambda x: np.swapaxes(x, -1, -2)[..., None, :, :],
        signals,
    )


def _split_parities(z: np.ndarray, work: Work) -> np.ndarray:
    """From even and odd parity, e3x's first axis, to natural and pseudo parity; as they are if not both."""
    if work.paths != "all":
        return z
    odd_degree = np.repeat(np.arange(work.lmax_out + 1), 2 * np.arange(work.lmax_out + 1) + 1) % 2
    natural = np.where(odd_degree[:, None] == 1, z[..., 1, :, :], z[..., 0, :, :])
    pseudo = np.where(odd_degree[:, None] == 1, z[..., 0, :, :], z[..., 1, :, :])
    return np.stack([natural, pseudo], axis=-3)

"""Clebsch-Gordan products in the places where the library's potential has Gaunt products.

The two modules fit `equijax.nn.InteratomicPotential` (its ``convolution`` and ``many_body``), so that a
potential with Clebsch-Gordan products differs from ours in the products alone. Coupling coefficients are
``e3nn_jax``'s; features have natural parity, so only paths with ``l1 + l2 + l3`` even exist.
"""

import functools
import itertools
from collections.abc import Sequence

import e3nn_jax as e3nn
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from equijax.nn import RadialMLP


def natural_irreps(lmax: int) -> e3nn.Irreps:
    """``0e + 1o + 2e + …`` up to a degree.

    Example:
      >>> natural_irreps(2)
      1x0e+1x1o+1x2e
    """
    return e3nn.Irreps.spherical_harmonics(lmax)


class ClebschGordanConvolution(nn.Module):
    """``A_i = Σ_j Σ_paths R_path(r_ij) (Y(r_ij) ⊗ h_j)_path``: one radial weight a channel and path.

    Attributes:
      lmax: largest degree of the result.
      hidden: sizes of the radial network's hidden layers.
      num_kinds: kinds of edges that the radial network tells apart.
    """

    lmax: int
    hidden: Sequence[int] = (32, 32)
    num_kinds: int = 0

    @nn.compact
    def __call__(self, features, radial, harmonics, senders, receivers, kind=None):
        """Sum messages over the edges that arrive at each node; arguments as in ``GauntConvolution``."""
        num_nodes, channels, _ = features.shape
        irreps_in = [natural_irreps(round(array.shape[-1] ** 0.5) - 1) for array in (features, harmonics)]
        product = e3nn.tensor_product(
            e3nn.IrrepsArray(irreps_in[0], features[senders]),
            e3nn.IrrepsArray(irreps_in[1], harmonics[:, None, :]),
            filter_ir_out=[ir for _, ir in natural_irreps(self.lmax)],
        )
        paths = product.irreps.num_irreps
        network = RadialMLP((*self.hidden, channels * paths), num_kinds=self.num_kinds, name="radial")
        weights = network(radial, kind)
        weighted = product * weights.reshape(-1, channels, paths)
        blocks = [chunk.sum(axis=-2) for chunk in weighted.chunks]
        return jax.ops.segment_sum(jnp.concatenate(blocks, axis=-1), receivers, num_nodes)


class SymmetricContraction(nn.Module):
    """Symmetric powers up to an order with a weight for every species, channel and coupling path.

    The product of MACE (Batatia et al., NeurIPS 2022, equations 10-11): all symmetric couplings of ``ν``
    copies, by the basis that ``e3nn_jax`` solves for.

    Attributes:
      order: highest power.
      num_species: number of species.
    """

    order: int
    num_species: int

    @nn.compact
    def __call__(self, x, species):
        """Contract signals, shape ``(n, channels, (lmax + 1)²)``."""
        lmax = round(x.shape[-1] ** 0.5) - 1
        channels = x.shape[1]
        result = 0.0
        for order in range(1, self.order + 1):
            # The couplings are symmetric, so they act on monomials: for cubes of 9 numbers 165, not 729.
            index, table, paths = monomial_couplings(lmax, order)
            monomials = jnp.prod(x[..., index], axis=-1)
            coupled = monomials @ jnp.asarray(table, x.dtype)
            blocks, start = [], 0
            for degree, num_paths in enumerate(paths):
                size = (2 * degree + 1) * num_paths
                block = coupled[..., start : start + size].reshape(*coupled.shape[:-1], -1, num_paths)
                init = nn.initializers.normal(0.5 / num_paths**0.5)
                weights = self.param(
                    f"weights_{order}_{degree}", init, (self.num_species, channels, num_paths)
                )
                blocks.append(jnp.einsum("ncmp,ncp->ncm", block, jnp.take(weights, species, axis=0)))
                start += size
            result = result + jnp.concatenate(blocks, axis=-1)
        return result


@functools.cache
def monomial_couplings(lmax: int, order: int) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    """The symmetric couplings as one matrix from monomials to the results of all degrees.

    Returns:
      Which components make up each monomial, shape ``(monomials, order)``; the matrix, whose columns run over
      degrees, components and paths; and the number of paths of each degree.

    Example:
      >>> index, table, paths = monomial_couplings(1, 2)
      >>> index.shape, table.shape, paths
      ((10, 2), (10, 5), (2, 1))
    """
    size = (lmax + 1) ** 2
    index = np.asarray(list(itertools.combinations_with_replacement(range(size), order)))
    row = {tuple(factors): number for number, factors in enumerate(index)}
    columns, paths = [], []
    for table in symmetric_couplings(lmax, order):
        paths.append(table.shape[-1])
        column = np.zeros((len(index), table.shape[-2] * table.shape[-1]))
        for factors in itertools.product(range(size), repeat=order):
            column[row[tuple(sorted(factors))]] += table[factors].ravel()
        columns.append(column)
    return index, np.concatenate(columns, axis=1), tuple(paths)


@functools.cache
def symmetric_couplings(lmax: int, order: int) -> list[np.ndarray]:
    """For each degree of the result, an orthonormal basis of symmetric couplings of ``order`` signals.

    Example:
      >>> [table.shape for table in symmetric_couplings(1, 2)]
      [(4, 4, 1, 2), (4, 4, 3, 1)]
    """
    irreps = natural_irreps(lmax)
    if order == 1:
        identity = np.eye(irreps.dim)
        return [identity[:, part][..., None] for part in irreps.slices()]
    with jax.ensure_compile_time_eval():
        basis = e3nn.reduced_symmetric_tensor_product_basis(irreps, order, keep_ir=[ir for _, ir in irreps])
    tables = []
    for _, ir in irreps:
        chunk = basis.filter(keep=ir).array
        chunk = np.asarray(chunk).reshape(*chunk.shape[:-1], -1, ir.dim)
        tables.append(np.swapaxes(chunk, -1, -2))
    return tables

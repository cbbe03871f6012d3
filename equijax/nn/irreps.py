"""``e3nn_jax.IrrepsArray`` in modules that work on signals: irreps of products, parities as channels."""

import itertools
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.numerics import check
from equijax.sphere.signals import ParitySignals, irreps_from_signals, kept_irreps, signals_from_irreps


class ProductIrreps(NamedTuple):
    """The irreps of a channel-wise product.

    Attributes:
      irreps: those of the result, once each, in e3nn's order.
      degrees: largest degrees of the two factors and of the result.
      channels: copies of each irrep.
      num_paths: how many paths lead to each irrep.
    """

    irreps: list
    degrees: tuple[int, int, int]
    channels: int
    num_paths: dict[Any, int]


def product_irreps(irreps_x, irreps_y, paths: str, lmax: int | None, filter_ir_out) -> ProductIrreps:
    """The irreps of a product of two arrays, with the paths of one parity or all.

    Args:
      irreps_x, irreps_y: of the factors.
      paths: ``"even"`` for ``l1 + l2 + l3`` even, or ``"all"``.
      lmax: largest degree to keep; all if None.
      filter_ir_out: irreps to keep; all if None.

    Raises:
      ValueError: if no path leads to an irrep that is kept, ``lmax`` is negative, or the filter cannot be
        read.

    Example:
      >>> import e3nn_jax
      >>> x = e3nn_jax.Irreps("8x0e+8x1o")
      >>> product_irreps(x, x, "all", 1, None).irreps
      [0e, 1o, 1e]
    """
    if lmax is not None:
        check.count("lmax", lmax, 0)
    kept = kept_irreps(filter_ir_out)
    num_paths: dict[Any, int] = {}
    factors = [{ir for mul, ir in irreps if mul} for irreps in (irreps_x, irreps_y)]
    for first, second in itertools.product(*factors):
        for ir in first * second:
            is_wanted = (lmax is None or ir.l <= lmax) and (kept is None or ir in kept)
            if is_wanted and (paths == "all" or (first.l + second.l + ir.l) % 2 == 0):
                num_paths[ir] = num_paths.get(ir, 0) + 1
    if not num_paths:
        product = f"{irreps_x} times {irreps_y} up to lmax={lmax}"
        raise ValueError(f"filter_ir_out must keep an irrep of {product}, got {filter_ir_out!r}")
    degrees = *(max(ir.l for ir in irreps) for irreps in factors), max(ir.l for ir in num_paths)
    channels = max(mul for irreps in (irreps_x, irreps_y) for mul, _ in irreps.regroup())
    return ProductIrreps(sorted(num_paths), degrees, channels, num_paths)


def add_missing(x, irreps):
    """An array with given irreps, in their order: of an array that has some of them, zeros for the others.

    Raises:
      ValueError: if ``irreps`` has an irrep twice.

    Example:
      >>> import e3nn_jax
      >>> add_missing(e3nn_jax.IrrepsArray("1o", jnp.ones(3)), e3nn_jax.Irreps("1x1o+1x0e"))
      1x1o+1x0e [1. 1. 1. 0.]
    """
    import e3nn_jax  # here, because it is slow to import

    if len({ir for _, ir in irreps}) != len(irreps):
        raise ValueError(f"irreps must have every irrep once, got {irreps}")
    chunks = {ir: chunk for (_, ir), chunk in zip(x.irreps, x.chunks)}
    return e3nn_jax.from_chunks(irreps, [chunks.get(ir) for _, ir in irreps], x.shape[:-1], x.dtype)


def is_irreps_array(*arrays) -> bool:
    """Whether the arrays carry their irreps; all or none must.

    Raises:
      TypeError: if some do.

    Example:
      >>> import numpy as np
      >>> is_irreps_array(np.ones(3), np.ones(3))
      False
    """
    carried = [hasattr(array, "irreps") for array in arrays]
    if any(carried) and not all(carried):
        raise TypeError("x and y must both be e3nn_jax.IrrepsArray or both be arrays, got one of each")
    return all(carried)


def stack_parities(name: str, x) -> tuple[Float[Array, "... c k"], tuple[bool, bool]]:
    """The signals of natural and of pseudo parity of an array as channels of one, and which there are.

    Maps that keep parity, such as products with harmonics along even paths, act on both alike.

    Raises:
      ValueError: if the array does not have as many copies of every irrep.
      TypeError: if it is not an ``IrrepsArray``.

    Example:
      >>> import e3nn_jax
      >>> signals, present = stack_parities("x", e3nn_jax.IrrepsArray("0e+1o+1e", jnp.ones(7)))
      >>> signals.shape, present
      ((2, 4), (True, True))
    """
    signals = signals_from_irreps(x, name=name)
    present = tuple(signal is not None for signal in signals)
    return jnp.concatenate([signal for signal in signals if signal is not None], axis=-2), present


def unstack_parities(z: Float[Array, "... c k"], present: tuple[bool, bool]):
    """The inverse of `stack_parities`: an array with all degrees of the parities present.

    Example:
      >>> unstack_parities(jnp.ones((2, 4)), (True, True)).irreps
      1x0e+1x0o+1x1o+1x1e
    """
    parts = iter(jnp.split(z, sum(present), axis=-2))
    return irreps_from_signals(ParitySignals(*(next(parts) if there else None for there in present)))

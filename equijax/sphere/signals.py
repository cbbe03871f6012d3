"""Arrays that carry their irreps as signals on the sphere, and back.

Irreps of degree l have parity 1 or -1. A signal is of *natural* parity if a reflection only moves the points
of the sphere, so that its degrees have parity ``(-1)^l`` (``0e + 1o + 2e + …``), and of *pseudo* parity if
it changes sign as well (``0o + 1e + 2o + …``). Any ``e3nn_jax.IrrepsArray`` with as many copies of every
irrep is one signal of each kind, with channels. A sum of signals of both kinds would forget its parity.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.numerics import check
from equijax.sphere import harmonics


class ParitySignals(NamedTuple):
    """Signals of natural and of pseudo parity, shape ``(..., channels, (lmax + 1)²)`` each, or None.

    Attributes:
      natural: degrees of parity ``(-1)^l``.
      pseudo: degrees of parity ``-(-1)^l``.
    """

    natural: Float[Array, "... channels k"] | None
    pseudo: Float[Array, "... channels k"] | None


def signals_from_irreps(x, lmax: int | None = None, *, name: str = "x") -> ParitySignals:
    """Split an array into its signals of natural and of pseudo parity.

    Args:
      x: an ``e3nn_jax.IrrepsArray``, shape ``(..., dim)``, with equal multiplicities: ``8x0e+8x1o``. Repeated
        irreps add up; zero-dimensional ones are allowed.
      lmax: largest degree of the signals; that of ``x`` unless given. Degrees that ``x`` lacks are zero.
      name: the argument's name, for messages.

    Returns:
      The signals; None for a parity of which ``x`` has nothing.

    Raises:
      ValueError: if ``x`` has no components, different multiplicities, or degrees above ``lmax``.
      TypeError: if ``x`` is not an ``IrrepsArray`` or ``lmax`` not an integer.

    Example:
      >>> import e3nn_jax
      >>> x = e3nn_jax.IrrepsArray("2x0e+2x1o+2x1e", jnp.arange(14.0))
      >>> natural, pseudo = signals_from_irreps(x)
      >>> print(natural)
      [[0. 2. 3. 4.]
       [1. 5. 6. 7.]]
      >>> print(pseudo)
      [[ 0.  8.  9. 10.]
       [ 0. 11. 12. 13.]]
    """
    check_irreps_array(name, x)
    blocks: dict[tuple[int, int], list[Array]] = {}
    for (mul, ir), chunk in zip(x.irreps, x.chunks):
        if mul:
            zeros = jnp.zeros((*x.shape[:-1], mul, ir.dim), x.dtype) if chunk is None else chunk
            blocks.setdefault((ir.l, ir.p), []).append(zeros)
    multiplicities = {sum(chunk.shape[-2] for chunk in chunks) for chunks in blocks.values()}
    if len(multiplicities) != 1:
        raise ValueError(f"{name} must have as many copies of every irrep, at least one, got {x.irreps}")
    largest = max(l for l, _ in blocks)
    lmax = largest if lmax is None else lmax
    harmonics.check_degree("lmax", lmax)
    if lmax < largest:
        raise ValueError(f"lmax must be at least the degree {largest} of {name}, got {lmax}")
    channels = multiplicities.pop()
    return ParitySignals(*(_signal(blocks, sign, lmax, channels, x) for sign in (1, -1)))


def _signal(blocks, sign: int, lmax: int, channels: int, x):
    """The signal of one parity, sign 1 for natural; None if it has no degree."""
    degrees = [(l, sign * (-1) ** l) for l in range(lmax + 1)]
    if not any(degree in blocks for degree in degrees):
        return None
    parts = []
    for degree in degrees:
        zeros = [jnp.zeros((*x.shape[:-1], channels, 2 * degree[0] + 1), x.dtype)]
        parts.append(jnp.concatenate(blocks.get(degree, zeros), axis=-2))
    return jnp.concatenate(parts, axis=-1)


def irreps_from_signals(signals: ParitySignals, filter_ir_out=None):
    """The ``e3nn_jax.IrrepsArray`` of signals, irreps in e3nn's order.

    Args:
      signals: with the same leading axes and channels; a None has nothing.
      filter_ir_out: which irreps to keep, as in ``e3nn_jax.tensor_product``: a string such as ``"0e+1o"``, or
        a sequence of irreps; all if None.

    Returns:
      ``channels`` copies of every irrep kept.

    Raises:
      ValueError: if a signal is not one with channels, both are None, their shapes differ but for the
        degrees, or the filter cannot be read.
      TypeError: if ``signals`` is not a `ParitySignals` of real floating-point arrays.

    Example:
      >>> signals = ParitySignals(jnp.array([[0.0, 2.0, 3.0, 4.0], [1.0, 5.0, 6.0, 7.0]]), None)
      >>> irreps_from_signals(signals)
      2x0e+2x1o [0. 1. 2. 3. 4. 5. 6. 7.]
      >>> irreps_from_signals(signals, "1o")
      2x1o [2. 3. 4. 5. 6. 7.]
    """
    import e3nn_jax  # here, because it is slow to import

    check.instance("signals", signals, ParitySignals)
    kept = kept_irreps(filter_ir_out)
    found, blocks = [], {}
    for name, signal, sign in zip(ParitySignals._fields, signals, (1, -1)):
        if signal is None:
            continue
        check.shape(f"signals.{name}", signal, "... channels k")
        found.append((name, signal))
        for l in range(harmonics.signal_degree(f"signals.{name}", signal) + 1):
            ir = e3nn_jax.Irrep(l, sign * (-1) ** l)
            if kept is None or ir in kept:
                blocks[ir] = signal[..., l * l : (l + 1) ** 2]
    if not found:
        raise ValueError("signals must have a natural or a pseudo part, got None for both")
    first = found[0][1]
    for name, signal in found:
        if signal.shape[:-1] != first.shape[:-1]:
            shapes = f"{first.shape[:-1]}, got {signal.shape[:-1]}"
            raise ValueError(f"signals.{name} must have the leading axes and channels of the other, {shapes}")
    order = sorted(blocks)
    irreps = e3nn_jax.Irreps([(first.shape[-2], ir) for ir in order])
    dtype = jnp.result_type(*(signal for _, signal in found))
    return e3nn_jax.from_chunks(irreps, [blocks[ir] for ir in order], first.shape[:-2], dtype)


def check_irreps_array(name: str, x) -> None:
    """Require an ``e3nn_jax.IrrepsArray`` of real floating-point numbers.

    Raises:
      TypeError: if it is something else.

    Example:
      >>> check_irreps_array("x", jnp.ones(3))
      Traceback (most recent call last):
      TypeError: x must be an e3nn_jax.IrrepsArray, got ArrayImpl
    """
    import e3nn_jax  # here, because it is slow to import

    if not isinstance(x, e3nn_jax.IrrepsArray):
        raise TypeError(f"{name} must be an e3nn_jax.IrrepsArray, got {type(x).__name__}")
    check.floating(name, x.array)


def kept_irreps(filter_ir_out) -> frozenset | None:
    """The irreps of a filter, as ``e3nn_jax.Irrep``; None for all.

    Raises:
      ValueError: if the filter cannot be read.

    Example:
      >>> sorted(kept_irreps("0e + 1o"))
      [0e, 1o]
      >>> sorted(kept_irreps(["1o", "0e"]))
      [0e, 1o]
    """
    import e3nn_jax  # here, because it is slow to import

    if filter_ir_out is None:
        return None
    terms = filter_ir_out if isinstance(filter_ir_out, list | tuple | set | frozenset) else [filter_ir_out]
    try:
        return frozenset(ir for term in terms for _, ir in e3nn_jax.Irreps(term))
    except (ValueError, TypeError) as error:
        raise ValueError(
            f'filter_ir_out must be irreps, such as "0e+1o" or ["0e", "1o"], got {filter_ir_out!r}'
        ) from error

"""What the machine can do at best: floating-point operations and bytes a second, measured here and now.

A bound on the time of a program follows from them (Williams, Waterman, Patterson, "Roofline: An Insightful
Visual Performance Model", CACM 2009): it takes at least its operations over the peak of operations, and at
least its reads and writes over the peak of bytes.
"""

import functools
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax


def matmul_peak(*, size: int = 2048, repeats: int = 8) -> float:
    """Floating-point operations a second of a large product of square float32 matrices, the best of repeats.

    Example:
      >>> matmul_peak(size=64, repeats=1) > 0
      True
    """
    a = jnp.ones((size, size), jnp.float32)
    product = jax.jit(functools.partial(jnp.matmul, precision="highest"))
    return 2 * size**3 / _best(lambda: product(a, a), repeats)


def call_overhead(*, repeats: int = 200) -> float:
    """Seconds of calling a compiled program that does next to nothing, the best of repeats.

    Example:
      >>> 0 < call_overhead(repeats=2) < 1
      True
    """
    array = jnp.zeros(8, jnp.float32)
    nothing = jax.jit(lambda array: array + 1)
    return _best(lambda: nothing(array), repeats)


def bandwidth(num_bytes: int, *, repeats: int = 8) -> float:
    """Bytes read and written a second by passes over an array of a size, the best of repeats.

    Small arrays stay in the caches, so that the number is that of the memory which such an array is in. The
    passes run in one program, so that the cost of calling it does not count.

    Args:
      num_bytes: size of the array, at least 4.
      repeats: programs timed.

    Example:
      >>> bandwidth(1 << 12, repeats=1) > 0
      True
    """
    length = num_bytes // 4
    passes = max(4, min(2000, (1 << 27) // num_bytes))

    @jax.jit
    def sweep(array):
        # A step that no compiler can take out of the loop, or merge with the next.
        return lax.fori_loop(0, passes, lambda i, a: a + lax.convert_element_type(i, a.dtype), array)

    array = jnp.zeros(length, jnp.float32)
    return 2 * 4 * length * passes / _best(lambda: sweep(array), repeats)


def _best(call: Callable, repeats: int) -> float:
    """Seconds of the fastest of several calls after one to warm up."""
    jax.block_until_ready(call())
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(call())
        best = min(best, time.perf_counter() - start)
    return best


def roofline(operations: float, num_bytes: float, peak: float, bytes_a_second: float) -> float:
    """Seconds that a program takes at least.

    Args:
      operations: floating-point operations.
      num_bytes: read and written.
      peak: operations a second.
      bytes_a_second: bytes a second.

    Example:
      >>> roofline(10.0, 4.0, peak=5.0, bytes_a_second=1.0)
      4.0
    """
    return max(operations / peak, num_bytes / bytes_a_second)

"""What a frame makes of a function, in two numbers: the equivariance error, and the local slope.

An average over a frame can be exactly equivariant and jump all the same: at inputs where the frame is about
to change, arbitrarily near inputs have far outputs (Dym et al., ICML 2024). So both are measured together:
the error over random group elements, and how steep the function is between inputs that are closer and closer.
A slope that grows as the step shrinks is a jump.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.equivariance import signature
from equijax.equivariance.commutator import error, norm
from equijax.groups import Group
from equijax.numerics import check

JUMP = 10.0
"""A function counts as jumping where the slope grows by this factor from the largest to the smallest step."""


@dataclasses.dataclass(frozen=True)
class FrameReport:
    """The symmetry and the stability of a function at an input.

    Attributes:
      group: the group that acted.
      error: the largest relative equivariance error over the samples and the leaves of the output.
      steps: the sizes of the steps, relative to the input, from large to small.
      slopes: for each step, the largest ratio of the changes of output and input, over random directions.

    Example:
      >>> from equijax.groups import SO
      >>> print(FrameReport(SO(3), 1e-7, np.array([1e-1, 1e-3]), np.array([0.5, 40.0])))
      equivariance error under SO(3): 1.0e-07
      local slope at step 0.1: 0.5
      local slope at step 0.001: 40
      the function jumps here
    """

    group: Group
    error: float
    steps: Float[np.ndarray, "k"]
    slopes: Float[np.ndarray, "k"]

    @property
    def jumps(self) -> bool:
        """Whether the slope grows as the step shrinks, as it does where a function is not continuous."""
        return bool(self.slopes[-1] > JUMP * self.slopes[0])

    def __str__(self) -> str:
        lines = [f"equivariance error under {self.group!r}: {self.error:.1e}"]
        lines += [
            f"local slope at step {step:.3g}: {slope:.3g}" for step, slope in zip(self.steps, self.slopes)
        ]
        lines.append("the function jumps here" if self.jumps else "no jump was met")
        return "\n".join(lines)


def frame_report(
    f,
    group: Group,
    in_reps,
    out_reps,
    args: tuple,
    *,
    key: Array,
    num_samples: int = 8,
    steps: tuple[float, ...] = (1e-1, 1e-2, 1e-3),
) -> FrameReport:
    """Measure the equivariance error of a function and its local slope, at given arguments.

    The slope at step h is the largest ``|f(x + h d) - f(x - h d)| / |2 h d|`` over random normal directions d
    of the size of x, with Euclidean norms over all real leaves: a lower bound of the Lipschitz constant near
    x. Where it keeps growing as h shrinks, f jumps at x. Runs on the host and compiles ``f``.

    Args:
      f: the function, such as one of `frame_average`.
      group: the group; elements come from ``group.sample``.
      in_reps: signature of the arguments.
      out_reps: signature of the output.
      args: the arguments x. To learn about jumps, give an input where the frame changes: a cloud with equal
        variances, a symmetric molecule.
      key: a JAX random key.
      num_samples: how many group elements, and how many directions.
      steps: sizes of the steps, relative to the size of x, from large to small. In single precision, steps
        below 1e-3 measure rounding.

    Returns:
      A printable `FrameReport`.

    Raises:
      TypeError: if an argument is of the wrong kind, or no argument is real floating-point.
      ValueError: if a signature does not match, ``num_samples`` is below 1, or ``steps`` are not positive and
        falling.

    Example:
      >>> from equijax.groups import O, Vector
      >>> report = frame_report(
      ...     lambda x: x, O(2), (Vector(),), Vector(), (jnp.array([3.0, 4.0]),), key=jax.random.key(0)
      ... )
      >>> report.jumps, report.slopes.round(2).tolist()
      (False, [1.0, 1.0, 1.0])
    """
    check.function("f", f)
    check.key("key", key)
    signature.check_args(args)
    steps = _checked_steps(steps)
    symmetry_key, direction_key = jax.random.split(key)
    f = jax.jit(f)
    errors = error(f, group, in_reps, out_reps, args, key=symmetry_key, num_samples=num_samples)
    if not any(jnp.issubdtype(jnp.result_type(leaf), jnp.floating) for leaf in jax.tree.leaves(args)):
        raise TypeError("args must hold a real floating-point array to be varied, got none")
    slopes = np.zeros(len(steps))
    for draw in jax.random.split(direction_key, num_samples):
        direction = _direction(draw, args)
        length = float(_size(direction))
        for number, step in enumerate(steps):
            there, back = (
                f(*jax.tree.map(lambda x, d, h=h: (x + h * d).astype(jnp.result_type(x)), args, direction))
                for h in (step, -step)
            )
            change = float(_size(jax.tree.map(jnp.subtract, there, back)))
            slopes[number] = max(slopes[number], change / (2 * step * length))
    largest = max(float(leaf) for leaf in jax.tree.leaves(errors))
    return FrameReport(group, largest, steps, slopes)


def _checked_steps(steps) -> np.ndarray:
    """The steps as an array."""
    found = np.asarray(steps, float)
    if found.ndim != 1 or found.size < 2 or not np.all(found > 0) or not np.all(np.diff(found) < 0):
        raise ValueError(f"steps must be at least two positive numbers, from large to small, got {steps!r}")
    return found


def _direction(key: Array, args):
    """A random direction of the size of the arguments; zero for arguments that are not real."""
    leaves, structure = jax.tree.flatten(args)
    keys = jax.random.split(key, len(leaves))
    drawn = [
        jax.random.normal(one, jnp.shape(leaf), jnp.result_type(leaf))
        if jnp.issubdtype(jnp.result_type(leaf), jnp.floating)
        else jnp.zeros_like(leaf)
        for one, leaf in zip(keys, leaves, strict=True)
    ]
    size, length = _size(args), _size(drawn)
    scale = float(jnp.where(size > 0, size, 1) / length)
    return structure.unflatten([leaf * scale if leaf.dtype.kind == "f" else leaf for leaf in drawn])


def _size(tree) -> Array:
    """The Euclidean norm over all floating leaves."""
    leaves = [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(jnp.result_type(leaf), jnp.inexact)]
    return norm(jnp.stack([norm(jnp.asarray(leaf)) for leaf in leaves])) if leaves else jnp.zeros(())

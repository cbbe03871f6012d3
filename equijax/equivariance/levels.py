"""How symmetric a function is, from 0 (exactly) to 1 (its values know nothing of the symmetry); and controls.

The level is ``sqrt(E‖f(g x) - g f(x)‖² / E‖f(g x) - g f(y)‖²)`` over inputs x, other inputs y and group
elements g. The denominator is what the numerator would be if values had nothing to do with each other. For a
compact group, orthogonal representations and inputs whose distribution the group preserves, a sum of an
equivariant function and ``eps`` times one without an equivariant part, of equal variances, has the level
``eps / sqrt(1 + eps²)``. The error beside it, the mean of ``‖f(g x) - g f(x)‖ / (‖f(g x)‖ + ‖g f(x)‖)``, is
what Kim, Lee, Yang, Lee, ICML 2023, report; it has to be compared with that of controls, because a constant
has a small one as well.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.equivariance import signature
from equijax.groups import Group, act

_MOST_OTHERS = 8
"""With how many other inputs each value is compared for the control."""

_ROUNDING = 32
"""Differences of so many times the machine precision, relative to the values, are rounding: without this, a
constant function would be compared with nothing but rounding."""


class Commutation(NamedTuple):
    """How far values are from commuting, for each pair of a group element and an input.

    Attributes:
      moved: ``f(g x)``, flattened, about a common mean.
      expected: ``g f(x)``, likewise.
      squares: ``‖f(g x) - g f(x)‖²``; zero where it is rounding.
      errors: ``‖f(g x) - g f(x)‖ / (‖f(g x)‖ + ‖g f(x)‖)``.
      unrelated_errors: the same with ``g f(y)`` for a few other inputs y.
    """

    moved: Float[np.ndarray, "g n d"]
    expected: Float[np.ndarray, "g n d"]
    squares: Float[np.ndarray, "g n"]
    errors: Float[np.ndarray, "g n"]
    unrelated_errors: Float[np.ndarray, "g n"]

    @property
    def level(self) -> float:
        """The level."""
        counts = [np.ones((1, size)) for size in self.squares.shape]
        return float(self._levels(*counts)[0])

    @property
    def error(self) -> float:
        """The mean relative error."""
        return float(self.errors.mean())

    def interval(self, confidence: float, *, seed: int = 0, num_resamples: int = 500) -> tuple[float, float]:
        """A confidence interval of the level, by bootstrap over elements and inputs.

        Args:
          confidence: between 0 and 1.
          seed: of the resamples.
          num_resamples: how many.
        """
        random = np.random.default_rng(seed)
        counts = [
            random.multinomial(size, np.full(size, 1 / size), num_resamples).astype(float)
            for size in self.squares.shape
        ]
        ends = (1 - confidence) / 2, (1 + confidence) / 2
        low, high = np.quantile(self._levels(*counts), ends)
        return float(low), float(high)

    def _levels(self, of_elements: np.ndarray, of_inputs: np.ndarray) -> np.ndarray:
        """Levels with elements and inputs counted several times, by counts ``(b, g)`` and ``(b, n)``."""
        count = of_inputs.sum(axis=1)
        own = of_inputs @ self.squares.T
        sizes = sum(of_inputs @ np.sum(np.abs(part) ** 2, axis=2).T for part in (self.moved, self.expected))
        sums = [np.einsum("bn,gnd->bgd", of_inputs, part) for part in (self.moved, self.expected)]
        mixed = np.real(np.einsum("bgd,bgd->bg", sums[0], np.conj(sums[1])))
        # The sum over all pairs of inputs, less that over those of an input with itself.
        pairs = count[:, None] * sizes - 2 * mixed - of_inputs**2 @ self.squares.T
        number = count**2 - np.sum(of_inputs**2, axis=1)
        unrelated = np.sum(of_elements * np.maximum(pairs, 0), axis=1) / np.maximum(number, 1)
        return level_of(np.sum(of_elements * own, axis=1) / count, unrelated)


def level_of(squares, unrelated) -> np.ndarray:
    """The square root of a ratio; zero over zero is zero, and more over zero is one.

    Example:
      >>> level_of(np.array([1.0, 0.0, 2.0]), np.array([4.0, 0.0, 0.0])).tolist()
      [0.5, 0.0, 1.0]
    """
    squares, unrelated = np.asarray(squares, np.float64), np.asarray(unrelated, np.float64)
    known = unrelated > 0
    return np.sqrt(np.where(known, squares / np.where(known, unrelated, 1), squares > 0))


def commutations(
    functions: Sequence[Callable],
    group: Group,
    in_reps,
    out_reps,
    args: tuple,
    key: Array,
    num_elements: int,
) -> list[Commutation]:
    """Compare ``f(g x)`` with ``g f(x)`` for all inputs x and several elements g, for several functions.

    Args:
      functions: functions of batches of inputs, that JAX can trace, with outputs of one kind.
      group: the group.
      in_reps, out_reps: signatures of the arguments and of an output.
      args: the inputs, with one leading axis in every array, as outputs have.
      key: a JAX random key.
      num_elements: how many elements; all functions see the same ones.

    Raises:
      ValueError: if a signature does not match, there are fewer than two inputs, or arrays differ in their
        number.

    Example:
      >>> from equijax.groups import SO, Trivial, Vector
      >>> x = jax.random.normal(jax.random.key(0), (64, 3))
      >>> f = lambda x: jnp.linalg.norm(x, axis=-1)
      >>> (found,) = commutations([f], SO(3), (Vector(),), Trivial(), (x,), jax.random.key(1), 8)
      >>> found.level < 1e-5
      True
    """
    for f in functions:
        output = jax.eval_shape(f, *args)
        signature.check_output(out_reps, group, output)
        check_inputs(args, in_reps, group, output, out_reps)
    elements = group.sample(key, (num_elements,), signature.float_dtype(args))

    @jax.jit
    def moved_and_expected(elements, args):
        still = [f(*args) for f in functions]

        def of_element(g):
            moved = act(in_reps, g, args)
            return [(f(*moved), act(out_reps, g, output)) for f, output in zip(functions, still, strict=True)]

        return jax.lax.map(of_element, elements)

    floor = _ROUNDING * float(jnp.finfo(signature.float_dtype(output)).eps)
    pairs = moved_and_expected(elements, args)
    return [_commutation(*_flat(out_reps, *pair), floor) for pair in pairs]


def _commutation(moved: np.ndarray, expected: np.ndarray, floor: float) -> Commutation:
    """Compare values, shape ``(elements, inputs, d)``, with those expected and with those of other inputs."""
    squares, errors = _compared(moved, expected, floor)
    others = range(1, min(moved.shape[1] - 1, _MOST_OTHERS) + 1)
    far = [_compared(moved, np.roll(expected, shift, axis=1), floor)[1] for shift in others]
    centre = (moved.mean(axis=1, keepdims=True) + expected.mean(axis=1, keepdims=True)) / 2
    return Commutation(moved - centre, expected - centre, squares, errors, np.mean(far, axis=0))


def check_inputs(args: tuple, in_reps, group: Group, output, out_reps) -> int:
    """Require one leading axis of inputs in all arrays, and return its size.

    Raises:
      ValueError: if an array lacks it, its sizes differ, or it is below 2.

    Example:
      >>> from equijax.groups import SO, Vector
      >>> check_inputs((np.ones((5, 3)),), (Vector(),), SO(3), np.ones((5, 3)), Vector())
      5
    """
    found = {}
    leaves = [*signature.check_tree("args", in_reps, group, args)]
    leaves += signature.check_tree("output", out_reps, group, output)
    for place, rep, leaf in leaves:
        axes = np.shape(leaf)
        if len(axes) <= len(rep.shape(group)):
            raise ValueError(f"{place} must have a leading axis of inputs, got shape {axes}")
        found[place] = axes[0]
    sizes = set(found.values())
    if len(sizes) != 1 or min(sizes) < 2:
        raise ValueError(f"args and output must have one number of inputs, at least 2, got {found}")
    return sizes.pop()


def constant_control(output) -> Callable:
    """The constant function that is nearest to given values.

    Args:
      output: values with a leading axis of inputs.

    Example:
      >>> constant_control(jnp.array([1.0, 3.0]))(jnp.zeros(2))
      Array([2., 2.], dtype=float32)
    """
    mean = jax.tree.map(lambda leaf: jnp.mean(leaf, axis=0), output)

    def constant(*args):
        count = jnp.shape(jax.tree.leaves(args)[0])[0]
        return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (count, *leaf.shape)), mean)

    return constant


def linear_control(args: tuple, output) -> Callable:
    """The linear function with a constant that is nearest to given values: by least squares.

    Args:
      args: inputs with a leading axis.
      output: values with a leading axis.

    Example:
      >>> linear_control((jnp.array([0.0, 1.0, 2.0]),), jnp.array([1.0, 3.0, 5.0]))(jnp.array([4.0])).round(3)
      Array([9.], dtype=float32)
    """
    leaves, structure = jax.tree.flatten(output)

    def design(args):
        columns = [jnp.reshape(leaf, (jnp.shape(leaf)[0], -1)) for leaf in jax.tree.leaves(args)]
        return jnp.concatenate([*columns, jnp.ones_like(columns[0][:, :1])], axis=1)

    inputs = np.asarray(design(args), np.float64)
    maps = [
        np.linalg.lstsq(inputs, np.asarray(leaf, np.float64).reshape(len(leaf), -1))[0] for leaf in leaves
    ]

    def linear(*args):
        columns = design(args)
        found = [jnp.matmul(columns, jnp.asarray(part, columns.dtype), precision="highest") for part in maps]
        shaped = [part.reshape(-1, *leaf.shape[1:]) for part, leaf in zip(found, leaves, strict=True)]
        return jax.tree.unflatten(structure, shaped)

    return linear


def _compared(first: np.ndarray, second: np.ndarray, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """Squared distances, and distances over the sum of the norms, of vectors along the last axis; zero where
    the latter are below a floor."""
    distances = np.linalg.norm(first - second, axis=-1)
    norms = np.linalg.norm(first, axis=-1) + np.linalg.norm(second, axis=-1)
    distances = np.where(distances > floor * norms, distances, 0)
    return distances**2, distances / np.where(norms > 0, norms, 1)


def _flat(out_reps, moved, expected) -> list[np.ndarray]:
    """All values of each input as one vector, shape ``(elements, inputs, d)``, in double precision.

    What moves affinely is taken about the mean of the expected values, which no choice of origin changes.
    """
    parts = []

    def flatten(rep, *leaves):
        pair = [np.asarray(leaf) for leaf in leaves]
        if not rep.is_linear:
            centre = pair[1].mean(axis=tuple(range(1, pair[1].ndim - rep.ndim)), keepdims=True)
            pair = [leaf - centre for leaf in pair]
        wide = np.result_type(pair[0].dtype, np.float64)
        parts.append([leaf.astype(wide).reshape(*leaf.shape[:2], -1) for leaf in pair])

    signature.map_leaves(flatten, out_reps, moved, expected)
    return [np.concatenate(side, axis=-1) for side in zip(*parts, strict=True)]

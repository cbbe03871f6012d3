"""Whether f(g x) = g f(x) at one element and input, with a tolerance that knows rounding from asymmetry.

The difference is compared with ``rtol`` times the size of the output: of f(x), and of f at a generic input of
the scale of x, so that outputs which cancel are not judged by their rounding noise. Where an input is badly
conditioned, the tolerance also grows by how far f moves when g x is perturbed by a few units in the last
place, to at most a hundred times ``rtol`` (or a hundred units in the last place of the input, for outputs
that are nothing but rounding): a jump of f is not forgiven.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from equijax.equivariance import signature
from equijax.groups import act

DEFAULT_RTOL = {"float64": 1e-9, "float32": 1e-4, "float16": 2e-2, "bfloat16": 1e-1}
"""Relative tolerances by floating dtype."""

_REAL = {"complex64": "float32", "complex128": "float64"}

_ULPS = 4
_ULPS_MARGIN = 10
_MOST = 100


class Violation(NamedTuple):
    """One leaf at which f(g x) and g f(x) differ, or are not finite.

    Attributes:
      place: the leaf, for example ``output['forces']`` or ``gradient of output with respect to args[0]``.
      error: the norm of the difference; NaN if an entry is not finite.
      tolerance: the largest norm allowed.
      size: the norm that the tolerance is relative to.
      dtype: dtype of the leaf.
      left: f(g x).
      right: g f(x).
    """

    place: str
    error: float
    tolerance: float
    size: float
    dtype: str
    left: np.ndarray
    right: np.ndarray


class Commuting:
    """A function with its group and signatures, compiled once for each shape of its arguments.

    Args:
      f, group, in_reps, out_reps: as for `equijax.testing.assert_equivariant`.
      rtol: relative tolerance, or None for `DEFAULT_RTOL` of the coarser of the input's and the output's
        dtype.
      gradient: whether to compare the gradients of the output, too.
      jit: whether to compile f.
    """

    def __init__(self, f, group, in_reps, out_reps, *, rtol=None, gradient=False, jit=True):
        self.group, self.in_reps, self.out_reps, self.rtol = group, in_reps, out_reps, rtol
        compiled = jax.jit if jit else lambda function: function

        def left(g, args, noise):
            return f(*jax.tree.map(_add_noise, act(in_reps, g, args), noise))

        def right(g, args):
            return act(out_reps, g, f(*args))

        self._plain = compiled(f)
        self._sides = [("output", compiled(left), compiled(right))]
        if gradient:
            self._sides.append(("gradient", compiled(_gradient(left)), compiled(_gradient(right))))

    def check_output(self, args) -> None:
        """Require that the output matches its signature.

        Raises:
          ValueError: if the structure or the shape of a leaf does not match.
        """
        signature.check_output(self.out_reps, self.group, self._plain(*args))

    def violations(self, g, args) -> list[Violation]:
        """Every leaf of the output (and its gradient) at which the two sides differ beyond the tolerance."""
        silent = jax.tree.map(lambda leaf: np.zeros_like(np.asarray(leaf)), args)
        found = []
        for name, left, right in self._sides:
            ours, theirs = left(g, args, silent), right(g, args)
            suspects = []
            for index, (place, dtype, a, b) in enumerate(_pairs(name, ours, theirs)):
                size, error = max(_norm(a), _norm(b)), _distance(a, b)
                if not error <= self._relative(args, dtype) * size:
                    suspects.append((index, Violation(place, error, 0.0, size, dtype, a, b)))
            if suspects:
                moved = act(self.in_reps, g, args)
                noise = _MOST * max(map(_rounding, jax.tree.leaves(moved)), default=0.0)
                noisy = left(g, args, _noise(moved))
                generic = right(g, _generic(args))
                movements = [_distance(a, b) for _, _, a, b in _pairs(name, ours, noisy)]
                typical = [_norm(a) for _, _, a, _ in _pairs(name, generic, generic)]
                for index, suspect in suspects:
                    found += self._judge(suspect, args, movements[index], typical[index], noise)
        return found

    def _judge(
        self, suspect: Violation, args, movement: float, typical: float, noise: float
    ) -> list[Violation]:
        """The suspect with its tolerance, or nothing if it is within."""
        size = max(suspect.size, typical if np.isfinite(typical) else 0.0)
        tolerance = self._relative(args, suspect.dtype) * size
        if np.isfinite(movement):
            tolerance += min(_ULPS_MARGIN * movement, max(_MOST * tolerance, noise))
        within = suspect.error <= tolerance
        return [] if within else [suspect._replace(tolerance=tolerance, size=size)]

    def _relative(self, args, dtype: str) -> float:
        """The relative tolerance for an output leaf of a dtype."""
        if self.rtol is not None:
            return self.rtol
        names = (signature.float_dtype(args).name, _REAL.get(dtype, dtype))
        return max(DEFAULT_RTOL[name] for name in names if name in DEFAULT_RTOL)


def _distance(a, b) -> float:
    """The norm of a difference; NaN where both sides are infinite."""
    with np.errstate(invalid="ignore"):
        return _norm(a - b)


def _pairs(name, ours, theirs) -> list[tuple[str, str, np.ndarray, np.ndarray]]:
    """For each leaf its place, its dtype, and the two sides in double precision."""
    pairs = []
    for (path, a), b in zip(
        jax.tree_util.tree_flatten_with_path(ours)[0], jax.tree.leaves(theirs), strict=True
    ):
        dtype = np.asarray(a).dtype
        wide = np.complex128 if dtype.kind == "c" else np.float64
        place = f"{name}{jax.tree_util.keystr(path)}"
        pairs.append((place, dtype.name, np.asarray(a).astype(wide), np.asarray(b).astype(wide)))
    return pairs


def _norm(array) -> float:
    """Euclidean norm over all axes, safe from overflow."""
    array = np.abs(np.asarray(array))
    largest = float(np.max(array, initial=0.0))
    if largest == 0 or not np.isfinite(largest):
        return largest
    return largest * float(np.sqrt(np.sum((array / largest) ** 2)))


def _add_noise(leaf, noise):
    """Perturb a floating leaf; leave others alone."""
    return leaf + noise if jnp.issubdtype(jnp.result_type(leaf), jnp.floating) else leaf


def _noise(args):
    """Random perturbations of a few units in the last place of each leaf's root mean square."""
    random = np.random.default_rng(0)

    def of_leaf(leaf):
        leaf = np.asarray(leaf)
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            return np.zeros_like(leaf)
        return (_ULPS * _rounding(leaf) * random.choice([-1.0, 1.0], leaf.shape)).astype(leaf.dtype)

    return jax.tree.map(of_leaf, args)


def _generic(args):
    """Normal random numbers of the scale of each floating leaf; other leaves as they are."""
    random = np.random.default_rng(1)

    def of_leaf(leaf):
        array = np.asarray(leaf)
        if not jnp.issubdtype(array.dtype, jnp.floating):
            return leaf
        return ((_rms(array) or 1.0) * random.normal(size=array.shape)).astype(array.dtype)

    return jax.tree.map(of_leaf, args)


def _rounding(leaf) -> float:
    """The unit in the last place of a floating leaf's root mean square; zero for other leaves."""
    leaf = np.asarray(leaf)
    return float(jnp.finfo(leaf.dtype).eps) * _rms(leaf) if jnp.issubdtype(leaf.dtype, jnp.floating) else 0.0


def _rms(array) -> float:
    """Root mean square."""
    return _norm(array.astype(np.float64)) / max(1, array.size) ** 0.5


def _gradient(side):
    """The gradient of a side with respect to its floating arguments, for a fixed random cotangent."""

    def of_side(g, args, *rest):
        leaves, structure = jax.tree.flatten(args)
        moving = [i for i, leaf in enumerate(leaves) if jnp.issubdtype(jnp.result_type(leaf), jnp.floating)]

        def contracted(floats):
            replaced = list(leaves)
            for i, value in zip(moving, floats, strict=True):
                replaced[i] = value
            random = np.random.default_rng(2)
            output = jax.tree.leaves(side(g, structure.unflatten(replaced), *rest))
            floating = [leaf for leaf in output if jnp.issubdtype(leaf.dtype, jnp.floating)]
            return sum(jnp.sum(leaf * random.normal(size=leaf.shape).astype(leaf.dtype)) for leaf in floating)

        gradients = jax.grad(contracted)([jnp.asarray(leaves[i]) for i in moving])
        paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_flatten_with_path(args)[0]]
        return {f"args{paths[i]}": gradient for i, gradient in zip(moving, gradients, strict=True)}

    return of_side

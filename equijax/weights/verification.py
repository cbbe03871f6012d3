"""Whether a symmetry leaves a network's outputs unchanged, by trying it with random elements."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from equijax.equivariance import signature
from equijax.numerics import check
from equijax.weights.weight_symmetry import WeightSymmetry

_TOLERANCE = {"float64": 1e-9, "float32": 1e-4}
_COARSE = 5e-2
_NOISE = 0.1
_HASTE = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


class Verification(NamedTuple):
    """What random elements of a symmetry do to the outputs.

    Attributes:
      change: the largest absolute change of an entry of the outputs.
      size: the largest absolute entry of the outputs.
      tolerance: the largest change that rounding explains.
      num_samples: how many elements were tried.

    Example:
      >>> Verification(change=0.5, size=1.0, tolerance=1e-4, num_samples=2).holds
      False
    """

    change: float
    size: float
    tolerance: float
    num_samples: int

    @property
    def holds(self) -> bool:
        """Whether the change is within the tolerance."""
        return self.change <= self.tolerance

    def __str__(self) -> str:
        return (
            f"largest change {self.change:.2g} of outputs up to {self.size:.2g}, "
            f"{self.num_samples} random elements"
        )


def verify(
    key: Array,
    group: WeightSymmetry,
    apply_fn: Callable,
    variables,
    *inputs,
    num_samples: int = 2,
    perturb: bool = True,
) -> Verification:
    """Compare the outputs before and after acting with random elements.

    Args:
      key: a JAX random key.
      group: the symmetry.
      apply_fn, variables, inputs: the function and its arguments, as they were given to
        `equijax.weights.symmetry`.
      num_samples: how many elements are tried, each of which moves all groups of neurons.
      perturb: whether to add random numbers to the variables first. Freshly initialised variables have zeros
        and ones that would hide an error.

    Raises:
      TypeError: if ``key`` is no key, ``group`` no `WeightSymmetry`, or ``apply_fn`` no function.
      ValueError: if ``num_samples`` is below 1, or the arguments are not those that were traced.

    Example:
      >>> from equijax.weights import symmetry
      >>> total, w = lambda w, x: jnp.sum(jnp.tanh(w)) * x, jnp.ones(4)
      >>> verify(jax.random.key(1), symmetry(total, w, 2.0), total, w, 2.0).holds
      True
    """
    check.key("key", key)
    check.instance("group", group, WeightSymmetry)
    check.function("apply_fn", apply_fn)
    check.count("num_samples", num_samples, 1)
    noise, draw = jax.random.split(key)
    variables = _perturbed(noise, variables) if perturb else variables
    arrays, rebuild = dynamic(inputs)
    dtype = signature.float_dtype(variables)

    @jax.jit
    def outputs(variables, arrays):
        return apply_fn(variables, *rebuild(arrays))

    # Compiled in haste: it runs a few times, and elements are drawn outside, where equal sizes share code.
    @functools.partial(jax.jit, compiler_options=_HASTE)
    def moved(g, arrays, expected):
        new_arrays, _ = dynamic(group.act_on_inputs(g, *rebuild(arrays)))
        return group.act(g, variables), new_arrays, group.act_on_outputs(g, expected)

    expected = outputs(variables, arrays)
    change = 0.0
    for sample in jax.random.split(draw, num_samples):
        new_variables, new_arrays, wanted = moved(group.sample(sample, (), dtype), arrays, expected)
        change = max(change, _largest(jax.tree.map(_difference, outputs(new_variables, new_arrays), wanted)))
    size = _largest(jax.tree.map(np.asarray, expected))
    return Verification(change, size, _relative(variables, expected) * size, num_samples)


def dynamic(inputs: tuple) -> tuple[list, Callable]:
    """The arrays and numbers among inputs, and a function that puts others in their places.

    Flags, names and other objects are kept as they are, so that the function may branch on them.

    Example:
      >>> arrays, rebuild = dynamic((np.ones(2), {"train": False}))
      >>> len(arrays), rebuild([0.0])
      (1, (0.0, {'train': False}))
    """
    leaves, structure = jax.tree.flatten(inputs)
    places = [
        place
        for place, leaf in enumerate(leaves)
        if hasattr(leaf, "dtype") or (isinstance(leaf, int | float | complex) and not isinstance(leaf, bool))
    ]

    def rebuild(arrays):
        filled = list(leaves)
        for place, array in zip(places, arrays, strict=True):
            filled[place] = array
        return jax.tree.unflatten(structure, filled)

    return [leaves[place] for place in places], rebuild


def _perturbed(key: Array, variables):
    """Add normal random numbers to floating leaves, a tenth of each leaf's size or of one if it is zero."""
    leaves, structure = jax.tree.flatten(variables)
    moving = [i for i, leaf in enumerate(leaves) if jnp.issubdtype(jnp.result_type(leaf), jnp.floating)]
    # One draw for all leaves, because each shape would be compiled by itself.
    noise = np.asarray(jax.random.normal(key, (sum(np.size(leaves[i]) for i in moving),)))
    start = 0
    for i in moving:
        leaf = np.asarray(leaves[i])
        wide = leaf.astype(np.float64)
        size = np.sqrt(np.mean(wide**2)) if leaf.size else 1.0
        drawn = noise[start : start + leaf.size].reshape(leaf.shape)
        leaves[i] = (wide + _NOISE * (size or 1.0) * drawn).astype(leaf.dtype)
        start += leaf.size
    return structure.unflatten(leaves)


def _difference(a, b) -> np.ndarray:
    """The difference of two leaves, in double precision; zero where both are the same infinity."""
    a, b = (
        np.asarray(each).astype(np.complex128 if np.iscomplexobj(each) else np.float64) for each in (a, b)
    )
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        return np.where(same, 0, a - b)


def _largest(tree) -> float:
    """The largest absolute finite entry; infinity if an entry is not a number."""
    largest = 0.0
    for leaf in jax.tree.leaves(tree):
        sizes = np.abs(leaf.astype(np.complex128 if np.iscomplexobj(leaf) else np.float64))
        if np.isnan(sizes).any():
            return float("inf")
        largest = max(largest, float(np.max(sizes, initial=0.0, where=np.isfinite(sizes))))
    return largest


def _relative(*trees) -> float:
    """The relative tolerance of the coarsest floating dtype."""
    dtypes = [jnp.result_type(leaf) for leaf in jax.tree.leaves(trees)]
    names = {dtype.name for dtype in dtypes if jnp.issubdtype(dtype, jnp.floating)}
    return max((_TOLERANCE.get(name, _COARSE) for name in names), default=_TOLERANCE["float32"])

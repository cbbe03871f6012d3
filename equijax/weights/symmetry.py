"""The symmetry of the weights of any model, found from its trace.

Permuting the hidden units of a network, and the rows and columns of its weights with them, does not change
its function. Which axes of which parameters must move together is read off the jaxpr, with no list of
architectures (see `equijax.weights.propagation`): Ainsworth, Hayase & Srinivasa, "Git Re-Basin", ICLR 2023,
state these specifications by hand, as do most papers on matching and merging of models.

What is found is a symmetry, though not always all of it. Not found are: rotations of the pairs of rotary
positions (their scales are), orthogonal maps that fix the mean under LayerNorm or that a gain follows,
exchanges of whole layers or of scanned steps, and permutations of the parts that a parameter's own axis of
size 3 (rather than a reshape) tells apart, which are tied to each other.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import flax.errors
import jax
import numpy as np

from equijax.groups import Trivial
from equijax.groups.base import element_template
from equijax.numerics import check
from equijax.weights import verification
from equijax.weights.assembly import Home, Mover, action, arrange
from equijax.weights.movers import KINDS, Movers
from equijax.weights.nest import Traced
from equijax.weights.neurons import NeuronGroup, ParameterAxis, RigidAxis, unique_names
from equijax.weights.occurrences import Occurrences
from equijax.weights.parts import parts_in
from equijax.weights.propagation import Propagation, source
from equijax.weights.weight_symmetry import Signature, WeightSymmetry

_UNUSED = "the outputs do not depend on it"


def symmetry(
    apply_fn: Callable,
    variables,
    *inputs,
    kinds: Sequence[str] = ("permutation",),
    heads: str = "product",
    free: Sequence[str] = (),
    fixed: Sequence[str] = (),
    verify: bool = True,
) -> WeightSymmetry:
    """Find the group that acts on a model's variables and leaves its outputs as they are.

    The function is traced, never run (except by ``verify``). An operation that the tracer does not know makes
    the axes that it touches rigid, so what is found is always a symmetry, though perhaps not all of it.

    Args:
      apply_fn: the model, called as ``apply_fn(variables, *inputs)``; for instance ``model.apply`` of a Flax
        module. Dropout and other noise must be off.
      variables: the pytree that the group is to act on: parameters, with batch statistics where there are
        any. ``jax.ShapeDtypeStruct`` leaves will do without ``verify``.
      *inputs: arguments of the shapes that the model takes; flags among them are kept as they are.
      kinds: any of ``"permutation"``, ``"scale"`` (positive numbers, as ReLU allows), ``"sign"`` (as odd
        activations allow), ``"orthogonal"`` and ``"invertible"`` (matrices, where nothing but linear maps, or
        norms, see the neurons).
      heads: ``"product"``: one permutation of heads (or of channel groups) and one of the features within,
        common to all heads; ``"wreath"``: the larger group that permutes within each head separately.
      free: any of ``"inputs"`` and ``"outputs"``: whose axes may move, too, so that the outputs are moved
        (see `WeightSymmetry.act_on_outputs`) instead of left alone.
      fixed: names of parameters whose axes must stay, as whole paths or their beginnings, for example
        ``"params/Dense_0"``.
      verify: whether to try random elements (see `equijax.weights.verify`).

    Returns:
      The symmetry: a group that acts on the variables, and that prints as a table of its groups of neurons.

    Raises:
      TypeError: if ``apply_fn`` is no function, or a leaf of the variables is no array.
      ValueError: if the variables do not fit the function, the function draws random numbers, or an option
        is none of its choices.
      RuntimeError: if verification fails.

    Example:
      >>> import flax.linen as nn, jax.numpy as jnp
      >>> model, x = nn.Sequential([nn.Dense(8), nn.relu, nn.Dense(3)]), jnp.ones(4)
      >>> group = symmetry(model.apply, model.init(jax.random.key(0), x), x)
      >>> print(group.groups[0])
      layers_0: S(8) on params/layers_0/bias[0], params/layers_0/kernel[1], params/layers_2/kernel[0]
      >>> print(group.rigid[0])
      params/layers_0/kernel[0] (4): axis of an input
    """
    for kind in kinds:
        check.one_of("kinds", kind, KINDS)
    check.one_of("heads", heads, ("product", "wreath"))
    for side in free:
        check.one_of("free", side, ("inputs", "outputs"))
    trace = _trace(apply_fn, variables, inputs, free, fixed)
    found = _assemble(trace, kinds, heads, free)
    if verify:
        if any(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in jax.tree.leaves((variables, inputs))):
            raise ValueError("verify must be False where variables or inputs are shapes only, got True")
        tried = verification.verify(jax.random.key(0), found, apply_fn, variables, *inputs)
        if not tried.holds:
            raise RuntimeError(
                f"the symmetry that was found changes the outputs ({tried}); if the model itself is exact, a "
                f"rule of equijax.weights.rules is at fault. It was\n{found}"
            )
        found = dataclasses.replace(found, verification=tried)
    return found


class Trace(NamedTuple):
    """A function walked through.

    Attributes:
      occurrences: where leaves stand.
      paths: the names of the variables' leaves.
      variables, inputs, outputs: the traced arrays, with the structures; static inputs are None.
      used: whether the outputs depend on a variable.
    """

    occurrences: Occurrences
    paths: tuple[str, ...]
    variables: tuple[list[Traced], object]
    inputs: tuple[list[Traced | None], object]
    outputs: tuple[list[Traced], object]
    used: list[bool]


def _trace(apply_fn: Callable, variables, inputs: tuple, free, fixed) -> Trace:
    """Trace and walk."""
    check.function("apply_fn", apply_fn)
    flat, structure = jax.tree_util.tree_flatten_with_path(variables)
    paths = tuple(jax.tree_util.keystr(path, simple=True, separator="/") or "variables" for path, _ in flat)
    for path, (_, leaf) in zip(paths, flat):
        if not hasattr(leaf, "shape"):
            raise TypeError(f"variables must be a pytree of arrays, got {type(leaf).__name__} at {path}")
    arrays, rebuild = verification.dynamic(inputs)
    closed, shapes = _jaxpr(lambda v, a: apply_fn(v, *rebuild(a)), variables, arrays)
    apart: dict[int, int] = {}
    while True:
        walk = Propagation(apart)
        held = [walk.data(np.shape(leaf), _fixed(path, fixed)) for path, (_, leaf) in zip(paths, flat)]
        if "inputs" in free:
            given = [walk.data(np.shape(array)) for array in arrays]
        else:
            axes = [[walk.axis(n, "axis of an input") for n in np.shape(array)] for array in arrays]
            given = [source(walk, each) for each in axes]
        outputs = walk.run(closed, held + given)
        if "outputs" not in free:
            walk.freeze_all(outputs, "axis of an output")
        # Another walk keeps apart what this one found to be read entry by entry, until nothing is found.
        more = {**apart, **walk.split_apart()}
        if more == apart:
            break
        apart = more
    used = {id(x) for nest in walk.nests for x in nest.inputs} | {id(x) for x in outputs}
    placed = rebuild([_Placed(x) for x in given])
    leaves, input_structure = jax.tree.flatten(placed, is_leaf=lambda x: isinstance(x, _Placed))
    return Trace(
        Occurrences(walk),
        paths,
        (held, structure),
        ([x.array if isinstance(x, _Placed) else None for x in leaves], input_structure),
        (outputs, jax.tree.structure(shapes)),
        [id(x) in used for x in held],
    )


class _Placed(NamedTuple):
    """A traced input in its place among the inputs."""

    array: Traced


def _fixed(path: str, fixed: Sequence[str]) -> str | None:
    """Why a parameter is fixed; None if it is not."""
    held = any(path == name or path.startswith(f"{name.rstrip('/')}/") for name in fixed)
    return "fixed by the caller" if held else None


def _jaxpr(function: Callable, variables, arrays):
    """The jaxpr and the output's shapes, with errors that say what does not fit."""
    try:
        return jax.make_jaxpr(function, return_shape=True)(variables, arrays)
    except flax.errors.InvalidRngError as error:
        raise ValueError(
            "apply_fn must not draw random numbers: turn dropout and noise off, for instance by "
            f"deterministic=True or train=False. Flax says: {error}"
        ) from error
    except flax.errors.ModifyScopeVariableError as error:
        raise ValueError(
            "apply_fn must not change variables: run normalization layers with their stored statistics, for "
            f"instance by use_running_average=True. Flax says: {error}"
        ) from error
    except flax.errors.FlaxError as error:
        raise ValueError(f"variables must be those of apply_fn. Flax says: {error}") from error


def _assemble(trace: Trace, kinds: Sequence[str], heads: str, free: Sequence[str]) -> WeightSymmetry:
    """The group and its actions."""
    occurrences, (variables, _) = trace.occurrences, trace.variables
    arrays = [array for array, used in zip(variables, trace.used, strict=True) if used]
    given = [x for x in trace.inputs[0] if x is not None] if "inputs" in free else []
    found = Movers(occurrences, arrays, given, kinds=kinds, heads=heads)
    bases = {base for mover in found.movers for base in mover.stacks}
    groups, homes = arrange(found.movers, {base: occurrences.factors.size((base,)) for base in bases})
    return _finish(trace, found.movers, groups, homes, found.assigned)


def _finish(trace: Trace, movers, groups, homes, assigned) -> WeightSymmetry:
    """Actions on all arrays, and the report."""
    occurrences, anchor = trace.occurrences, _anchor(groups, homes)

    def signature(arrays, structure) -> Signature:
        acts = [
            Trivial() if x is None else action(occurrences, x, assigned(x), homes, anchor) for x in arrays
        ]
        return Signature(tuple(acts), structure)

    variables, structure = trace.variables
    of_variables = [
        action(occurrences, x, assigned(x) if used else {}, homes, anchor)
        for x, used in zip(variables, trace.used, strict=True)
    ]
    return WeightSymmetry(
        groups,
        Signature(tuple(of_variables), structure),
        signature(*trace.inputs),
        signature(*trace.outputs),
        _groups(trace, movers, homes, of_variables),
        _rigid(trace, assigned),
    )


def _anchor(groups, homes: list[Home]) -> tuple[tuple[int, ...], int] | None:
    """The path of a piece of the elements, and its number of axes."""
    if not homes:
        return None
    piece = tuple(element_template(group) for group in groups)
    for index in homes[0].path:
        piece = piece[index]
    return homes[0].path, jax.tree.leaves(piece)[0].ndim


def _groups(trace: Trace, movers: list[Mover], homes: list[Home], acts) -> tuple[NeuronGroup, ...]:
    """The groups of neurons with the axes that they act on."""
    factors, found = trace.occurrences.factors, []
    for mover, home in zip(movers, homes, strict=True):
        axes = tuple(
            ParameterAxis(path, number, parts, home.path)
            for path, act in zip(trace.paths, acts, strict=True)
            for number, parts in enumerate(act.axes)
            if any(part.path == home.path for part in parts_in(parts))
        )
        size = factors.size((mover.leaf,))
        over = tuple(factors.size((base,)) for base in home.over)
        found.append(NeuronGroup(_module(axes, acts, trace.paths), size, mover.group, axes, home.path, over))
    names = unique_names([group.name for group in found])
    return tuple(dataclasses.replace(group, name=name) for group, name in zip(found, names, strict=True))


def _module(axes: tuple[ParameterAxis, ...], acts, paths) -> str:
    """The module that makes the neurons: the first that has them on the last axis of a matrix or kernel."""
    ranks = {path: act.ndim for path, act in zip(paths, acts, strict=True)}
    last = [axis for axis in axes if 0 < axis.axis == ranks[axis.path] - 1]
    names = (last or list(axes))[0].path.split("/")
    return "/".join(names[1:-1]) or names[-1]


def _rigid(trace: Trace, assigned) -> tuple[RigidAxis, ...]:
    """Every occurrence in the variables that does not move, with the reason."""
    factors, found = trace.occurrences.factors, []
    for path, array, used in zip(trace.paths, trace.variables[0], trace.used, strict=True):
        moving = assigned(array) if used else {}
        for key, each in trace.occurrences.of(array).items():
            if key not in moving:
                reason = factors.reason(each.leaf) if used else _UNUSED
                found.append(RigidAxis(path, key[0], factors.size((each.leaf,)), reason or _UNUSED))
    return tuple(found)

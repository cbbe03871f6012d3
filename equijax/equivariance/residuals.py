"""How far the weights of a network are from commuting with groups: projection residuals, layer by layer.

Of a weight matrix W whose input and output transform by declared representations, the residual for a group
is ``‖W - P W‖² / 2``, with P the orthogonal projector onto the equivariant maps
(`equijax.equivariance.projector`); of a bias likewise, as a map from scalars. Kim, Lee, Yang, Lee,
"Regularizing towards soft equivariance under mixed symmetries", ICML 2023. Residuals of several groups become
comparable when each is divided by ``1 - tr P / dim``, the share of random weights that is not equivariant.
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.equivariance import signature
from equijax.equivariance.projector import Projector, projector
from equijax.groups import Group, Representation, Trivial
from equijax.numerics import check

GroupRep = Representation | Callable[[Group], Representation]
"""A representation that all candidate groups have, such as ``Vector()``, or a function of the group."""

LayerReps = Mapping[str, tuple[GroupRep, GroupRep]]
"""Paths within the parameters, joined by slashes, with the representations of the input and of the output."""


class ProjectionResiduals(NamedTuple):
    """Residuals of each array of weights, by its path, for each group; sums over arrays are properties.

    Attributes:
      raw: ``‖W - P W‖² / 2``, shape ``(groups,)``.
      norms: ``‖W‖² / 2``, a scalar.
      free: ``1 - tr P / dim``, shape ``(groups,)``: the expected share of random weights in the residual.
    """

    raw: dict[str, Float[Array, "groups"]]
    norms: dict[str, Float[Array, ""]]
    free: dict[str, Float[Array, "groups"]]

    @property
    def corrected(self) -> dict[str, Float[Array, "groups"]]:
        """Residuals over ``free``, which random weights of one norm have equal for all groups; zero where
        every map is equivariant."""
        return {
            path: raw / jnp.where(self._limits(path), self.free[path], 1) for path, raw in self.raw.items()
        }

    def _limits(self, path: str) -> Array:
        """Whether a group restricts an array at all."""
        return self.free[path] > 0

    @property
    def total(self) -> Float[Array, "groups"]:
        """The sum of ``raw`` over arrays: the paper's regularizer."""
        return sum(self.raw.values())

    @property
    def corrected_total(self) -> Float[Array, "groups"]:
        """The sum of ``corrected`` over arrays."""
        return sum(self.corrected.values())

    @property
    def levels(self) -> Float[Array, "groups"]:
        """The root of the corrected sum over that of random weights: 0 if all weights commute with the group,
        about 1 if they know nothing of it."""
        norms = sum(norm * self._limits(path) for path, norm in self.norms.items())
        return _root_of_ratio(self.corrected_total, norms)

    @property
    def errors(self) -> Float[Array, "groups"]:
        """The root of the share of the squared norm that is not equivariant, without correction."""
        return _root_of_ratio(self.total, sum(self.norms.values()))

    @property
    def random_errors(self) -> Float[Array, "groups"]:
        """What ``errors`` is for random weights of the same norms."""
        expected = sum(norm * self.free[path] for path, norm in self.norms.items())
        return _root_of_ratio(expected, sum(self.norms.values()))


def _root_of_ratio(part: Array, whole: Array) -> Array:
    """The square root of a ratio, zero where either is zero, with finite gradients."""
    ratio = part / jnp.where(whole > 0, whole, 1)
    return jnp.where(ratio > 0, jnp.sqrt(jnp.where(ratio > 0, ratio, 1)), 0)


def rep_for(rep: GroupRep, group: Group):
    """The representation, or signature, of one group: a function of the group is called with it.

    Example:
      >>> from equijax.groups import PermutationTensor, S, Vector
      >>> rep_for(Vector(), S(3)), rep_for(lambda group: PermutationTensor(1), S(3))
      (Vector(), PermutationTensor(1))
    """
    return rep(group) if callable(rep) else rep


def check_groups(groups) -> tuple[Group, ...]:
    """Require a sequence of at least one group, and return it as a tuple.

    Raises:
      TypeError: if it is no sequence, or holds something else.
      ValueError: if it is empty.

    Example:
      >>> from equijax.groups import SO
      >>> check_groups([SO(3)])
      (SO(3),)
    """
    if isinstance(groups, Group) or not isinstance(groups, Sequence):
        raise TypeError(f"groups must be a sequence of groups, as in (SO(3), SO(2)), got {groups!r}")
    for group in groups:
        signature.check_group(group)
    if not groups:
        raise ValueError("groups must hold at least one group, got none")
    return tuple(groups)


def projection_residuals(
    params: Mapping[str, Any], layer_reps: LayerReps, groups: Sequence[Group]
) -> ProjectionResiduals:
    """Distances of weights from those that commute with each of several groups.

    The gradient of a raw residual with respect to W is ``W - P W``. Projections are done block by block of
    the representations; no matrix over pairs of weights is made.

    Args:
      params: nested mappings of arrays, such as the parameters of a Flax module.
      layer_reps: which weights are looked at. A path leads to a layer, with a ``kernel`` of shape ``(n_in,
        n_out)`` (or with the axes of both representations) and perhaps a ``bias``; or to one array of that
        shape. The bias of a layer is looked at as a map from scalars. ``""`` is ``params`` itself.
      groups: the candidates.

    Raises:
      TypeError: if ``params`` is no mapping, ``groups`` are no groups, weights are not real floating-point
        arrays, or a group does not have a representation.
      ValueError: if ``layer_reps`` is empty, a path leads nowhere, or a shape does not match.

    Example:
      >>> from equijax.groups import SO, MatrixGroup, Vector
      >>> params = {"layer": {"kernel": jnp.diag(jnp.array([1.0, 1.0, 4.0])), "bias": jnp.zeros(3)}}
      >>> about_z = MatrixGroup("about_z", algebra=[[[0, -1, 0], [1, 0, 0], [0, 0, 0]]])
      >>> residuals = projection_residuals(params, {"layer": (Vector(), Vector())}, [SO(3), about_z])
      >>> residuals.total.round(4)
      Array([3., 0.], dtype=float32)
    """
    groups = check_groups(groups)
    raw, norms, free = {}, {}, {}
    for path, array, in_rep, out_rep in _arrays(params, layer_reps):
        check.floating(path, array)
        spaces = [projector(group, rep_for(in_rep, group), rep_for(out_rep, group)) for group in groups]
        raw[path] = jnp.stack([_half_square(space, _matrix(path, array, space)) for space in spaces])
        norms[path] = jnp.sum(array**2) / 2
        shares = [1 - space.dim / max(1, math.prod(space.shape)) for space in spaces]
        free[path] = jnp.asarray(shares, raw[path].dtype)
    return ProjectionResiduals(raw, norms, free)


def _arrays(params, layer_reps: LayerReps) -> list[tuple[str, Array, GroupRep, GroupRep]]:
    """Every array that is looked at: its path, itself, and the representations of its input and output."""
    check.instance("params", params, Mapping)
    check.instance("layer_reps", layer_reps, Mapping)
    if not layer_reps:
        raise ValueError("layer_reps must hold at least one path, got none")
    found = []
    for path, reps in layer_reps.items():
        if not isinstance(reps, tuple) or len(reps) != 2:
            raise TypeError(f"layer_reps[{path!r}] must be a pair (in_rep, out_rep), got {reps!r}")
        weights = _at(params, path)
        if not isinstance(weights, Mapping):
            found.append((path, weights, *reps))
            continue
        if "kernel" not in weights:
            raise ValueError(
                f"layer_reps[{path!r}] must lead to an array or to a layer with a kernel, "
                f"got a mapping of {sorted(weights)}"
            )
        prefix = f"{path}/" if path else ""
        found.append((f"{prefix}kernel", weights["kernel"], *reps))
        if "bias" in weights:
            found.append((f"{prefix}bias", weights["bias"], Trivial(), reps[1]))
    return found


def _at(params: Mapping, path: str):
    """What a path leads to."""
    found = params
    for name in path.split("/") if path else ():
        if not isinstance(found, Mapping) or name not in found:
            known = sorted(found) if isinstance(found, Mapping) else "an array"
            raise ValueError(f"layer_reps[{path!r}] must lead to weights, but at {name!r} there is {known}")
        found = found[name]
    return found


def _matrix(path: str, array: Array, space: Projector) -> Float[Array, "o i"]:
    """A kernel as a matrix that multiplies columns."""
    n_out, n_in = space.shape
    axes = (*space.in_rep.shape(space.group), *space.out_rep.shape(space.group))
    accepted = ((n_out,),) if n_in == 1 else ()
    accepted = dict.fromkeys(((n_in, n_out), axes, *accepted))
    if np.shape(array) not in accepted:
        shapes = " or ".join(map(str, accepted))
        raise ValueError(
            f"{path} must have shape {shapes} to map {space.in_rep!r} to {space.out_rep!r} under "
            f"{space.group!r}, got {np.shape(array)}"
        )
    return jnp.reshape(array, (n_in, n_out)).T


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _half_square(space: Projector, matrix: Float[Array, "o i"]) -> Float[Array, ""]:
    """``‖W - P W‖² / 2``."""
    return jnp.sum(space.residual(matrix) ** 2) / 2


@_half_square.defjvp
def _half_square_jvp(space: Projector, primals, tangents):
    """The gradient is the residual itself, which need not be projected again."""
    residual = space.residual(primals[0])
    return jnp.sum(residual**2) / 2, jnp.sum(residual * tangents[0])

"""The networks that are compared, for the groups and representations of a family."""

import dataclasses
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from equijax import nn as enn
from equijax.euclid import pca_frame
from equijax.groups import Group
from experiments.baselines.mlp import MLP
from experiments.soft_symmetry.families import Family

LEAK = 1e-3
LEAK_PENALTY = 1.0
PATHWAY_PRIOR = {"equivariant": 1e-5, "basic": 1.0}


@dataclasses.dataclass(frozen=True)
class Method:
    """A kind of network.

    Attributes:
      label: for tables.
      needs_subgroup: whether it is built for the group that holds, which has to be known.
      has_pathways: whether its layers have a residual pathway, and its loss their prior.
      is_soft: whether it has free weights and is trained with penalties of several strengths.
    """

    label: str
    needs_subgroup: bool = False
    has_pathways: bool = False
    is_soft: bool = False


METHODS = {
    "mlp": Method("MLP"),
    "frames": Method("frame-averaged MLP"),
    "emlp": Method("EMLP, whole group"),
    "emlp_oracle": Method("EMLP, true subgroup", needs_subgroup=True),
    "rpp": Method("RPP", has_pathways=True),
    "mixed_rpp": Method("MixedRPP, true subgroup", needs_subgroup=True, has_pathways=True),
    "soft": Method("soft network", is_soft=True),
}


def make_network(
    family: Family, method: str, subgroup: Group | None, *, sizes: tuple[int, int, int], num_layers: int
) -> nn.Module:
    """The network of a method.

    Args:
      family: groups and representations.
      method: one of :data:`METHODS`.
      subgroup: what holds, for the methods that need it.
      sizes: scalars, vectors and matrices of the hidden layers.
      num_layers: hidden layers.

    Example:
      >>> from experiments.soft_symmetry.families import FAMILIES
      >>> net = make_network(FAMILIES["inertia"], "emlp", None, sizes=(4, 2, 1), num_layers=1)
      >>> net.init_with_output(jax.random.key(0), jnp.ones((5, 20)))[0].shape
      (5, 9)
    """
    hidden = family.hidden(*sizes)
    if method in ("mlp", "frames"):
        plain = MLP(hidden.shape(family.whole)[0], num_layers, family.out_rep.shape(family.whole))
        if method == "mlp":
            return FlatOutput(plain)
        frame = partial(_frame, family)
        return FlatOutput(enn.FrameAveraged(plain, frame, (family.in_rep,), family.out_rep))
    group = subgroup if method == "emlp_oracle" else family.whole
    network = partial(enn.EquivariantMLP, group, family.in_rep, family.out_rep, hidden, num_layers)
    layers = {
        "emlp": {},
        "emlp_oracle": {},
        "rpp": {"dense": enn.ResidualPathwayDense, "leak": LEAK},
        "mixed_rpp": {"dense": partial(enn.ResidualPathwayDense, subgroup=subgroup), "leak": LEAK},
        "soft": {"dense": enn.SoftEquivariantDense, "leak": LEAK},
    }
    return FlatOutput(network(**layers[method]))


def _frame(family: Family, x):
    """The frame of an input's points."""
    return pca_frame(family.points(x), group=family.frame_group)


class FlatOutput(nn.Module):
    """A network with one axis of outputs.

    Attributes:
      network: any network.
    """

    network: nn.Module

    @nn.compact
    def __call__(self, x):
        """The output of the network, flattened."""
        return self.network(x).reshape(*x.shape[:-1], -1)


def penalty(method: str, params, weight_decay: float):
    """What is added to the loss of one network, besides the penalties of groups.

    Args:
      method: one of :data:`METHODS`.
      params: of the network.
      weight_decay: half of it multiplies the squared norm of all weights.
    """
    total = weight_decay * sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(params)) / 2
    if METHODS[method].has_pathways:
        total = total + enn.residual_pathway_penalty(params, **PATHWAY_PRIOR)
    return total + 2 * LEAK_PENALTY * enn.leak_penalty(params)

"""The products that are compared, and the network that they are compared in."""

import dataclasses
from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.nn import Linear
from equijax.numerics import check, safe
from experiments.baselines.pair_messages import (
    ClebschGordanMessage,
    GauntMessage,
    ThreeFactorGauntMessage,
    coupling_paths,
    others,
)
from experiments.baselines.steerable import Message, SteerableNetwork


@dataclasses.dataclass(frozen=True)
class Variant:
    """One product and its radial weights.

    Attributes:
      label: for tables.
      message: makes the product of a degree.
      paths: ``"even"`` or ``"all"``.
      selfmix: see `experiments.baselines.steerable`.
      basis: see `experiments.baselines.steerable`.
      of_radial_weights: made to study radial weights, not products.
    """

    label: str
    message: Callable[[int], Message]
    paths: str = "even"
    selfmix: bool = False
    basis: str = "saturating"
    of_radial_weights: bool = False

    def num_paths(self, degree: int) -> int:
        """Independent couplings ``l1, l2 -> l3`` of the product."""
        return len(coupling_paths(degree, degree, degree, self.paths))


VARIANTS = {
    "gaunt": Variant("Gaunt", GauntMessage),
    "gaunt_bracket": Variant("Gaunt + bracket", partial(GauntMessage, paths="all"), "all"),
    "gaunt_selfmix": Variant("Gaunt + Selfmix", GauntMessage, selfmix=True),
    "clebsch_gordan_even": Variant("CG, even paths", ClebschGordanMessage),
    "clebsch_gordan_all": Variant("CG, all paths", partial(ClebschGordanMessage, paths="all"), "all"),
    "three_bounded": Variant(
        "Gaunt, three bounded radial weights", ThreeFactorGauntMessage, of_radial_weights=True
    ),
    "three_unbounded": Variant(
        "Gaunt, three unbounded radial weights", ThreeFactorGauntMessage, basis="raw", of_radial_weights=True
    ),
}


class ParticleNetwork(nn.Module):
    """Where charged particles will be: ``x + v`` and a vector of a steerable network.

    The network sees positions by their differences only. At each particle it starts from two signals: charge
    and velocity, and speed and charge times velocity; of each pair it knows ``q_i q_j``.

    Attributes:
      network: the steerable network.
    """

    network: SteerableNetwork

    @nn.compact
    def __call__(
        self,
        charges: Float[Array, "... n"],
        positions: Float[Array, "... n 3"],
        velocities: Float[Array, "... n 3"],
    ) -> Float[Array, "... n 3"]:
        """Predict positions.

        Raises:
          ValueError: if shapes do not agree.
          TypeError: if an argument is not a real floating-point array.
        """
        check.floating("charges", charges)
        check.floating("velocities", velocities)
        n = check.shape("charges", charges, "... n")["n"]
        check.shape("positions", positions, "... n 3", n=n)
        check.shape("velocities", velocities, "... n 3", n=n)
        first = jnp.concatenate([charges[..., None], velocities], axis=-1)
        moving = charges[..., None] * velocities
        second = jnp.concatenate([safe.norm(velocities)[..., None], moving], axis=-1)
        products = charges[..., None, :] * others(charges, -1)
        h = self.network(positions, jnp.stack([first, second], axis=-2), products[..., None])
        # Degree 1 is (x, y, z) in the library's order of components.
        correction = Linear(1, name="read_out")(h)[..., 0, 1:4]
        return positions + velocities + correction


def make_network(variant: str, degree: int, *, channels: int, num_layers: int) -> ParticleNetwork:
    """The network of a variant.

    Raises:
      ValueError: if the variant is unknown.

    Example:
      >>> make_network("gaunt", 2, channels=4, num_layers=1).network.message
      GauntMessage(lmax=2, paths='even')
    """
    check.one_of("variant", variant, VARIANTS)
    chosen = VARIANTS[variant]
    return ParticleNetwork(
        SteerableNetwork(
            chosen.message(degree),
            lmax=degree,
            channels=channels,
            num_layers=num_layers,
            selfmix=chosen.selfmix,
            basis=chosen.basis,
        )
    )

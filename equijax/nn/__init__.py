"""Learnable layers: thin Flax (linen) modules over the pure functions of the same names."""

from equijax.nn.convolution import GauntConvolution
from equijax.nn.dropout import Dropout
from equijax.nn.gate import Gate
from equijax.nn.interaction import Interaction
from equijax.nn.linear import Linear, SpeciesLinear
from equijax.nn.many_body import ManyBody
from equijax.nn.norm import Norm
from equijax.nn.potential import InteratomicPotential, PotentialOutput, ReadOut, energy_and_forces
from equijax.nn.products import GauntProduct
from equijax.nn.radial import RadialMLP

__all__ = [
    "Dropout",
    "Gate",
    "GauntConvolution",
    "GauntProduct",
    "Interaction",
    "InteratomicPotential",
    "Linear",
    "ManyBody",
    "Norm",
    "PotentialOutput",
    "RadialMLP",
    "ReadOut",
    "SpeciesLinear",
    "energy_and_forces",
]

"""Learnable layers: thin Flax (linen) modules over the pure functions of the same names."""

from equijax.nn.attention import GraphAttention, attention_weights
from equijax.nn.convolution import AlignedConvolution, GauntConvolution
from equijax.nn.dropout import Dropout
from equijax.nn.equivariant_bilinear import EquivariantBilinear
from equijax.nn.equivariant_dense import EquivariantDense
from equijax.nn.equivariant_gate import EquivariantGate, gated
from equijax.nn.equivariant_mlp import EquivariantMLP, hidden_representation
from equijax.nn.gate import Gate
from equijax.nn.interaction import Interaction
from equijax.nn.linear import Linear, SpeciesLinear
from equijax.nn.many_body import ManyBody
from equijax.nn.norm import Norm
from equijax.nn.pointwise import PointwiseMLP
from equijax.nn.potential import InteratomicPotential, PotentialOutput, ReadOut, energy_and_forces
from equijax.nn.products import GauntProduct, Selfmix, TensorProduct
from equijax.nn.radial import RadialMLP

__all__ = [
    "AlignedConvolution",
    "Dropout",
    "EquivariantBilinear",
    "EquivariantDense",
    "EquivariantGate",
    "EquivariantMLP",
    "Gate",
    "GauntConvolution",
    "GauntProduct",
    "GraphAttention",
    "Interaction",
    "InteratomicPotential",
    "Linear",
    "ManyBody",
    "Norm",
    "PointwiseMLP",
    "PotentialOutput",
    "RadialMLP",
    "ReadOut",
    "Selfmix",
    "SpeciesLinear",
    "TensorProduct",
    "attention_weights",
    "energy_and_forces",
    "gated",
    "hidden_representation",
]

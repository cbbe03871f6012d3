"""Learnable layers: thin Flax (linen) modules over the pure functions of the same names."""

from equijax.nn.attention import GraphAttention, attention_weights
from equijax.nn.convolution import AlignedConvolution, GauntConvolution
from equijax.nn.dropout import Dropout
from equijax.nn.equivariant_bilinear import EquivariantBilinear
from equijax.nn.equivariant_dense import EquivariantDense
from equijax.nn.equivariant_gate import EquivariantGate, gated, leak_penalty
from equijax.nn.equivariant_mlp import EquivariantMLP, hidden_representation
from equijax.nn.frames import FrameAveraged
from equijax.nn.gate import Gate
from equijax.nn.interaction import Interaction
from equijax.nn.latent_frame_gnn import LatentFrameGNN, MessageLayer
from equijax.nn.lie import (
    LieConvolution,
    LieKernel,
    LieProjection,
    LiftConvolution,
    PointLieConvolution,
    PointLieProjection,
    PointLift,
    Siren,
)
from equijax.nn.linear import Linear, SpeciesLinear
from equijax.nn.many_body import ManyBody
from equijax.nn.norm import Norm
from equijax.nn.pointwise import PointwiseMLP
from equijax.nn.potential import InteratomicPotential, PotentialOutput, ReadOut, energy_and_forces
from equijax.nn.products import GauntProduct, Selfmix, TensorProduct
from equijax.nn.radial import RadialMLP
from equijax.nn.residual_pathway import ResidualPathwayDense, residual_pathway_penalty
from equijax.nn.soft_dense import SoftEquivariantDense, layer_representations

__all__ = [
    "AlignedConvolution",
    "Dropout",
    "EquivariantBilinear",
    "EquivariantDense",
    "EquivariantGate",
    "EquivariantMLP",
    "FrameAveraged",
    "Gate",
    "GauntConvolution",
    "GauntProduct",
    "GraphAttention",
    "Interaction",
    "InteratomicPotential",
    "LatentFrameGNN",
    "LieConvolution",
    "LieKernel",
    "LieProjection",
    "LiftConvolution",
    "Linear",
    "ManyBody",
    "MessageLayer",
    "Norm",
    "PointLieConvolution",
    "PointLieProjection",
    "PointLift",
    "PointwiseMLP",
    "PotentialOutput",
    "RadialMLP",
    "ReadOut",
    "ResidualPathwayDense",
    "Selfmix",
    "Siren",
    "SoftEquivariantDense",
    "SpeciesLinear",
    "TensorProduct",
    "attention_weights",
    "energy_and_forces",
    "gated",
    "hidden_representation",
    "layer_representations",
    "leak_penalty",
    "residual_pathway_penalty",
]

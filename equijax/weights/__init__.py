"""Symmetries of a network's weights: found from the trace of any model, and acting on its variables."""

from equijax.weights import matching, rules
from equijax.weights.action import ParameterAction
from equijax.weights.connectivity import Barrier, barrier, barrier_taylor_estimate, lerp, slerp
from equijax.weights.monomial import Diagonal, Monomial, Scaled
from equijax.weights.movers import KINDS
from equijax.weights.neurons import NeuronGroup, ParameterAxis, RigidAxis
from equijax.weights.power import Power
from equijax.weights.repair import recalibrate_batch_statistics, repair
from equijax.weights.singular_vectors import (
    input_direction_energy,
    kernel_matrices,
    singular_value_profile,
    singular_vector_alignment,
)
from equijax.weights.symmetry import symmetry
from equijax.weights.verification import Verification, verify
from equijax.weights.weight_symmetry import WeightSymmetry
from equijax.weights.wreath import Blocks, Wreath

__all__ = [
    "KINDS",
    "Barrier",
    "Blocks",
    "Diagonal",
    "Monomial",
    "NeuronGroup",
    "ParameterAction",
    "ParameterAxis",
    "Power",
    "RigidAxis",
    "Scaled",
    "Verification",
    "WeightSymmetry",
    "Wreath",
    "barrier",
    "barrier_taylor_estimate",
    "input_direction_energy",
    "kernel_matrices",
    "lerp",
    "matching",
    "recalibrate_batch_statistics",
    "repair",
    "rules",
    "singular_value_profile",
    "singular_vector_alignment",
    "slerp",
    "symmetry",
    "verify",
]

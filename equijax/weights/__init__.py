"""Symmetries of a network's weights: found from the trace of any model, and acting on its variables."""

from equijax.weights import rules
from equijax.weights.action import ParameterAction
from equijax.weights.monomial import Diagonal, Monomial, Scaled
from equijax.weights.movers import KINDS
from equijax.weights.neurons import NeuronGroup, ParameterAxis, RigidAxis
from equijax.weights.power import Power
from equijax.weights.symmetry import symmetry
from equijax.weights.verification import Verification, verify
from equijax.weights.weight_symmetry import WeightSymmetry
from equijax.weights.wreath import Blocks, Wreath

__all__ = [
    "KINDS",
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
    "rules",
    "symmetry",
    "verify",
]

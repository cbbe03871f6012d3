"""Matching of the neurons of two or more networks: by weights, by activations and by training."""

from equijax.weights.matching.activation_matching import activation_matching
from equijax.weights.matching.assignment import maximum_assignment, sinkhorn
from equijax.weights.matching.flax_activations import flax_activations
from equijax.weights.matching.merge_many import Merged, mean_of, merge_many
from equijax.weights.matching.moments import Moments, merged_moments, moments, similarity
from equijax.weights.matching.sinkhorn_matching import sinkhorn_matching
from equijax.weights.matching.straight_through import straight_through_matching
from equijax.weights.matching.weight_matching import Matching, weight_matching

__all__ = [
    "Matching",
    "Merged",
    "Moments",
    "activation_matching",
    "flax_activations",
    "maximum_assignment",
    "mean_of",
    "merge_many",
    "merged_moments",
    "moments",
    "similarity",
    "sinkhorn",
    "sinkhorn_matching",
    "straight_through_matching",
    "weight_matching",
]

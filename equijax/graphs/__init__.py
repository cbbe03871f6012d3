"""Graphs: neighbours, padded batches, molecules. The format is ``jraph.GraphsTuple``."""

from equijax.graphs.canonical import Labelling, canonical_labelling, minimal_frame, refine_colors
from equijax.graphs.frames import sampled_sorting_frame, sorting_frame, sorting_frame_size, spectral_key
from equijax.graphs.molecular import (
    complete_molecular_graph,
    molecular_graph,
    relative_vectors,
    species_index,
)
from equijax.graphs.neighbors import NeighborList, neighbor_list
from equijax.graphs.padding import (
    PaddingBudget,
    edge_mask,
    graph_index,
    graph_mask,
    node_mask,
    num_nodes,
    pad_batch,
    padding_budget,
)

__all__ = [
    "Labelling",
    "NeighborList",
    "PaddingBudget",
    "canonical_labelling",
    "complete_molecular_graph",
    "edge_mask",
    "graph_index",
    "graph_mask",
    "minimal_frame",
    "molecular_graph",
    "neighbor_list",
    "node_mask",
    "num_nodes",
    "pad_batch",
    "padding_budget",
    "refine_colors",
    "relative_vectors",
    "sampled_sorting_frame",
    "sorting_frame",
    "sorting_frame_size",
    "species_index",
    "spectral_key",
]

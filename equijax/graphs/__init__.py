"""Graphs: neighbours, padded batches, molecules. The format is ``jraph.GraphsTuple``."""

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
    "NeighborList",
    "PaddingBudget",
    "complete_molecular_graph",
    "edge_mask",
    "graph_index",
    "graph_mask",
    "molecular_graph",
    "neighbor_list",
    "node_mask",
    "num_nodes",
    "pad_batch",
    "padding_budget",
    "relative_vectors",
    "species_index",
]

"""Molecules and crystals as graphs: atoms are nodes, neighbours within a cut-off are edges.

Neighbours are found on the host. Node features ``positions`` (angstrom) and ``species`` (an index into the
model's table of elements), edge feature ``shifts`` (lattice translation of the sender, angstrom), global
feature ``cell`` (angstrom).
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import jraph
import numpy as np
from jaxtyping import Array, Float, Int

from equijax.graphs.neighbors import neighbor_list
from equijax.numerics import check


def species_index(numbers: Int[np.ndarray, "n"], species: Sequence[int]) -> Int[np.ndarray, "n"]:
    """Position of each atomic number in a table of elements.

    Args:
      numbers: atomic numbers.
      species: the table, in any order.

    Raises:
      ValueError: if an element is not in the table, or stands twice in it.
      TypeError: if ``numbers`` are no integers, or ``species`` is no sequence.

    Example:
      >>> species_index(np.array([8, 1, 1]), (1, 8))
      array([1, 0, 0], dtype=int32)
    """
    numbers = np.asarray(numbers)
    check.shape("numbers", numbers, "n")
    if numbers.dtype.kind not in "iu":
        raise TypeError(f"numbers must be integers (atomic numbers), got dtype {numbers.dtype}")
    if np.ndim(species) != 1:
        raise TypeError(f"species must be a sequence of atomic numbers, got {species!r}")
    table = {int(number): index for index, number in enumerate(species)}
    if len(table) < len(species):
        raise ValueError(f"species must not repeat an element, got {tuple(species)}")
    unknown = sorted({int(number) for number in numbers} - table.keys())
    if unknown:
        raise ValueError(f"numbers must be among the elements {tuple(table)} of the model, got {unknown}")
    return np.asarray([table[int(number)] for number in numbers], np.int32)


def molecular_graph(
    numbers: Int[np.ndarray, "n"],
    positions: Float[np.ndarray, "n 3"],
    cutoff: float,
    *,
    species: Sequence[int],
    cell: Float[np.ndarray, "3 3"] | None = None,
    pbc: tuple[bool, bool, bool] | bool = False,
    dtype=np.float32,
) -> jraph.GraphsTuple:
    """The graph of one configuration.

    Args:
      numbers: atomic numbers.
      positions: shape ``(n, 3)``, angstrom.
      cutoff: largest distance of neighbours, angstrom.
      species: the model's table of elements.
      cell: lattice vectors as rows, angstrom.
      pbc: which of the lattice directions are periodic.
      dtype: of the real-valued features.

    Raises:
      TypeError: if positions are traced (the neighbours are found on the host), or numbers are no integers.
      ValueError: if there are no atoms, shapes do not agree, an element is not in the table, a position is
        not finite, or a periodic direction has no lattice vector.

    Example:
      >>> graph = molecular_graph([8, 1], np.array([[0.0, 0, 0], [0.96, 0, 0]]), 3.0, species=(1, 8))
      >>> graph.senders.tolist(), graph.nodes["species"].tolist()
      ([1, 0], [1, 0])
    """
    if isinstance(positions, jax.core.Tracer):
        raise TypeError(
            "positions must be a NumPy array, for neighbours are found on the host, got a traced array; "
            "make the graph outside of jit, and differentiate by graph.nodes['positions']"
        )
    numbers, positions = np.asarray(numbers), np.asarray(positions)
    num_atoms = check.shape("positions", positions, "n 3")["n"]
    check.shape("numbers", numbers, "n", n=num_atoms)
    if num_atoms == 0:
        raise ValueError("positions must hold at least one atom, got none")
    pairs = neighbor_list(positions, cutoff, cell=cell, pbc=pbc)
    lattice = np.zeros((3, 3)) if cell is None else np.asarray(cell)
    return jraph.GraphsTuple(
        nodes={"positions": positions.astype(dtype), "species": species_index(numbers, species)},
        edges={"shifts": pairs.shifts.astype(dtype)},
        senders=pairs.senders,
        receivers=pairs.receivers,
        globals={"cell": lattice.astype(dtype)[None]},
        n_node=np.array([num_atoms], np.int32),
        n_edge=np.array([len(pairs.senders)], np.int32),
    )


def complete_molecular_graph(positions: Float[Array, "n 3"], species: Int[Array, "n"]) -> jraph.GraphsTuple:
    """The graph of all ordered pairs of the atoms of one molecule in free space.

    Its shape does not depend on the positions, so it can be built under ``jit``, ``grad`` and ``vmap``; a
    model with a cut-off gives the same result on it as on the graph of neighbours. There is no padding: a
    dummy graph with one atom and no edges is appended, as `equijax.graphs.pad_batch` does.

    Args:
      positions: angstrom.
      species: indices into the model's table of elements.

    Raises:
      ValueError: if shapes do not agree.
      TypeError: if ``species`` is not an integer array.

    Example:
      >>> graph = complete_molecular_graph(jnp.zeros((3, 3)), jnp.array([0, 1, 1]))
      >>> graph.senders.shape, graph.n_node.tolist()
      ((6,), [3, 1])
    """
    num_atoms = check.shape("positions", positions, "n 3")["n"]
    check.floating("positions", positions)
    check.shape("species", species, "n", n=num_atoms)
    check.integer("species", species)
    receivers, senders = np.nonzero(~np.eye(num_atoms, dtype=bool))
    positions = jnp.asarray(positions)
    return jraph.GraphsTuple(
        nodes={"positions": jnp.pad(positions, ((0, 1), (0, 0))), "species": jnp.pad(species, (0, 1))},
        edges={"shifts": jnp.zeros((len(senders), 3), positions.dtype)},
        senders=jnp.asarray(senders, jnp.int32),
        receivers=jnp.asarray(receivers, jnp.int32),
        globals={"cell": jnp.zeros((2, 3, 3), positions.dtype)},
        n_node=jnp.asarray([num_atoms, 1], jnp.int32),
        n_edge=jnp.asarray([len(senders), 0], jnp.int32),
    )


def relative_vectors(graph: jraph.GraphsTuple) -> Float[np.ndarray, "e 3"]:
    """Vectors from the receivers to the senders, with the lattice translation of the sender's image.

    Example:
      >>> graph = molecular_graph([8, 1], np.array([[0.0, 0, 0], [1.0, 0, 0]]), 3.0, species=(1, 8))
      >>> relative_vectors(graph).tolist()
      [[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]
    """
    positions = graph.nodes["positions"]
    return positions[graph.senders] - positions[graph.receivers] + graph.edges["shifts"]

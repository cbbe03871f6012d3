"""Interatomic potentials: an invariant energy of a molecule or crystal, and its derivatives."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import jraph
import numpy as np
from jaxtyping import Array, Float

from equijax.euclid import bessel_basis, polynomial_cutoff
from equijax.graphs import edge_mask, graph_index, node_mask, relative_vectors
from equijax.nn.interaction import Interaction, integral_convolution, integral_powers
from equijax.nn.linear import Linear, check_signal
from equijax.numerics import check, safe
from equijax.sphere import solid_harmonics


class InteratomicPotential(nn.Module):
    """Energy of each graph of a padded batch: a sum over atoms of an invariant of their neighbourhoods.

    Each interaction multiplies filters of the connecting vectors with neighbour features and raises the sum
    to powers (see `equijax.nn.Interaction`); scalar read-outs after every interaction give the atoms'
    energies. Energies are relative to isolated atoms, whose energy is exactly zero: total energies of 10^4 eV
    would leave 1 meV of resolution in single precision, so references are added outside, in double precision
    (see `equijax.simulation`). Two atoms at one place have no direction between them: the invariant part of
    their message remains, and energies and forces are finite.

    Attributes:
      species: atomic numbers that the model knows; graphs carry indices into this table.
      cutoff: largest distance of neighbours, angstrom.
      lmax: largest degree of harmonics and features.
      features: channels of the messages.
      many_body_features: channels of the many-body step.
      num_interactions: layers.
      order: highest power of the many-body step (body order minus one).
      num_radial: size of the radial basis.
      avg_num_neighbors: typical number of neighbours, by whose root sums are divided.
      mean_interaction: a first guess of each species' energy in a molecule, eV; zero if None. It fades
        with the last neighbour.
      energy_scale: unit of the learned part, eV (the root mean square force, in eV/angstrom, is a good one).
      convolution, many_body: make the two products; Gaunt products unless replaced.

    Example:
      >>> import numpy as np
      >>> from equijax.graphs import molecular_graph, pad_batch, PaddingBudget
      >>> water = np.array([[0.0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
      >>> graph = molecular_graph([8, 1, 1], water, 4.0, species=(1, 8))
      >>> batch = pad_batch([graph], PaddingBudget(4, 8, 2))
      >>> model = InteratomicPotential(species=(1, 8), features=4, many_body_features=4)
      >>> model.init_with_output(jax.random.key(0), batch)[0].shape
      (2,)
    """

    species: Sequence[int]
    cutoff: float = 4.0
    lmax: int = 2
    features: int = 16
    many_body_features: int = 32
    num_interactions: int = 2
    order: int = 3
    num_radial: int = 8
    avg_num_neighbors: float = 10.0
    mean_interaction: Sequence[float] | None = None
    energy_scale: float = 1.0
    convolution: Callable[..., nn.Module] = integral_convolution
    many_body: Callable[..., nn.Module] = integral_powers

    @nn.compact
    def __call__(self, graph: jraph.GraphsTuple) -> Float[Array, "g"]:
        """Energies in eV of the graphs of a batch (see `equijax.graphs.molecular_graph`); padding is zero.

        Raises:
          ValueError: if the graph lacks a feature, shapes do not agree, or an attribute is out of range.
          TypeError: if a feature has the wrong kind of dtype.
        """
        _check_graph(graph)
        self._check_attributes()
        species = graph.nodes["species"]
        real_edge = edge_mask(graph)
        # Padding edges get a harmless vector at the cut-off, where every message is zero.
        beyond = jnp.asarray([0.0, self.cutoff, 0.0], graph.nodes["positions"].dtype)
        vectors = jnp.where(real_edge[:, None], relative_vectors(graph), beyond)
        distance = safe.norm(vectors)
        harmonics = solid_harmonics(self.lmax, safe.normalize(vectors))
        envelope = polynomial_cutoff(distance, self.cutoff) * real_edge
        radial = bessel_basis(distance, self.num_radial, self.cutoff) * envelope[:, None]

        embedding = nn.Embed(
            len(self.species), self.features, embedding_init=nn.initializers.normal(1.0), name="embedding"
        )
        h = embedding(species)[:, :, None].astype(radial.dtype)
        energies = jnp.zeros(species.shape, radial.dtype)
        for layer in range(self.num_interactions):
            h = Interaction(
                features=self.features,
                lmax=self.lmax,
                num_species=len(self.species),
                order=self.order,
                many_body_features=self.many_body_features,
                avg_num_neighbors=self.avg_num_neighbors,
                residual=layer > 0,
                convolution=self.convolution,
                many_body=self.many_body,
                name=f"interaction_{layer}",
            )(h, species, radial, harmonics, graph.senders, graph.receivers)
            last = layer == self.num_interactions - 1
            energies = energies + ReadOut(hidden=16 if last else 0, name=f"read_out_{layer}")(h)
        shift = self.param("shift", nn.initializers.zeros, (len(self.species),)) * self.energy_scale
        if self.mean_interaction is not None:
            shift = shift + jnp.asarray(self.mean_interaction, energies.dtype)
        crowding = jax.ops.segment_sum(envelope, graph.receivers, species.shape[0])
        # Close to 1 from one near neighbour on, and 0, smoothly, without any.
        bound = 1 - jnp.exp(-4 * crowding)
        energies = self.energy_scale * energies + jnp.take(shift, species) * bound
        energies = jnp.where(node_mask(graph), energies, 0)
        return jax.ops.segment_sum(energies, graph_index(graph), graph.n_node.shape[0])

    def _check_attributes(self):
        """Raise a clear error for attributes that no layer below checks."""
        if np.ndim(self.species) != 1:
            raise TypeError(f"species must be a sequence of atomic numbers, got {self.species!r}")
        check.count("len(species)", len(self.species), 1)
        check.count("num_interactions", self.num_interactions, 1)
        check.count("lmax", self.lmax, 0)
        check.positive("energy_scale", self.energy_scale)
        if self.mean_interaction is not None and len(self.mean_interaction) != len(self.species):
            expected = f"one energy for each of the {len(self.species)} species"
            raise ValueError(f"mean_interaction must hold {expected}, got {len(self.mean_interaction)}")


class ReadOut(nn.Module):
    """One invariant number for each node, from the degree-0 part of its signals.

    Attributes:
      hidden: size of a hidden layer; a linear map if 0.

    Example:
      >>> ReadOut(hidden=4).init_with_output(jax.random.key(0), jnp.ones((5, 8, 9)))[0].shape
      (5,)
    """

    hidden: int = 0

    @nn.compact
    def __call__(self, h: Float[Array, "n c k"]) -> Float[Array, "n"]:
        """Read the invariant part of signals, shape ``(n, channels, (lmax + 1)²)``.

        Raises:
          ValueError: if ``h`` has no channel axis or its last axis is not a square.
          TypeError: if ``h`` is not a real floating-point array.
        """
        check_signal("h", h)
        scalars = h[..., :1]
        if self.hidden:
            scalars = jax.nn.silu(Linear(self.hidden, name="hidden")(scalars))
        # A tenth of unit variance at first, so that training starts near the isolated atoms.
        return 0.1 * Linear(1, name="out")(scalars)[..., 0, 0]


class PotentialOutput(NamedTuple):
    """What a potential says of a batch.

    Attributes:
      energy: eV, shape ``(g,)``; zero for padding graphs.
      forces: eV/angstrom, shape ``(n, 3)``; zero for padding nodes.
      stress: eV/angstrom³, shape ``(g, 3, 3)``, positive under tension; None if not asked for.
    """

    energy: Float[Array, "g"]
    forces: Float[Array, "n 3"]
    stress: Float[Array, "g 3 3"] | None


def energy_and_forces(
    energy_fn: Callable[[jraph.GraphsTuple], Float[Array, "g"]],
    graph: jraph.GraphsTuple,
    *,
    stress: bool = False,
) -> PotentialOutput:
    """Energies of a batch and minus their gradient with respect to the positions.

    Args:
      energy_fn: energies of the graphs of a batch, for instance ``partial(model.apply, variables)``.
      graph: a padded batch of molecular graphs.
      stress: also the derivative by a homogeneous strain, over the volume of each graph's cell (zero for
        graphs whose cell has no volume).

    Raises:
      ValueError: if the graph lacks a feature or shapes do not agree.
      TypeError: if a feature has the wrong kind of dtype.

    Example:
      >>> import numpy as np
      >>> from equijax.graphs import molecular_graph
      >>> spring = lambda graph: jnp.sum(relative_vectors(graph) ** 2, keepdims=True)[0] / 4
      >>> graph = molecular_graph([1, 1], np.array([[0.0, 0, 0], [1.0, 0, 0]]), 3.0, species=(1,))
      >>> energy_and_forces(spring, graph).forces[:, 0].tolist()
      [1.0, -1.0]
    """
    _check_graph(graph)
    check.function("energy_fn", energy_fn)
    positions = graph.nodes["positions"]
    num_graphs = graph.n_node.shape[0]

    def total(positions, strain):
        moved = graph._replace(nodes={**graph.nodes, "positions": positions})
        if strain is not None:
            moved = _strained(moved, strain)
        energy = energy_fn(moved)
        return jnp.sum(energy), energy

    if not stress:
        gradient, energy = jax.grad(total, has_aux=True)(positions, None)
        return PotentialOutput(energy, -gradient, None)
    _require("globals", graph.globals, "cell")
    check.shape("graph.globals['cell']", graph.globals["cell"], "g 3 3", g=num_graphs)
    no_strain = jnp.zeros((num_graphs, 3, 3), positions.dtype)
    (gradient, by_strain), energy = jax.grad(total, argnums=(0, 1), has_aux=True)(positions, no_strain)
    volume = jnp.abs(jnp.linalg.det(graph.globals["cell"]))[:, None, None]
    bulk = volume > 0
    return PotentialOutput(energy, -gradient, jnp.where(bulk, by_strain / jnp.where(bulk, volume, 1.0), 0.0))


def _strained(graph: jraph.GraphsTuple, strain: Float[Array, "g 3 3"]) -> jraph.GraphsTuple:
    """Positions and lattice translations multiplied by one plus the symmetric part of a strain."""
    deform = jnp.eye(3, dtype=strain.dtype) + (strain + strain.mT) / 2
    of_node = deform[graph_index(graph)]
    positions = jnp.einsum("ni,nij->nj", graph.nodes["positions"], of_node)
    shifts = jnp.einsum("ei,eij->ej", graph.edges["shifts"], of_node[graph.receivers])
    return graph._replace(
        nodes={**graph.nodes, "positions": positions}, edges={**graph.edges, "shifts": shifts}
    )


def _check_graph(graph: jraph.GraphsTuple) -> None:
    """Raise a clear error unless the graph has the features of a molecular graph."""
    check.instance("graph", graph, jraph.GraphsTuple)
    for key in ("positions", "species"):
        _require("nodes", graph.nodes, key)
    _require("edges", graph.edges, "shifts")
    positions, species, shifts = graph.nodes["positions"], graph.nodes["species"], graph.edges["shifts"]
    num_nodes = check.shape("graph.nodes['positions']", positions, "n 3")["n"]
    check.floating("graph.nodes['positions']", positions)
    check.shape("graph.nodes['species']", species, "n", n=num_nodes)
    check.integer("graph.nodes['species']", species)
    num_edges = check.shape("graph.senders", graph.senders, "e")["e"]
    check.shape("graph.edges['shifts']", shifts, "e 3", e=num_edges)


def _require(part: str, features, key: str) -> None:
    """Raise a clear error unless features are a dict that holds a key."""
    if not isinstance(features, dict) or key not in features:
        got = sorted(features) if isinstance(features, dict) else type(features).__name__
        raise ValueError(f"graph.{part} must be a dict with {key!r}, got {got}")

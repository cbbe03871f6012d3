"""Is what was trained really symmetric? Audited layer by layer, and measured in both precisions."""

from functools import partial

import flax.linen as nn
import jax
import numpy as np

import equijax as ej
from equijax.graphs import complete_molecular_graph
from equijax.groups import E, PermutationTensor, Point, Rigid, S, Trivial, Vector, act
from equijax.nn import InteratomicPotential, energy_and_forces


class OneMolecule(nn.Module):
    """The potential as a function of one molecule's positions and species.

    Attributes:
      potential: the potential; its parameters are those of this module under ``potential``.
    """

    potential: InteratomicPotential

    @nn.compact
    def __call__(self, positions, species):
        """Energy of the molecule, eV."""
        return self.potential(complete_molecular_graph(positions, species))[0]


def symmetry_errors(model, params, positions, species, *, num_samples: int = 8) -> dict[str, float]:
    """Relative equivariance error by ``"group, precision"``: the larger of energy and forces.

    One program is compiled in each precision for all groups: the parts of S(n) x E(3) are measured by
    elements whose other parts are the identity.
    """
    node = PermutationTensor(1)
    in_reps = (node @ Point(), node @ Trivial())
    out_reps = (Trivial(), node @ Vector())

    @jax.jit
    def moved_and_expected(g, params, arguments, output):
        return _energy_and_forces(model, params, *act(in_reps, g, arguments)), act(out_reps, g, output)

    with jax.enable_x64(True):
        drawn = jax.tree.map(np.asarray, jax.jit(partial(_elements, len(species), num_samples))())
    errors = {}
    for precision in ("float32", "float64"):
        with jax.enable_x64(precision == "float64"):
            cast = partial(np.asarray, dtype=precision)
            arguments = (cast(positions - positions.mean(0)), np.asarray(species))
            elements = jax.tree.map(
                lambda leaf, cast=cast: cast(leaf) if np.issubdtype(leaf.dtype, np.floating) else leaf, drawn
            )
            still = jax.tree.map(lambda leaf: leaf[0], elements.pop("identity"))
            measure = partial(moved_and_expected, params=jax.tree.map(cast, params), arguments=arguments)
            nothing = (np.zeros((), precision), np.zeros_like(arguments[0]))
            output, _ = measure(still, output=nothing)
            for name, of_part in elements.items():
                samples = [jax.tree.map(lambda leaf, i=i: leaf[i], of_part) for i in range(num_samples)]
                errors[f"{name}, {precision}"] = max(
                    _relative_difference(*measure(g, output=output)) for g in samples
                )
    return errors


def _energy_and_forces(model: InteratomicPotential, params, positions, species):
    """Energy and forces of one molecule."""
    graph = complete_molecular_graph(positions, species)
    output = energy_and_forces(lambda g: model.apply({"params": params}, g), graph)
    return output.energy[0], output.forces[:-1]


def _relative_difference(moved, expected) -> float:
    """The larger of the relative differences of energy and forces."""
    pairs = zip(moved, expected, strict=True)
    return max(float(np.linalg.norm(a - b) / np.linalg.norm(b)) for a, b in pairs)


def _elements(num_atoms: int, num_samples: int) -> dict:
    """Random elements of S(n) x E(3) and of its parts, and as many identities."""
    group = S(num_atoms) * E(3)
    permutation, motion = group.sample(jax.random.key(0), (num_samples,), "float64")
    same_order, still = group.identity((num_samples,), "float64")
    return {
        "identity": (same_order, still),
        "O(3)": (same_order, Rigid(motion.linear, still.translation)),
        "translations": (same_order, Rigid(still.linear, motion.translation)),
        "permutations": (permutation, still),
        "S(n) x E(3)": (permutation, motion),
    }


def audit(model, params, positions, species):
    """Layer by layer, under permutations and motions at once; see `equijax.testing.audit`.

    The six atoms closest to the first are enough: the layers are the same for any number of atoms.
    """
    near = np.argsort(np.linalg.norm(positions - positions[0], axis=-1))[:6]
    positions, species = positions[near], species[near]
    num_atoms = len(species)
    node = PermutationTensor(1)
    return ej.testing.audit(
        OneMolecule(model),
        {"params": {"potential": params}},
        S(num_atoms) * E(3),
        (node @ Point(), node @ Trivial()),
        positions - positions.mean(0),
        species,
        key=jax.random.key(0),
    )

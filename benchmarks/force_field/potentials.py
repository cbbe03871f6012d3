"""The potentials whose training is timed, and the batches that they are trained on."""

from typing import NamedTuple

import jax
import jraph

from benchmarks.framework.timing import Absent
from benchmarks.peers import mace
from benchmarks.peers.contender import Unavailable
from equijax.nn import InteratomicPotential
from experiments.force_field.config import Config
from experiments.force_field.fitting import make_model
from experiments.tasks import molecules

RADIAL_HIDDEN = (32, 32)
"""Hidden layers of the radial network of our potentials, unless they are told otherwise."""


class Potential(NamedTuple):
    """A model with fresh parameters.

    Attributes:
      name: for tables.
      model: with ``apply(variables, graph)`` for the energies of a batch.
      params: its parameters.
      num_parameters: how many numbers they are.
    """

    name: str
    model: InteratomicPotential | mace.Mace
    params: dict
    num_parameters: int


class Setting(NamedTuple):
    """What all potentials train on.

    Attributes:
      config: sizes and schedule, those of the experiment ``force_field``.
      task: the molecules.
      batches: a batch as a function of the step: leaves stacked over one shard.
    """

    config: Config
    task: molecules.MoleculeTask
    batches: molecules.MoleculeBatches

    @property
    def graph(self) -> jraph.GraphsTuple:
        """The first batch."""
        return jax.tree.map(lambda leaf: leaf[0], self.batches(0))


def make_setting(config: Config) -> Setting:
    """Load the molecules, and batch them on one device."""
    task = molecules.load_task(config.data, num_train=config.num_train or None, seed=config.seed)
    batches = molecules.MoleculeBatches(
        task.train,
        task.atomic_energies,
        species=task.species,
        cutoff=config.cutoff,
        batch_size=config.batch_size,
        shards=1,
        key=jax.random.key(config.seed),
    )
    return Setting(config, task, batches)


def make_potentials(setting: Setting) -> tuple[list[Potential], list[Absent]]:
    """Ours, its Clebsch-Gordan twin, and MACE, which may be absent."""
    config, task = setting.config, setting.task
    found, absent = [], []
    for method in ("Gaunt", "Clebsch-Gordan"):
        found.append(_with_parameters(method, make_model(config, task, method), setting))
    try:
        model = mace.make(
            numbers=task.species,
            cutoff=config.cutoff,
            lmax=config.lmax,
            num_interactions=config.num_interactions,
            order=config.order,
            radial_hidden=RADIAL_HIDDEN,
            avg_num_neighbors=found[0].model.avg_num_neighbors,
            num_parameters=found[0].num_parameters,
            graph=setting.graph,
        )
    except Unavailable as why:
        absent.append(Absent(mace.NAME, None, "", str(why)))
    else:
        found.append(_with_parameters(f"{mace.NAME}, {model.channels} channels", model, setting))
    return found, absent


def _with_parameters(name: str, model, setting: Setting) -> Potential:
    """The model with parameters drawn for it."""
    params = jax.jit(model.init)(jax.random.key(setting.config.seed), setting.graph)["params"]
    return Potential(name, model, params, sum(leaf.size for leaf in jax.tree.leaves(params)))

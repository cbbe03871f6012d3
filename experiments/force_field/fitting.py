"""Training one potential: model, loss, optimiser, and its curve of errors."""

import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import equijax as ej
from equijax.graphs import graph_mask, node_mask
from equijax.nn import InteratomicPotential, energy_and_forces
from experiments.baselines.clebsch_gordan import ClebschGordanConvolution, SymmetricContraction
from experiments.force_field.config import Config
from experiments.force_field.evaluation import Evaluator, FrameBatches
from experiments.tasks import molecules
from experiments.tasks.molecules import MoleculeTask

METHODS = ("Gaunt", "Clebsch-Gordan")


class Fitted(NamedTuple):
    """A trained potential and how it came to be.

    Attributes:
      model: the module.
      params: averaged parameters after the last step.
      curve: rows ``(step, seconds, validation force RMSE in meV/angstrom)``.
      seconds: where the time went, see `equijax.training.FitResult`.
      steps: finished steps.
      num_parameters: how many numbers were learned.
      evaluator: of the model, for the validation set, the tests and the profiles of the task.
    """

    model: InteratomicPotential
    params: Mapping[str, Any]
    curve: np.ndarray
    seconds: Mapping[str, float]
    steps: int
    num_parameters: int
    evaluator: Evaluator

    @property
    def variables(self) -> Mapping[str, Any]:
        """The Flax variables."""
        return {"params": self.params}


def make_model(config: Config, task: MoleculeTask, method: str) -> InteratomicPotential:
    """The potential of a method, scaled to the training frames."""
    graphs = molecules.labelled_graphs(
        task.train, task.atomic_energies, species=task.species, cutoff=config.cutoff
    )
    neighbors = np.concatenate([np.bincount(g.receivers, minlength=int(g.n_node[0])) for g in graphs])
    counts = molecules.composition(task.train, task.species)
    energies = molecules.interaction_energies(task.train, task.atomic_energies)
    mean_interaction = np.linalg.lstsq(counts, energies, rcond=None)[0]
    products = {}
    if method == "Clebsch-Gordan":
        products = {"convolution": ClebschGordanConvolution, "many_body": SymmetricContraction}
    return InteratomicPotential(
        species=task.species,
        cutoff=config.cutoff,
        lmax=config.lmax,
        features=config.features,
        many_body_features=config.many_body_features,
        num_interactions=config.num_interactions,
        order=config.order,
        avg_num_neighbors=max(float(neighbors.mean()), 1.0),
        mean_interaction=tuple(float(energy) for energy in mean_interaction),
        energy_scale=max(float(np.sqrt(np.mean(task.train.forces**2))), 1e-3),
        **products,
    )


def loss_function(model: InteratomicPotential, energy_weight: float):
    """Mean squared error of forces (eV/angstrom) and energies per atom (eV), over stacked padded graphs."""

    def of_graph(params, graph):
        output = energy_and_forces(lambda g: model.apply({"params": params}, g), graph)
        atoms, real = node_mask(graph), graph_mask(graph)
        squared = (output.forces - graph.nodes["forces"]) ** 2 * atoms[:, None]
        force_loss = jnp.sum(squared) / (3 * jnp.sum(atoms))
        per_atom = (output.energy - graph.globals["energy"]) / jnp.maximum(graph.n_node, 1)
        energy_loss = jnp.sum(per_atom**2 * real) / jnp.sum(real)
        return force_loss, energy_loss

    def loss_fn(params, batch, key):
        if batch.n_node.shape[0] == 1:
            # One graph a device: without vmap, whose gathers are slower on CPU (1.6 times a step).
            force_loss, energy_loss = of_graph(params, jax.tree.map(lambda leaf: leaf[0], batch))
        else:
            force_loss, energy_loss = jax.tree.map(jnp.mean, jax.vmap(of_graph, (None, 0))(params, batch))
        return force_loss + energy_weight * energy_loss, {"force": force_loss, "energy": energy_loss}

    return loss_fn


def make_optimizer(config: Config, num_steps: int) -> tuple[optax.GradientTransformation, optax.Schedule]:
    """Muon (orthogonalised momentum) on all matrices, Adam on the rest; warm-up, then a cosine to zero.

    Leading axes of a parameter (degrees, species) are separate matrices.
    """
    from optax.contrib import MuonDimensionNumbers, muon

    schedule = optax.warmup_cosine_decay_schedule(
        0.0, config.learning_rate, min(100, num_steps // 10), num_steps
    )

    def matrices(params):
        axes = MuonDimensionNumbers(reduction_axis=-2, output_axis=-1)
        return jax.tree.map(lambda x: axes if x.ndim >= 2 and min(x.shape[-2:]) > 1 else None, params)

    optimizer = muon(schedule, muon_weight_dimension_numbers=matrices)
    return optax.chain(optax.clip_by_global_norm(10.0), optimizer), schedule


def fit_potential(
    config: Config,
    task: MoleculeTask,
    method: str,
    num_steps: int,
    batches_to_test: FrameBatches,
    workdir: pathlib.Path,
) -> tuple[Fitted, bool]:
    """Train the potential of a method, or go on where an earlier run stopped.

    Returns:
      The trained potential, and whether a signal ended the training before its last step.
    """
    model = make_model(config, task, method)
    keys = jax.random.split(jax.random.key(config.seed), 3)
    batches = molecules.MoleculeBatches(
        task.train,
        task.atomic_energies,
        species=task.species,
        cutoff=config.cutoff,
        batch_size=config.batch_size,
        shards=config.shards,
        key=keys[0],
    )
    example = jax.tree.map(lambda leaf: leaf[0], batches(0))
    params = jax.jit(model.init)(keys[1], example)["params"]
    optimizer, schedule = make_optimizer(config, num_steps)
    evaluator = Evaluator(model, batches_to_test)
    result = ej.training.fit(
        loss_function(model, config.energy_weight),
        params,
        optimizer,
        batches,
        num_steps=num_steps,
        key=keys[2],
        workdir=workdir / method.lower().replace("-", "_"),
        ema_decay=config.ema_decay,
        evaluate=lambda params: {"force_rmse": evaluator.errors("validation", params)["force"]},
        evaluate_every=config.evaluate_every,
        checkpoint_every=config.evaluate_every,
        monitor="force_rmse",
        schedule=schedule,
        devices=jax.devices()[: config.shards],
    )
    rows = [row for row in result.history if "force_rmse" in row]
    curve = np.asarray([(row["step"], row["seconds"], row["force_rmse"]) for row in rows])
    num_parameters = sum(leaf.size for leaf in jax.tree.leaves(params))
    fitted = Fitted(model, result.ema_params, curve, result.seconds, result.step, num_parameters, evaluator)
    return fitted, result.interrupted

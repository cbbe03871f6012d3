import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.graphs import sorting_frame_size
from experiments.baselines.side_by_side import initial_params
from experiments.frame_averaging import claims, classification, normals, orders, particles, reporting
from experiments.frame_averaging.config import NETWORKS, PRESETS, Config
from experiments.frame_averaging.fitting import in_chunks
from experiments.frame_averaging.separation import CASES, Separation, SeparationResult
from experiments.tasks.graph8c_exp import connected_graphs, cycle_pairs, relabelled

GRAPHS = connected_graphs(5)
KEYS = jax.random.split(jax.random.key(1), 1)


def quick_init(model, *args):
    return {"params": jax.tree.map(lambda leaf: leaf[0], initial_params(model, KEYS, *args))}


def in_order(graphs, order):
    rows = np.arange(len(order))[:, None]
    return graphs.adjacency[rows[:, :, None], order[:, :, None], order[:, None, :]]


def test_canonical_orders_of_copies_give_one_form():
    pairs = cycle_pairs(2)
    copies = relabelled(pairs, seed=4)
    forms = [in_order(each, orders.canonical_orders(each)[:, 0]) for each in (pairs, copies)]
    np.testing.assert_array_equal(*forms)


def test_complete_frames_hold_every_sorted_order():
    frame, complete = orders.frame_of("spectral", GRAPHS, limit=6, seed=0)
    keys = orders.keys_of(GRAPHS)
    sizes = np.array([sorting_frame_size(each) for each in keys])
    np.testing.assert_array_equal(complete, sizes <= 6)
    np.testing.assert_allclose(np.sum(frame.weights, axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(np.sum(frame.weights > 0, axis=1), np.where(complete, sizes, 6))
    for element, key in zip(np.asarray(frame.elements)[:, 0], keys, strict=True):
        assert key[element].tolist() == sorted(key.tolist())


def test_shuffled_orders_leave_missing_nodes_last():
    pairs = cycle_pairs(3)
    drawn = orders.shuffled_orders(orders.constant_keys(pairs), np.random.default_rng(0), 4)
    rows = np.arange(6)[:, None, None]
    assert (np.diff(pairs.mask[rows, drawn].astype(int), axis=2) <= 0).all()
    assert len(np.unique(drawn[0], axis=0)) == 4


def test_averages_over_frames_are_weighted_means():
    frame, _ = orders.frame_of("random", GRAPHS, limit=1, seed=0)
    weights = np.random.RandomState(0).randn(25, 2).astype(np.float32)
    averager = orders.Averager(lambda adjacency, types: adjacency.reshape(25) @ weights)
    found = averager(frame, GRAPHS)
    want = in_order(GRAPHS, np.asarray(frame.elements)[:, 0]).reshape(-1, 25) @ weights
    np.testing.assert_allclose(found, want, atol=1e-5)


def test_ranks_sort_and_tie_as_keys_do():
    keys = orders.keys_of(GRAPHS)
    ranks = classification._ranks(keys)
    for key, rank in zip(keys, ranks[:, :, 0], strict=True):
        assert sorting_frame_size(rank[:, None]) == sorting_frame_size(key)
        assert key[np.argsort(rank, kind="stable")].tolist() == sorted(key.tolist())


def test_pairs_stay_together_in_a_split():
    train, test = classification._split(60)
    assert (len(train), len(test)) == (40, 20)
    assert not set(train) & set(test)
    assert set(train ^ 1) == set(train)


def test_sampled_frames_train_and_whole_ones_predict():
    config = PRESETS["smoke"]
    args = (jnp.ones((2, 5)), jax.random.normal(jax.random.key(0), (2, 5, 3)), jnp.ones((2, 5, 3)))
    model = particles.make_network("stochastic FA-GNN", config)
    variables = quick_init(model, *args)
    key = {"frame": jax.random.key(2)}
    drawn = jax.jit(lambda *args: model.apply(variables, *args, deterministic=False, rngs=key))(*args)
    whole = jax.jit(model.apply)(variables, *args)
    assert np.abs(drawn - whole).max() > 1e-4
    averaged = particles.make_network("FA-GNN", config)
    np.testing.assert_allclose(jax.jit(averaged.apply)(variables, *args), whole, atol=1e-6)


def test_latent_networks_are_equivariant():
    model = particles.make_network("latent FA-GNN", PRESETS["smoke"])
    systems = [np.random.RandomState(0).randn(2, 5, *axes) for axes in ((), (3,), (3,))]
    params = initial_params(model, KEYS, *map(jnp.asarray, systems))
    assert particles.symmetry_error(model, params, systems) < 1e-4
    plain = particles.make_network("GNN", PRESETS["smoke"])
    params = initial_params(plain, KEYS, *map(jnp.asarray, systems))
    assert particles.symmetry_error(plain, params, systems) > 1e-2


def test_chunks_do_not_change_predictions():
    x = np.arange(7.0)[:, None]
    found = in_chunks(lambda params, x: params[:, None, None] * x, np.array([1.0, 2.0]), (x,), 3)
    np.testing.assert_allclose(found, np.stack([x, 2 * x]))


def test_errors_of_lines_do_not_see_signs_and_have_finite_derivatives():
    assert normals.line_errors(jnp.array([0.0, -3.0]), jnp.array([0.0, 1.0])) == 0
    gradient = jax.grad(lambda x: normals.line_errors(x, jnp.array([0.0, 1.0])))(jnp.zeros(2))
    assert np.all(np.isfinite(gradient))


def result_of(similar, copies, complete_copies, complete):
    one = Separation(similar, copies, complete_copies, complete, 10)
    random = Separation(0, 9, 0, 0, 10)
    return SeparationResult({case: random if case[1] == "random" else one for case in CASES}, {}, 3, 5)


@pytest.mark.parametrize(
    ("numbers", "verdict"),
    [
        ((0, 0, 0, 10), "holds"),
        ((0, 2, 0, 8), "holds if the whole frame is averaged"),
        ((0, 2, 1, 8), "does not hold here"),
        ((1, 0, 0, 10), "does not hold here"),
    ],
)
def test_separation_needs_copies_to_agree(numbers, verdict):
    result = result_of(*numbers)
    spectral, minimal, random = claims.separation_claims(result)
    assert spectral.verdict == minimal.verdict == verdict
    assert random.verdict == "holds"
    rows = reporting.separation_rows(result, 8)
    assert {row.paper for row in rows if row.metric == reporting.NOT_SEPARATED} == {None, 0, 386}


def test_claims_without_measurements_are_not_measured():
    linear = particles.ParticlesResult(np.array([0.08]), 0.0, None)
    assert all(claim.verdict == "not measured" for claim in claims.particles_claims({"linear": linear}))
    assert all(claim.verdict == "not measured" for claim in claims.normals_claims({}))


def test_wrong_configurations_are_refused():
    with pytest.raises(ValueError, match="width must be divisible by 3"):
        Config(width=32)
    with pytest.raises(ValueError, match="parts must be one of"):
        Config(parts=("nbody",))
    with pytest.raises(ValueError, match="parts must be at least one"):
        Config(parts=())
    with pytest.raises(ValueError, match="particle_methods must be one of"):
        Config(particle_methods=("TFN",))
    assert {network for network, _ in CASES} == set(NETWORKS)
    assert dataclasses.replace(PRESETS["full"], num_nodes=7).num_nodes == 7

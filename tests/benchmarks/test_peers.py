"""Other libraries' products: each that is installed computes what it is timed for."""

import dataclasses

import e3nn_jax as e3nn
import jax
import numpy as np
import pytest

from benchmarks.peers import contender, cuequivariance, e3j, e3x, mace, mlip
from benchmarks.peers import e3nn as e3nn_peer
from benchmarks.peers.contender import Unavailable, Work
from benchmarks.tensor_products.verification import WrongProductError, verify
from equijax.graphs import PaddingBudget, molecular_graph, pad_batch
from equijax.groups import SO

PEERS = (e3nn_peer, e3x, e3j, cuequivariance, mlip)


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.NAME)
@pytest.mark.parametrize("work", [Work(2, 2), Work(1, 2), Work(2, 2, "all")], ids=str)
def test_installed_peers_couple_every_path_as_we_do(peer, work):
    try:
        found = verify(peer.make, work)
    except Unavailable as why:
        pytest.skip(str(why))
    assert found.paths == len(work.couplings())
    assert found.error < 2e-5


def test_work_counts_the_known_numbers_of_paths():
    even = {1: 4, 2: 11, 3: 23, 4: 42, 6: 106, 8: 215, 10: 381}
    every = {1: 5, 2: 15, 3: 34, 4: 65, 6: 175, 8: 369, 10: 671}
    assert {l: len(Work(l, l).couplings()) for l in even} == even
    assert {l: len(Work(l, l, "all").couplings()) for l in every} == every
    for l in (1, 3):
        kept = [ir for _, ir in Work(l, l, "all").kept()]
        irreps = Work(l, l).natural
        assert e3nn.tensor_product(irreps, irreps, filter_ir_out=kept).num_irreps == every[l]


def test_weights_of_a_peer_reach_their_paths_alone():
    work = Work(2, 2, batch=2, channels=3)
    one = e3nn_peer.make(work)
    x, y = np.random.default_rng(0).normal(size=(2, 2, 3, 9)).astype(np.float32)
    parts = [one.signals(one.function(x, y, weights)) for weights in np.eye(11, dtype=np.float32)]
    np.testing.assert_allclose(sum(parts), one.signals(one.function(x, y, one.weights)), atol=1e-5)
    assert all(np.abs(part).max() > 1e-3 for part in parts)


def test_wrong_products_are_refused():
    def changed(change):
        def make(work):
            one = e3nn_peer.make(work)
            return dataclasses.replace(one, function=lambda x, y, w: change(one.function(x, y, w), x, y))

        return make

    with pytest.raises(WrongProductError, match=r"does not couple \(0, 0, 0\)"):
        verify(changed(lambda z, x, y: z.at[..., 0].set(0.0)), Work(1, 1))
    with pytest.raises(WrongProductError, match=r"couples \(0, 1, 0\), where there is no path"):
        verify(changed(lambda z, x, y: z.at[..., 0].add(x[..., 0] * y[..., 1])), Work(1, 1))
    with pytest.raises(WrongProductError, match=r"couples \(0, 1, 1\) otherwise"):
        verify(changed(lambda z, x, y: z.at[..., 1].multiply(2.0)), Work(1, 1))


def test_what_is_not_installed_says_how_to_install_it():
    with pytest.raises(Unavailable, match=r"no_such_library is not installed \(pip install"):
        contender.require("numpy", "no_such_library")


def molecule(positions):
    """An oxygen atom and hydrogen atoms."""
    return molecular_graph([8, *[1] * (len(positions) - 1)], positions, 3.0, species=(1, 8))


def mace_or_skip(batch):
    try:
        return mace.make(
            numbers=(1, 8),
            cutoff=3.0,
            lmax=1,
            num_interactions=1,
            order=2,
            radial_hidden=(8,),
            avg_num_neighbors=2.0,
            num_parameters=700,
            graph=batch,
        )
    except Unavailable as why:
        pytest.skip(str(why))


def test_mace_gets_our_batches_right():
    random = np.random.default_rng(0)
    positions = [random.normal(size=(n, 3)) for n in (3, 4)]
    graphs = [molecule(p) for p in positions]
    batch = pad_batch(graphs, PaddingBudget(10, 30, 3))
    model = mace_or_skip(batch)
    variables = jax.jit(model.init)(jax.random.key(0), batch)
    size = sum(leaf.size for leaf in jax.tree.leaves(variables))
    assert abs(size / 700 - 1) < 0.2
    apply = jax.jit(model.apply)
    energies = np.asarray(apply(variables, batch))
    assert energies[2] == 0
    rotation = np.asarray(SO(3).sample(jax.random.key(1)), np.float64)
    moved = [molecule(p @ rotation.T + 1.0) for p in positions]
    # In the other order, too: padding and the neighbours in the batch must not matter.
    other = np.asarray(apply(variables, pad_batch(moved[::-1], PaddingBudget(10, 30, 3))))
    np.testing.assert_allclose(other[[1, 0]], energies[:2], rtol=1e-4)
    stretched = [molecule(0.8 * positions[0]), graphs[1]]
    changed = np.asarray(apply(variables, pad_batch(stretched, PaddingBudget(10, 30, 3))))
    assert abs(changed[0] - energies[0]) > 1e-4
    np.testing.assert_allclose(changed[1], energies[1], rtol=1e-4)

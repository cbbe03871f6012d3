"""The symmetry of sequence models, of scanned layers and of a potential; the groups are counted by hand."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import Power, symmetry

SIZES = {
    # The stream, tied to the embedding; in each block 2 heads, 4 features of values (rotary positions hold
    # those of queries and keys), and 10 hidden units, of which gate and value move together.
    "causal lm": [8] + [2, 4, 10] * 2,
    # 2 heads, 4 features of queries and keys, 4 of values, though one layer computes all three.
    "fused attention": [2, 4, 4],
    "lstm": [6],
    "gru": [6],
    # The stream; the hidden units of each of the 3 layers are a group of their own, found as one family.
    "scanned layers": [5, 7],
}


@pytest.mark.parametrize("name", SIZES)
def test_groups_are_the_true_ones_and_leave_outputs_unchanged(name, models, changes, half_moved, x64):
    case = models.CASES[name]()
    group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
    assert sorted(each.size for each in group.groups) == sorted(SIZES[name])
    assert changes(group, case).max() < 1e-10
    assert half_moved(group, case) > 1e-4


def test_scanned_layers_have_a_permutation_each(models):
    case = models.CASES["scanned layers"]()
    group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
    (family,) = (each for each in group.groups if each.over)
    assert family.over == (3,)
    assert isinstance(group.factors[family.piece[0]], Power)
    g = group.sample(jax.random.key(0))
    assert not np.array_equal(g[family.piece[0]][0], g[family.piece[0]][1])


def test_rotary_positions_are_what_holds_queries_and_keys(models):
    case = models.case(dataclasses.replace(models.CausalLM(), rope=False), models.TOKENS)
    group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
    assert sorted(each.size for each in group.groups) == sorted([8] + [2, 4, 4, 10] * 2)


def test_gaunt_potential(models, quick_jit, x64):
    # Channels of the embedding and of both layers' convolutions, many-body steps and results, and the hidden
    # units of the two radial networks and of the read-out.
    case = models.CASES["gaunt potential"]()
    group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
    assert sorted(each.size for each in group.groups) == [4] * 5 + [5] * 2 + [16] + [32] * 4
    g = group.sample(jax.random.key(0))
    inputs = jax.tree.map(jnp.asarray, case.inputs)
    energies = quick_jit(lambda variables: case.apply_fn(variables, *inputs))
    before, after = energies(case.variables), energies(group.act(g, case.variables))
    # The energies are in single precision, as the positions are.
    np.testing.assert_allclose(after, before, rtol=1e-5)
    shuffled = jax.tree.map(lambda leaf: np.flip(leaf, -1), case.variables)
    assert np.abs(energies(shuffled) - before).max() > 1e-2

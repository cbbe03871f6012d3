"""Matrices: invertible and orthogonal ones where they hold, exactly, and where they must not be found."""

import dataclasses

import flax.linen as nn

from equijax.groups import GL, O
from equijax.weights import KINDS, Diagonal, symmetry


def found(case, kinds=KINDS, **options):
    return symmetry(case.apply_fn, case.variables, *case.inputs, kinds=kinds, verify=False, **options)


def test_attention_without_rotation_mixes_queries_and_values(models, changes, x64):
    case = models.CASES["vit"]()
    group = found(case, ("permutation", "invertible"))
    assert [each.group for each in group.groups].count(GL(3)) == 4
    assert changes(group, case).max() < 1e-9


def test_each_head_has_matrices_of_its_own_in_wreath_form(models, changes, x64):
    case = models.CASES["vit"]()
    group = found(case, ("permutation", "invertible"), heads="wreath")
    assert [each.over for each in group.groups if each.group == GL(3)] == [(2,)] * 4
    assert changes(group, case).max() < 1e-9


def test_rotary_positions_leave_scales_of_pairs_only(models, changes, x64, change):
    case = models.CASES["causal lm"]()
    group = found(case)
    kinds = [each.group for each in group.groups]
    assert kinds.count(GL(4)) == 2
    assert kinds.count(Diagonal(2, scales=1, signs=1)) == 2
    assert changes(group, case).max() < 1e-9
    without = models.case(dataclasses.replace(models.CausalLM(), rope=False), models.TOKENS)
    mixing = found(without, ("invertible",))
    assert [each.group for each in mixing.groups] == [GL(4)] * 4
    assert change(mixing, without) < 1e-9
    assert change(mixing, case) > 1e-2


def norm(kind):
    return {
        "rms": lambda: nn.RMSNorm(use_scale=False),
        "rms with a gain": nn.RMSNorm,
        "layer": lambda: nn.LayerNorm(use_scale=False, use_bias=False),
    }[kind]


def test_streams_under_root_mean_square_norms_are_orthogonal(models, changes, x64, change):
    case = models.case(models.CausalLM(norm=norm("rms")), models.TOKENS)
    group = found(case, ("orthogonal",))
    assert O(8) in [each.group for each in group.groups]
    assert changes(group, case).max() < 1e-9
    for other in ("rms with a gain", "layer"):
        negative = models.case(models.CausalLM(norm=norm(other)), models.TOKENS)
        assert O(8) not in [each.group for each in found(negative).groups]
    assert change(group, models.case(models.CausalLM(norm=norm("layer")), models.TOKENS)) > 1e-2


def test_linear_streams_are_invertible_and_others_not(models, changes, x64, change):
    linear = models.case(models.MLP(activation=lambda x: x), models.FEATURES)
    group = found(linear)
    assert [each.group for each in group.groups] == [GL(6), GL(7)]
    assert changes(group, linear).max() < 1e-9
    relu = models.case(models.MLP(activation=nn.relu), models.FEATURES)
    assert all(not isinstance(each.group, GL | O) for each in found(relu).groups)
    assert change(group, relu) > 1e-2


def test_orthogonal_alone_is_a_subgroup_of_invertible(models, x64, change):
    linear = models.case(models.MLP(activation=lambda x: x), models.FEATURES)
    group = found(linear, ("orthogonal",))
    assert [each.group for each in group.groups] == [O(6), O(7)]
    assert change(group, linear) < 1e-12

from fractions import Fraction

import pytest

from equijax.groups import S
from equijax.weights import KINDS, Diagonal, Monomial, symmetry
from equijax.weights.movers import Generators, _independent


def test_dependent_columns_add_no_symmetry():
    forms = [{0: 1, 1: 2}, {0: -1, 1: -2}, {2: 1}]
    assert [unknown for unknown, _ in _independent(forms, modulo=False).columns] == [0, 2]
    assert [unknown for unknown, _ in _independent(forms, modulo=True).columns] == [0, 2]


def test_powers_are_whole_numbers_and_begin_positive():
    generators = _independent([{3: Fraction(-1, 2)}, {3: Fraction(2, 3)}], modulo=False)
    assert generators == Generators(((3, -6),))
    assert generators.powers({3: Fraction(-1, 2)}) == (3,)


def test_kinds_are_found_as_asked(models):
    case = models.case(models.MLP(activation=lambda x: x**3), models.FEATURES)

    def groups(*kinds):
        found = symmetry(case.apply_fn, case.variables, *case.inputs, kinds=kinds, verify=False)
        return [each.group for each in found.groups][:1]

    assert groups("permutation") == [S(6)]
    assert groups("scale") == [Diagonal(6, scales=1)]
    assert groups("scale", "sign") == [Diagonal(6, scales=1, signs=1)]
    assert groups("permutation", "sign") == [Monomial(6, signs=1)]
    assert groups(*KINDS) == [Monomial(6, scales=1, signs=1)]
    assert groups("orthogonal", "invertible") == groups() == []


def test_powers_tell_how_each_parameter_scales(models):
    case = models.case(models.MLP(activation=lambda x: x**3), models.FEATURES)
    found = symmetry(case.apply_fn, case.variables, *case.inputs, kinds=("scale",), verify=False)
    scales = {
        axis.path: part.scale
        for axis in found.groups[0].axes
        for part in axis.parts
        if part.path == found.groups[0].piece
    }
    assert scales == {
        "params/Dense_0/bias": (1,),
        "params/Dense_0/kernel": (1,),
        "params/Dense_1/kernel": (-3,),
    }


@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_free_arrays_take_part(side, models):
    case = models.case(models.MLP(), models.FEATURES)
    found = symmetry(case.apply_fn, case.variables, *case.inputs, kinds=KINDS, free=(side,))
    assert len(found.groups) == 3
    assert found.verification.holds

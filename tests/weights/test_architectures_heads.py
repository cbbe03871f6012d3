"""The larger groups that move the features of each attention head, or the channels of each group, alone."""

import pytest

from equijax.weights import symmetry


def test_single_precision(models, changes):
    case = models.CASES["resnet with batch norm"]()
    group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
    assert changes(group, case, "float32").max() < 1e-5


@pytest.mark.parametrize("name", ["vit", "resnet with group norm", "grouped convolutions"])
def test_wreath_products_move_within_each_head(name, models, changes, x64):
    case = models.CASES[name]()
    group = symmetry(case.apply_fn, case.variables, *case.inputs, heads="wreath", verify=False)
    product = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
    assert group.order > product.order
    assert changes(group, case).max() < 1e-10
    within = [each for each in group.groups if each.over]
    assert len(within) == {"vit": 4, "resnet with group norm": 6, "grouped convolutions": 2}[name]

"""The symmetry of image models that nobody wrote for it; the groups are counted by hand."""

import numpy as np
import pytest

from equijax.weights import symmetry

# For each model the sizes of its groups of neurons.
SIZES = {
    "mlp": [6, 7],
    "cnn": [4, 6, 5],
    "vgg": [4, 4, 6, 6, 8, 5],
    # A stem and two streams; the first stage has 2 inner layers of 4, the second 2 of 8.
    "resnet with batch norm": [4, 4, 4, 8, 8, 8],
    "resnet with layer norm": [4, 4, 4, 8, 8, 8],
    # Channels are 2 groups of 2 or of 4.
    "resnet with group norm": [2, 2] * 3 + [2, 4] * 3,
    # The stem's 4 channels, 3 layers of growth 3 with 6 inner channels each.
    "densenet": [4, 6, 3, 6, 3, 6, 3],
    # Depthwise convolutions tie the 8 channels around them.
    "mobilenet": [4, 8, 8],
    # 6 channels are 3 groups of 2, 12 are 3 groups of 4; the groups move together.
    "grouped convolutions": [3, 2, 4],
    "u-net": [4, 6, 8, 6, 5, 7],
    # The stream, and in each block the hidden layer, 2 heads, 3 features of queries and 3 of values.
    "vit": [8] + [10, 2, 3, 3] * 2,
    # The stream, and hidden layers over tokens and over channels.
    "mixer": [8, 5, 7, 5, 7],
}


@pytest.mark.parametrize("name", SIZES)
def test_groups_are_the_true_ones_and_leave_outputs_unchanged(name, models, changes, half_moved, x64):
    case = models.CASES[name]()
    group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
    assert sorted(each.size for each in group.groups) == sorted(SIZES[name])
    assert changes(group, case).max() < 1e-10
    assert half_moved(group, case) > 1e-4


def test_every_axis_is_accounted_for(models):
    case = models.CASES["u-net"]()
    group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
    moving = {(axis.path, axis.axis) for each in group.groups for axis in each.axes}
    rigid = {(each.path, each.axis) for each in group.rigid}
    params = case.variables["params"]
    for module, leaves in params.items():
        for leaf, value in leaves.items():
            for axis, size in enumerate(np.shape(value)):
                place = f"params/{module}/{leaf}", axis
                assert (place in moving) + (place in rigid) == (size > 1)
    reasons = {each.path: each.reason for each in group.rigid if each.axis == 0}
    assert reasons["params/Conv_0/kernel"] == "spatial axis of a convolution in UNet/Conv_0"
    assert {each.reason for each in group.rigid if each.path == "params/Conv_5/bias"} == {"axis of an output"}

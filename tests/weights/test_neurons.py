from equijax.groups import S
from equijax.weights.neurons import NeuronGroup, ParameterAxis, RigidAxis, unique_names
from equijax.weights.parts import Part


def test_reports_read_well():
    axis = ParameterAxis("params/Dense_0/kernel", 1, (Part(2), Part(3, path=(0,))), (0,))
    assert str(axis) == "params/Dense_0/kernel[1]"
    assert axis.positions().tolist() == [[0, 3], [1, 4], [2, 5]]
    group = NeuronGroup("Dense_0", 3, S(3), (axis,), (0,), over=(4, 2))
    assert str(group) == "Dense_0: S(3), one for each of 4 x 2 on params/Dense_0/kernel[1]"
    assert str(RigidAxis("b", 0, 3, "sorted")) == "b[0] (3): sorted"


def test_names_are_unique():
    assert unique_names(["a", "a", "b", "a"]) == ["a", "a (2)", "b", "a (3)"]

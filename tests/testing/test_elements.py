import jax
import numpy as np

from equijax import groups
from equijax.testing.elements import kinds, sample


def test_each_factor_by_itself():
    group = groups.S(4) * groups.E(3) * groups.Cyclic(3)
    found = kinds(group, jax.random.key(0), num=3, dtype="float32")
    assert [kind.name for kind in found] == ["S(4)", "E(3) turns", "E(3) shifts", "Cyclic(3)"]
    assert [kind.is_finite for kind in found] == [True, False, False, True]
    identity = group.identity((3,))
    for index, kind in zip((0, 1, 1, 2), found, strict=True):
        group.check_element("element", kind.elements)
        for factor in range(3):
            same = jax.tree.map(np.array_equal, kind.elements[factor], identity[factor])
            assert all(jax.tree.leaves(same)) is (factor != index)
    permutations, turns, shifts, _ = found
    assert permutations.permutations.shape == (3, 4)
    assert turns.permutations is None
    assert not np.any(turns.elements[1].translation)
    np.testing.assert_array_equal(shifts.elements[1].linear, identity[1].linear)
    assert np.all(np.abs(shifts.elements[1].translation) > 0)


def test_groups_that_are_no_products():
    [kind] = kinds(groups.SO(3), jax.random.key(0), num=2, dtype="float32")
    assert kind.name == "SO(3)"
    assert kind.elements.shape == (2, 3, 3)
    [kind] = kinds(groups.S(3), jax.random.key(0), num=2, dtype="float32")
    np.testing.assert_array_equal(kind.permutations, kind.elements)


def test_sample_is_the_groups_own():
    expected = groups.O(3).sample(jax.random.key(1), (4,), "float32")
    got = sample(groups.O(3), jax.random.key(1), num=4, dtype="float32")
    np.testing.assert_allclose(got, expected, atol=1e-6)

import numpy as np

from equijax.groups import GL, S, linear_part
from equijax.weights import Power, Wreath
from equijax.weights.assembly import Assignment, Home, Mover, action, arrange
from equijax.weights.occurrences import Occurrences
from equijax.weights.propagation import Propagation

SIZES = {100: 5, 101: 7}
LAYERS, ENSEMBLE = 100, 101


def stacks(*leaves):
    return frozenset(leaves)


def test_families_over_frozen_leaves_are_powers():
    groups, homes = arrange([Mover(0, S(3)), Mover(1, S(4), stacks(LAYERS, ENSEMBLE))], SIZES)
    assert groups == (S(3), Power(Power(S(4), 7), 5))
    assert homes == [Home((0,), ()), Home((1,), (LAYERS, ENSEMBLE))]
    assert groups[1].identity().shape == (5, 7, 4)


def test_families_over_moving_leaves_are_wreath_products():
    movers = [
        Mover(0, S(2), stacks(LAYERS)),
        Mover(1, S(3), stacks(LAYERS), frozenset({0})),
        Mover(2, GL(4), stacks(LAYERS, ENSEMBLE), frozenset({0})),
    ]
    groups, homes = arrange(movers, SIZES)
    assert groups == (Power(Wreath(S(2), (S(3), Power(GL(4), 7))), 5),)
    assert homes == [
        Home((0, 0), (LAYERS,)),
        Home((0, 1, 0), (LAYERS, 0)),
        Home((0, 1, 1), (LAYERS, 0, ENSEMBLE)),
    ]
    assert linear_part(groups[0].identity()[1][1]).shape == (5, 2, 7, 4, 4)


def test_wreath_products_nest():
    movers = [Mover(0, S(2)), Mover(1, S(3), blocks=frozenset({0})), Mover(2, S(4), blocks=frozenset({0, 1}))]
    groups, homes = arrange(movers, {})
    assert groups == (Wreath(S(2), (Wreath(S(3), (S(4),)),)),)
    assert homes[2] == Home((0, 1, 0, 1, 0), (0, 1))


def test_of_two_families_over_each_other_the_first_is_the_base():
    movers = [Mover(0, S(2), blocks=frozenset({1})), Mover(1, S(3), blocks=frozenset({0}))]
    assert arrange(movers, {})[0] == (Wreath(S(2), (S(3),)),)


def test_a_base_in_fewer_stacks_is_needed():
    movers = [Mover(0, S(2), stacks(LAYERS)), Mover(1, S(3), blocks=frozenset({0}))]
    assert arrange(movers, SIZES)[0] == (Power(S(2), 5), S(3))


def test_actions_follow_sums_and_products():
    walk = Propagation()
    x = walk.data((14, 1, 0))
    heads, features, rest = walk.factors.new(2), walk.factors.new(4), walk.factors.new(6)
    walk.factors.unify(x.axes[0], walk.factors.join([heads + features, rest]))
    assigned = {(0, 0, 1): Assignment(0), (0, 8, 1): Assignment(1, sign=(1,))}
    found = action(Occurrences(walk), x, assigned, [Home((0,), (heads[0],)), Home((1,), ())], ((0,), 2))
    (joined,) = found.axes[0]
    assert [[(part.size, part.path, part.over, part.sign) for part in axis] for axis in joined.segments] == [
        [(2, None, (), ()), (4, (0,), (heads[0],), ())],
        [(6, (1,), (), (1,))],
    ]
    assert found._shape(None) == (14, 1, 0)
    assert np.size(found.axes[1]) == 0

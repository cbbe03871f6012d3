import pytest

from equijax.weights.factors import Factors, Free


@pytest.fixture
def factors():
    return Factors()


def same(factors, a, b):
    return factors.expand(a) == factors.expand(b)


def test_equal_leaves_are_united_and_stay_frozen(factors):
    a, b = factors.new(5), factors.new(5, "held")
    assert factors.unify(a, b)
    assert same(factors, a, b)
    assert factors.reason(factors.expand(a)[0]) == "held"


def test_a_leaf_that_meets_a_product_becomes_one(factors):
    whole, outer, inner = factors.new(24), factors.new(2), factors.new(12)
    assert factors.unify(whole, outer + inner)
    assert factors.unify(whole, factors.new(6) + factors.new(4))
    assert [factors.size((leaf,)) for leaf in factors.expand(whole)] == [2, 3, 4]


def test_products_that_do_not_fit_are_frozen(factors):
    a, b = factors.new(4) + factors.new(9), factors.new(6) + factors.new(6)
    assert not factors.unify(a, b, "no fit")
    assert {factors.reason(leaf) for leaf in factors.expand(a) + factors.expand(b)} == {"no fit"}


def test_sums_are_cut_at_each_others_boundaries(factors):
    a = factors.join([factors.new(5), factors.new(4)])
    b = factors.join([factors.new(2), factors.new(7)])
    assert factors.unify(a, b)
    sizes = [factors.size((each.leaf,)) for each in factors.occurrences(a)]
    assert sizes == [2, 3, 4]
    assert [e.leaf for e in factors.occurrences(a)] == [e.leaf for e in factors.occurrences(b)]


def test_a_sum_distributes_over_the_factors_behind_it(factors):
    heads, features = factors.new(6), factors.new(4)
    pieces = factors.cut(heads + features, [8], "cut")
    assert [factors.size(piece) for piece in pieces] == [8, 16]
    assert factors.expand(pieces[0])[-1] == features[0]
    found = [(each.start, each.stride) for each in factors.occurrences(heads + features)]
    assert found == [(0, 4), (8, 4), (0, 1)]


def test_cuts_inside_a_product_freeze_it(factors):
    axis = factors.new(3) + factors.new(4)
    pieces = factors.cut(axis, [6], "cut in a head")
    assert [factors.size(piece) for piece in pieces] == [6, 6]
    assert {factors.reason(leaf) for leaf in factors.expand(axis)} == {"cut in a head"}


def test_a_leaf_that_stands_twice_is_cut_in_both_places(factors):
    leaf = factors.new(4)
    twice = factors.join([leaf, leaf])
    factors.cut(twice, [1], "cut")
    assert [(e.start, factors.size((e.leaf,))) for e in factors.occurrences(twice)] == [(1, 3), (5, 3)]


def test_nested_sums_and_free_axes(factors):
    inner = factors.join([factors.new(2), factors.new(3)])
    outer = factors.join([inner, factors.new(4)])
    assert factors.unify(outer, factors.new(9))
    assert factors.unify(outer, Free(9))
    assert [e.start for e in factors.occurrences(outer)] == [0, 2, 5]
    factors.freeze(outer, "all")
    assert all(factors.reason(e.leaf) == "all" for e in factors.occurrences(outer))


def test_siblings_of_an_occurrence_are_the_factors_around_it(factors):
    heads, features = factors.new(3), factors.join([factors.new(2), factors.new(4)])
    found = {e.leaf: [leaf for leaf, _ in e.siblings] for e in factors.occurrences(heads + features)}
    first, second = (part[0] for part in factors.parts(features[0]))
    assert found[first] == found[second] == [heads[0]]
    assert found[heads[0]] == [features[0]]

from equijax.weights.nest import Place
from equijax.weights.occurrences import Occurrences
from equijax.weights.propagation import Propagation


def test_keys_tell_start_and_stride():
    walk = Propagation()
    x = walk.data((12, 5))
    walk.factors.unify(x.axes[0], walk.factors.new(3) + walk.factors.new(4))
    walk.factors.cut(x.axes[1], [2], "cut")
    assert set(Occurrences(walk).of(x)) == {(0, 0, 4), (0, 0, 1), (1, 0, 1), (1, 2, 1)}


def test_the_axes_of_loops_count():
    walk = Propagation()
    walk.scope = (walk.axis(7),)
    x = walk.array([walk.axis(3)])
    assert set(Occurrences(walk).of(x)) == {(-1, 0, 1), (0, 0, 1)}


def test_runs_follow_a_loop_variable_leaf_by_leaf():
    walk = Propagation()
    x, y = walk.data((6,)), walk.data((6,))
    walk.tie(x.axes[0], y.axes[0])
    walk.move([x], y, (Place(x, 0), Place(y, 0)))
    walk.factors.cut(x.axes[0], [2], "cut")
    runs = list(Occurrences(walk).runs(walk.nests[0]))
    assert [[key for _, key in run.places] for run in runs] == [[(0, 0, 1)] * 2, [(0, 2, 1)] * 2]


def test_axes_that_do_not_fit_are_told():
    walk = Propagation()
    x, y = walk.data((6,)), walk.data((6,))
    walk.move([x], y, (Place(x, 0), Place(y, 0)))
    (run,) = Occurrences(walk).runs(walk.nests[0])
    assert run.leaf == -1
    assert len(run.places) == 2

import numpy as np

from equijax.testing.shrinking import simplify


def test_keeps_what_the_failure_needs():
    start = [np.random.default_rng(0).normal(size=(4, 3)), np.array([0.31, 0.77])]

    def fails(leaves):
        return leaves[0][2, 1] < -0.1 and leaves[1][0] > 0.25

    start[0][2, 1] = -1.66
    result = simplify(start, [True, True], fails, zeros=True)
    assert fails(result)
    expected = np.zeros((4, 3))
    expected[2, 1] = -2.0
    np.testing.assert_array_equal(result[0], expected)
    np.testing.assert_array_equal(result[1], [0.3, 0.0])


def test_without_zeros_only_digits_go():
    result = simplify([np.array([2.31, 4.77])], [True], lambda leaves: leaves[0][1] > 4.75, zeros=False)
    np.testing.assert_array_equal(result[0], [2.0, 5.0])


def test_fixed_leaves_stay_and_trials_are_few():
    trials = []

    def fails(leaves):
        trials.append(leaves)
        return False

    start = [np.arange(1.0, 900.0) + 0.25, np.array([1.25])]
    result = simplify(start, [True, False], fails, zeros=True)
    np.testing.assert_array_equal(result[0], start[0])
    assert len(trials) == 300
    assert all(leaves[1] is start[1] for leaves in trials)

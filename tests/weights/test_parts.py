import numpy as np

from equijax.weights.parts import Joined, Part, parts_in, positions, size_of

NEURONS, OTHERS, STILL = Part(3, path=(0,)), Part(2, path=(1,)), Part(4)


def test_positions_in_a_product():
    axis = (OTHERS, NEURONS, STILL)
    grid = np.arange(24).reshape(2, 3, 4)
    assert size_of(axis) == 24
    rows = positions(axis, (0,))
    assert [sorted(row) for row in rows] == [sorted(grid[:, i].ravel()) for i in range(3)]
    assert [sorted(row) for row in positions(axis, (1,))] == [list(range(12)), list(range(12, 24))]


def test_positions_in_a_sum_within_a_product():
    axis = (STILL, Joined(((NEURONS,), (OTHERS,), (NEURONS, OTHERS))))
    grid = np.arange(4 * 11).reshape(4, 11)
    expected = [[*grid[:, i], *grid[:, 5 + 2 * i], *grid[:, 6 + 2 * i]] for i in range(3)]
    assert [sorted(row) for row in positions(axis, (0,))] == [sorted(row) for row in expected]
    assert [part.size for part in parts_in(axis)] == [4, 3, 2, 3, 2]


def test_a_piece_that_is_not_there_has_no_positions():
    assert positions((STILL,), (0,)).shape == (0, 0)

import random
from fractions import Fraction

import numpy as np
import pytest

from equijax.weights.forms import Equations


@pytest.mark.parametrize("modulus", [None, 2])
@pytest.mark.parametrize("seed", range(5))
def test_solutions_are_the_null_space(seed, modulus):
    generator = random.Random(seed)
    system, matrix = Equations(modulus), np.zeros((6, 9), int)
    for _ in range(9):
        system.unknown()
    for row in matrix:
        row[generator.sample(range(9), 3)] = [generator.choice([-2, -1, 1, 3]) for _ in range(3)]
        system.vanish({i: int(value) for i, value in enumerate(row) if value})
    free = [i for i in range(9) if system.reduce({i: 1}) == {i: 1}]
    rank = np.linalg.matrix_rank(matrix) if modulus is None else _rank_modulo_two(matrix)
    assert len(free) == 9 - rank
    for chosen in free:
        solution = [Fraction(system.reduce({i: 1}).get(chosen, 0)) for i in range(9)]
        values = [sum(int(c) * s for c, s in zip(row, solution, strict=True)) for row in matrix]
        assert all(value % 2 == 0 if modulus else value == 0 for value in values)


def _rank_modulo_two(matrix):
    rows = [int("".join(str(value % 2) for value in row), 2) for row in matrix]
    rank = 0
    while rows:
        pivot = rows.pop()
        if pivot:
            rank += 1
            lowest = pivot & -pivot
            rows = [row ^ pivot if row & lowest else row for row in rows]
    return rank


def test_forms_that_come_in_are_not_changed():
    system, form = Equations(), {0: 1, 1: 1}
    system.vanish(form)
    assert form == {0: 1, 1: 1}
    assert system.reduce({1: 2}) == {0: -2}


def test_chains_of_equalities_are_followed():
    system = Equations()
    for i in range(2000):
        system.equate({i: 1}, {i + 1: 1})
    assert system.reduce({2000: 1}) == {0: 1}

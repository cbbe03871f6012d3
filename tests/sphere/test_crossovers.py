"""The table of measured crossovers: well formed, and obeyed."""

import itertools

import jax
import numpy as np
import pytest

from equijax import sphere
from equijax.sphere import crossovers
from equijax.sphere.gaunt import METHODS


def test_table_is_well_formed():
    table = crossovers.crossover_table()
    assert "default" in table
    assert "cpu" in table
    for entry in table.values():
        limits = [row["up_to"] for row in entry["methods"]]
        assert limits[-1] is None
        assert limits[:-1] == sorted(set(limits[:-1]))
        assert all(row["method"] in METHODS for row in entry["methods"])
        assert not {"auto", "fourier"} & {row["method"] for row in entry["methods"]}
        assert entry["measured"] is None or {"device", "jax", "rows"} <= set(entry["measured"])


def test_limits_are_inclusive_and_unknown_back_ends_take_the_default():
    table = crossovers.crossover_table()
    for backend in ("cpu", "default"):
        rows = table[backend]["methods"]
        for row, after in itertools.pairwise(rows):
            limit = row["up_to"]
            assert sphere.method_for(limit, 0, 0, backend) == row["method"]
            assert sphere.method_for(0, limit, 1, backend) == after["method"]
    assert sphere.method_for(50, 50, 50, "abacus") == table["default"]["methods"][-1]["method"]


def test_auto_is_that_method(monkeypatch):
    x = np.random.default_rng(0).normal(size=16).astype(np.float32)
    for method in ("direct", "grid", "separable"):
        table = {"default": {"measured": None, "methods": [{"up_to": None, "method": method}]}}
        monkeypatch.setattr(crossovers, "crossover_table", lambda table=table: table)
        found, named = (sphere.gaunt_product(x, x, method=name) for name in ("auto", method))
        assert np.array_equal(found, named)


def test_default_back_end_is_the_one_in_use():
    assert sphere.method_for(3, 3, 3) == sphere.method_for(3, 3, 3, jax.default_backend())


def test_wrong_calls_name_the_argument():
    with pytest.raises(ValueError, match="lmax must be a number of at least 0, got -1"):
        sphere.method_for(1, 1, -1)

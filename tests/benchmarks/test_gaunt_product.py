"""The benchmark of Gaunt products: its methods do the work that it says."""

import e3nn_jax as e3nn
import numpy as np
import pytest

from benchmarks import gaunt_product
from benchmarks.framework import cli


@pytest.mark.parametrize(("lmax", "paths"), [(1, 4), (2, 11), (3, 23)])
def test_both_kinds_of_products_have_the_same_couplings(lmax, paths):
    assert gaunt_product.num_paths(lmax) == paths
    irreps = gaunt_product.natural(lmax)
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 30, irreps.dim)).astype(np.float32)
    expected = gaunt_product.gaunt(x, y, None, lmax=lmax, method="direct")
    # With the right weights of the paths, the Clebsch-Gordan product is the Gaunt product.
    basis = np.stack([gaunt_product.clebsch_gordan(x, y, weights, lmax=lmax) for weights in np.eye(paths)])
    columns = basis.reshape(paths, -1).T
    weights, *_ = np.linalg.lstsq(columns, np.ravel(expected), rcond=None)
    np.testing.assert_allclose(columns @ weights, np.ravel(expected), atol=1e-4)
    assert np.abs(weights).min() > 1e-2


def test_methods_of_a_size_share_their_signals_and_agree():
    by_size = {}
    for case in gaunt_product.cases(quick=True):
        by_size.setdefault(case.size, []).append(case)
    assert sorted(by_size) == [1, 2]
    for group in by_size.values():
        assert len(group) == 4
        results = [np.asarray(case.function(*case.arguments)) for case in group]
        assert {result.shape for result in results} == {(8, 128, results[0].shape[-1])}
        for result in results[1:3]:
            np.testing.assert_allclose(result, results[0], atol=1e-4)
        assert all(case.arguments[0] is group[0].arguments[0] for case in group)


def test_quick_run_ends_with_a_table(capsys):
    assert cli.main(["gaunt_product", "--quick"]) == 0
    printed = capsys.readouterr().out
    assert "Clebsch-Gordan, e3nn-jax" in printed
    assert "L=2" in printed


def test_irreps_are_those_of_signals():
    assert gaunt_product.natural(2) == e3nn.Irreps("0e+1o+2e")

import jax
import numpy as np
import pytest

from equijax.groups import Sp, symplectic_form


@pytest.mark.parametrize("group", [Sp(1), Sp(2, bound=3.0)], ids=repr)
def test_samples_keep_the_form_and_the_bound(group, x64):
    matrices = np.asarray(group.sample(jax.random.key(0), (500,)).matrix)
    form = symplectic_form(group.n)
    np.testing.assert_allclose(np.swapaxes(matrices, 1, 2) @ form @ matrices - form, 0, atol=1e-11)
    values = np.linalg.svd(matrices, compute_uv=False)
    assert 0.8 * group.bound < values.max() <= group.bound * (1 + 1e-9)
    np.testing.assert_allclose(values, 1 / values[:, ::-1], rtol=1e-9)


def test_algebra_is_hamiltonian():
    for n in (1, 2, 3):
        basis, form = Sp(n).algebra_basis(), symplectic_form(n)
        assert len(basis) == n * (2 * n + 1)
        np.testing.assert_array_equal(form @ basis, np.swapaxes(form @ basis, 1, 2))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="n must be a number of at least 1, got 0"):
        Sp(0)
    with pytest.raises(ValueError, match="bound must be a number above 1, got 1"):
        Sp(1, bound=1)

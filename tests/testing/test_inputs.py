import numpy as np
import pytest

from equijax.testing import inputs


@pytest.mark.parametrize("kind", inputs.KINDS)
@pytest.mark.parametrize("shape", [(), (4,), (5, 3), (2, 5, 3), (1, 3), (0, 3)])
def test_shape_dtype_and_determinism(kind, shape):
    array = inputs.draw(kind, shape, seed=3, dtype="float64")
    assert array.shape == shape
    assert array.dtype == np.float64
    np.testing.assert_array_equal(array, inputs.draw(kind, shape, seed=3, dtype="float64"))
    assert np.isfinite(array).all()


def points(kind, **options):
    return inputs.draw(kind, (6, 3), dtype="float64", **options)


def test_kinds_are_what_they_say():
    seeds = range(20)
    ranks = {
        kind: {np.linalg.matrix_rank(np.diff(points(kind, seed=seed), axis=0), tol=1e-9) for seed in seeds}
        for kind in inputs.KINDS
    }
    assert ranks["zeros"] == ranks["coincident"] == {0}
    assert ranks["collinear"] == {1}
    assert max(ranks["coplanar"]) == 2
    assert ranks["normal"] == ranks["large"] == {3}
    assert np.abs(points("coincident")).max() > 0
    assert (points("repeated")[0] == points("repeated")[-1]).all()
    assert set(np.unique(points("ties"))) <= {-1, 0, 1}
    assert np.abs(points("large")).max() > 1e2
    assert 0 < np.abs(points("small")).max() < 1e-2


def test_scale():
    np.testing.assert_allclose(points("normal", scale=2.0), 2 * points("normal"))


def test_unknown_kind():
    with pytest.raises(ValueError, match=r"kind must be one of 'normal'.*got 'odd'"):
        inputs.draw("odd", (3,))

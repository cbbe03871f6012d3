import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import equijax as ej
from equijax.groups import SO, Irreps, LinearMap, MatrixGroup, O, Trivial, Vector

X_TURN, Z_TURN = SO(3).algebra_basis()[0], SO(3).algebra_basis()[2]
QUARTERS = [[[0, -1, 0], [1, 0, 0], [0, 0, 1]], [[0, 0, 1], [1, 0, 0], [0, 1, 0]]]


def test_algebras_are_completed_by_commutators():
    group = MatrixGroup("turns", algebra=[X_TURN, Z_TURN])
    np.testing.assert_allclose(np.abs(group.algebra_basis()), np.abs(SO(3).algebra_basis()[[0, 2, 1]]))
    upper, lower = [[0, 1], [0, 0]], [[0, 0], [1, 0]]
    assert MatrixGroup("SL(2)", algebra=[upper, lower]).algebra_dim == 3
    assert (
        MatrixGroup(
            "Heisenberg", algebra=[np.eye(3, k=1) * [0, 1, 0], np.eye(3, k=1) * [0, 0, 1]]
        ).algebra_dim
        == 3
    )
    # Linearly dependent generators are one; others are made orthogonal.
    group = MatrixGroup("two", algebra=[upper, np.add(upper, lower), np.multiply(2, upper)])
    gram = np.einsum("kij,lij->kl", group.algebra_basis(), group.algebra_basis())
    np.testing.assert_allclose(gram, np.diag(np.diag(gram)))


def test_finite_groups_are_listed_and_sampled_uniformly(x64):
    group = MatrixGroup("octahedral", discrete=QUARTERS)
    assert (group.order, group.is_finite, group.is_compact) == (24, True, True)
    matrices = np.asarray(group.elements())
    np.testing.assert_allclose(np.linalg.det(matrices), 1)
    drawn = np.asarray(group.sample(jax.random.key(0), (4800,)))
    counts = np.sum(np.all(np.abs(drawn[:, None] - matrices) < 1e-9, axis=(2, 3)), axis=0)
    assert scipy.stats.chisquare(counts).pvalue > 0.01


def test_infinite_discrete_groups_are_not_finite():
    for generator in ([[1, 1], [0, 1]], [[2, 0], [0, 1]], [[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]]):
        group = MatrixGroup("infinite", discrete=[generator])
        assert not group.is_finite
        with pytest.raises(ValueError, match="order is defined for finite groups only, got infinite"):
            _ = group.order


def test_random_words_belong_to_the_group(x64):
    reflection = np.diag([1.0, -1.0, 1.0])
    group = MatrixGroup("O(2)", algebra=[Z_TURN], discrete=[reflection], bound=2.0)
    matrices = np.asarray(group.sample(jax.random.key(0), (500,)))
    squares = matrices @ np.swapaxes(matrices, 1, 2)
    np.testing.assert_allclose(squares - np.eye(3), 0, atol=1e-12)
    np.testing.assert_allclose(matrices[:, 2, 2], 1, atol=1e-12)
    assert 0.3 < np.mean(np.linalg.det(matrices) > 0) < 0.7
    shears = MatrixGroup("shears", algebra=[[[0, 1], [0, 0]]], bound=3.0).sample(jax.random.key(0), (500,))
    assert 5 < np.abs(shears.matrix[:, 0, 1]).max() <= 6


def test_samplers_are_called_and_checked(x64):
    def haar(key, shape, dtype):
        return SO(3).sample(key, shape, dtype)

    group = MatrixGroup("sampled", sampler=haar, haar=True)
    key = jax.random.key(0)
    np.testing.assert_array_equal(group.sample(key, (4,)), SO(3).sample(key, (4,)))
    assert (group.size, group.is_compact, group.is_finite) == (3, True, False)
    assert group.discrete_generators().shape == (16, 3, 3)
    wrong = MatrixGroup("wrong", algebra=[Z_TURN], sampler=lambda key, shape, dtype: jnp.ones((*shape, 3)))
    with pytest.raises(ValueError, match=r"sampler\(.*\) must have shape \(5, n, n\), got \(5, 3\)"):
        wrong.sample(key, (5,))


def test_elements_are_arrays_where_irreps_act():
    assert Irreps("2e").shape(MatrixGroup("octahedral", discrete=QUARTERS)) == (5,)
    assert isinstance(MatrixGroup("boosts", algebra=[[[0, 1], [1, 0]]]).identity(), LinearMap)


def test_a_group_of_ones_own_is_tested_as_any_other():
    boosts = MatrixGroup("boosts", algebra=[[[0, 1], [1, 0]]])
    ej.testing.assert_equivariant(
        lambda x: x[..., 0] ** 2 - x[..., 1] ** 2,
        boosts,
        in_reps=(Vector(),),
        out_reps=Trivial(),
        dtype="float64",
    )
    with pytest.raises(AssertionError, match="not equivariant under boosts"):
        ej.testing.assert_equivariant(
            lambda x: x[..., 0] ** 2 + x[..., 1] ** 2, boosts, in_reps=(Vector(),), out_reps=Trivial()
        )
    mean = ej.equivariance.symmetrise(
        lambda x: x[..., 0] ** 2, MatrixGroup("octahedral", discrete=QUARTERS), (Vector(),), Trivial()
    )
    np.testing.assert_allclose(mean(jnp.array([3.0, 0.0, 0.0])), 3.0, rtol=1e-5)


def test_values_compare_by_name_and_generators():
    one, two = (MatrixGroup("turns", algebra=[Z_TURN]) for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    assert one != MatrixGroup("turns", algebra=[X_TURN])
    assert repr(one * O(2)) == "turns * O(2)"


WRONG = [
    (lambda: MatrixGroup("none"), ValueError, "algebra, discrete or sampler must be given, got none"),
    (lambda: MatrixGroup("a", algebra=np.ones((2, 3))), ValueError, r"algebra must hold .*got \(2, 3\)"),
    (
        lambda: MatrixGroup("a", discrete=[np.diag([1, np.nan])]),
        ValueError,
        "discrete must hold finite",
    ),
    (
        lambda: MatrixGroup("a", discrete=[np.diag([1, 0])]),
        ValueError,
        "discrete must hold invertible",
    ),
    (lambda: MatrixGroup("a", [np.eye(2)], [np.eye(3)]), ValueError, r"of one size, got sizes \[2, 3\]"),
    (lambda: MatrixGroup("a", [np.eye(2)], haar=True), ValueError, "haar must be False without a sampler"),
    (lambda: MatrixGroup("a", [np.eye(2)], sampler=3), TypeError, "sampler must be a function, got int"),
    (lambda: MatrixGroup("a", [np.eye(2)], bound=0), ValueError, "bound must be a number above 0, got 0"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG)
def test_wrong_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()

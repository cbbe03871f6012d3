import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import SO, Cyclic, Dihedral, E, LieGroup, ProductGroup, S, Translation, product


def test_products_flatten_and_print():
    group = S(3) * (E(3) * Cyclic(4))
    assert repr(group) == "S(3) * E(3) * Cyclic(4)"
    assert group == product(S(3), E(3), Cyclic(4)) == (S(3) * E(3)) * Cyclic(4)
    assert len(group.identity()) == 3
    assert group != S(3) * Cyclic(4) * E(3)


def test_properties_follow_the_factors():
    assert (S(3) * Cyclic(2)).is_finite
    assert (S(3) * Cyclic(2)).order == 12
    assert not (S(3) * SO(3)).is_finite
    assert (S(3) * SO(3)).is_compact
    assert not (S(3) * E(3)).is_compact
    assert not isinstance(S(3) * Cyclic(2), LieGroup)
    assert isinstance(S(3) * E(3), LieGroup)
    assert (SO(2) * S(3) * E(3)).algebra_dim == 7


def test_elements_run_through_all_pairs():
    group = Cyclic(3) * Dihedral(2)
    first, second = group.elements()
    pairs = set(zip(first.steps.tolist(), second.steps.tolist(), second.flip.tolist(), strict=True))
    assert len(pairs) == group.order == 12


def test_factors_are_sampled_independently(x64):
    a, b = (Translation(1) * Translation(1)).sample(jax.random.key(0), (10_000,))
    assert abs(np.corrcoef(a.vector[:, 0], b.vector[:, 0])[0, 1]) < 0.05


def test_exp_leaves_discrete_factors_alone():
    permutation, motion = (S(3) * E(2)).exp(jnp.array([[0.1, 1.0, 2.0], [0.0, 0.0, 0.0]]))
    np.testing.assert_array_equal(permutation, [[0, 1, 2]] * 2)
    assert motion.linear.shape == (2, 2, 2)


def test_log_ignores_discrete_factors():
    group = S(3) * Translation(2)
    g = group.sample(jax.random.key(0), (5,))
    np.testing.assert_array_equal(group.log(g), g[1].vector)


def test_everything_compiles_and_maps():
    group = S(3) * E(3)
    g = jax.jit(jax.vmap(group.sample))(jax.random.split(jax.random.key(0), 4))
    h = jax.jit(lambda g: group.compose(group.inverse(g), g))(g)
    np.testing.assert_allclose(group.matrix(h), np.broadcast_to(np.eye(7), (4, 7, 7)), atol=1e-6)


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match="groups must be groups, got 3"):
        product(S(3), 3)
    with pytest.raises(ValueError, match="groups must hold at least one group"):
        product()
    with pytest.raises(TypeError, match="unsupported operand"):
        S(3) * 2
    group = S(3) * E(3)
    expected = r"g must be an element of S\(3\) \* E\(3\), a tuple \(single array, Rigid\), got a"
    with pytest.raises(TypeError, match=expected + " Rigid"):
        group.inverse(E(3).identity())
    with pytest.raises(TypeError, match=expected + r" tuple \(Rigid, single array\)"):
        group.inverse((E(3).identity(), S(3).identity()))
    with pytest.raises(ValueError, match="finite groups only"):
        group.elements()
    assert isinstance(group, ProductGroup)

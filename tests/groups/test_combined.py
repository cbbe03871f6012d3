import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import (
    SO,
    Dual,
    E,
    Irreps,
    O,
    PermutationTensor,
    Point,
    Pseudoscalar,
    Regular,
    S,
    Scaling,
    Trivial,
    Vector,
)

GROUP = S(4) * E(3)


def test_printing():
    assert repr(8 * Vector()) == "8 * Vector()"
    assert repr(2 * (Vector() + Trivial())) == "2 * (Vector() + Trivial())"
    assert repr((Vector() + Trivial()) * Vector()) == "(Vector() + Trivial()) * Vector()"
    assert repr((2 * Vector()) @ (Vector() * Vector())) == "(2 * Vector()) @ (Vector() * Vector())"
    assert repr(Vector() + 2 * Irreps("1o")) == 'Vector() + 2 * Irreps("1x1o")'
    assert repr(2 * (3 * Vector())) == "2 * (3 * Vector())"
    assert repr((Vector() * Vector()).dual()) == "Vector().dual() * Vector().dual()"


def test_shapes():
    assert (8 * Vector()).shape(SO(3)) == (24,)
    assert (Vector() + Trivial() + Vector() * Vector()).shape(SO(3)) == (13,)
    assert (Vector() * Vector()).shape(SO(3)) == (3, 3)
    assert (Vector() * Trivial()).shape(SO(3)) == (3,)
    assert (PermutationTensor(1) @ Point()).shape(GROUP) == (4, 3)
    assert (PermutationTensor(2) @ (Vector() * Vector())).shape(GROUP) == (4, 4, 3, 3)
    assert (Trivial() @ Vector()).shape(GROUP) == (3,)
    assert (0 * Vector()).shape(SO(3)) == (0,)


def test_joining_is_associative_and_sums_start_at_zero():
    a, b, c = Vector(), Trivial(), Pseudoscalar()
    assert (a + b) + c == a + (b + c) == sum([a, b, c])
    assert (a * b) * c == a * (b * c)
    assert (a @ b) @ c == a @ (b @ c)
    assert a * 3 == 3 * a
    assert len({a + b, b + a, a + b}) == 2


def test_positions_are_permuted_and_moved(x64):
    g = permutation, motion = GROUP.sample(jax.random.key(0))
    x = jax.random.normal(jax.random.key(1), (4, 3))
    moved = (PermutationTensor(1) @ Point()).act(g, x)
    for i in range(4):
        expected = motion.linear @ x[i] + motion.translation
        np.testing.assert_allclose(moved[permutation[i]], expected, atol=1e-14)


def test_batches_of_elements_and_arrays_broadcast(x64):
    positions = PermutationTensor(1) @ Point()
    g = GROUP.sample(jax.random.key(0), (5, 1))
    x = jax.random.normal(jax.random.key(1), (2, 4, 3))
    moved = positions.act(g, x)
    assert moved.shape == (5, 2, 4, 3)
    for i in range(5):
        one = jax.tree.map(lambda leaf, i=i: leaf[i, 0], g)
        np.testing.assert_allclose(moved[i, 1], positions.act(one, x[1]), atol=1e-14)


def test_stress_tensors_turn_on_both_sides(x64):
    g = O(3).sample(jax.random.key(0))
    stress = jax.random.normal(jax.random.key(1), (3, 3))
    np.testing.assert_allclose((Vector() * Vector()).act(g, stress), g @ stress @ g.T, atol=1e-14)


def test_sums_of_affine_representations_act():
    g = E(2).sample(jax.random.key(0))
    x = jnp.array([1.0, 2.0, 3.0, 4.0])
    both = Point() + Vector()
    assert not both.is_linear
    expected = jnp.concatenate([Point().act(g, x[:2]), Vector().act(g, x[2:])])
    np.testing.assert_allclose(both.act(g, x), expected, atol=1e-6)
    np.testing.assert_allclose((2 * Point()).act(g, x), jnp.ravel(Point().act(g, x.reshape(2, 2))), atol=1e-6)


def test_pairing_with_the_dual_is_invariant(x64):
    group = Scaling(3)
    g = group.sample(jax.random.key(0))
    for representation in (Vector(), 2 * Vector() + Trivial(), Vector() * Vector()):
        shape = representation.shape(group)
        x, y = jax.random.normal(jax.random.key(1), (2, *shape))
        pairing = jnp.sum(representation.act(g, x) * representation.dual().act(g, y))
        np.testing.assert_allclose(pairing, jnp.sum(x * y), rtol=1e-13)
        assert representation.dual().dual() == representation


def test_duals_of_orthogonal_representations_are_themselves():
    for representation in (Trivial(), Irreps("1o+2e"), PermutationTensor(2), Regular(), 2 * Irreps("1o")):
        assert representation.dual() == representation
    assert Vector().dual() == Dual(Vector())
    outer = (PermutationTensor(1) @ Vector()).dual()
    assert outer == PermutationTensor(1) @ Vector().dual()


def test_no_copies_and_no_points():
    assert (0 * Vector()).act(jnp.eye(3), jnp.ones((2, 0))).shape == (2, 0)


def test_the_action_compiles_and_differentiates(x64):
    positions = PermutationTensor(1) @ Point()
    g = GROUP.sample(jax.random.key(0))
    gradient = jax.jit(jax.grad(lambda x: jnp.sum(positions.act(g, x) ** 2)))(jnp.ones((4, 3)))
    np.testing.assert_allclose(
        gradient, 2 * (jnp.ones((4, 3)) + g[1].linear.T @ g[1].translation), atol=1e-13
    )


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match=r"a tensor product needs linear representations, got Point\(\)"):
        Point() * Vector()
    with pytest.raises(ValueError, match="count must be a number of at least 0, got -1"):
        -1 * Vector()
    with pytest.raises(TypeError, match="unsupported operand"):
        Vector() * 1.5
    with pytest.raises(TypeError, match="unsupported operand"):
        Vector() + 1
    positions = PermutationTensor(1) @ Point()
    message = r"g must be an element of a product of 2 groups for PermutationTensor\(1\) @ Point\(\), got "
    with pytest.raises(TypeError, match=message + "Rigid"):
        positions.act(E(3).identity(), jnp.ones((4, 3)))
    with pytest.raises(TypeError, match=message + "a tuple of 3"):
        positions.shape(S(4) * E(3) * SO(2))
    with pytest.raises(ValueError, match=r"x must have shape \(..., 4, 3\) for .* got \(5, 3\)"):
        positions.act(GROUP.identity(), jnp.ones((5, 3)))

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import SO, E, Group, PermutationTensor, S, Scaling, Vector, actions
from equijax.groups.base import check_size, default_float, print_call


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Sign:
    """An element of a group that a user adds."""

    sign: jax.Array


@actions.linear_part.register(Sign)
def _(g):
    return g.sign[..., None, None] * jnp.eye(2)


@actions.batch_shape.register(Sign)
def _(g):
    return g.sign.shape


@dataclasses.dataclass(frozen=True, repr=False)
class Inversion(Group):
    """Plus and minus one."""

    is_finite = is_compact = True
    order = 2

    def _identity(self, shape, dtype):
        return Sign(jnp.ones(shape, dtype))

    def _compose(self, g, h):
        return Sign(g.sign * h.sign)

    def _inverse(self, g):
        return g

    def _sample(self, key, shape, dtype):
        return Sign(jax.random.rademacher(key, shape, dtype))

    def _elements(self):
        return Sign(jnp.array([1.0, -1.0]))

    def _matrix(self, g):
        return g.sign[..., None, None]


def test_a_new_group_is_one_class_and_its_registrations():
    group = Inversion() * S(3)
    assert repr(group) == "Inversion() * S(3)"
    assert group.order == 12
    g = group.sample(jax.random.key(0))
    x = jnp.arange(6.0).reshape(2, 3)
    moved = (Vector() @ PermutationTensor(1)).act(g, x)
    np.testing.assert_array_equal((Vector() @ PermutationTensor(1)).act(group.inverse(g), moved), x)
    assert (2 * Vector()).shape(Inversion()) == (4,)


def test_groups_are_values():
    assert E(3) == E(3, bound=1.0)
    assert E(3) != E(3, bound=2.0)
    assert len({SO(3), SO(3), SO(2), S(3)}) == 3
    assert [repr(group) for group in (SO(3), E(3), E(2, bound=2.0), Scaling())] == [
        "SO(3)",
        "E(3)",
        "E(2, bound=2.0)",
        "Scaling()",
    ]
    assert print_call(Scaling(3, bound=5.0)) == "Scaling(3, bound=5.0)"


def test_groups_are_static_arguments_of_jit():
    sample = jax.jit(lambda group, key: group.sample(key), static_argnums=0)
    np.testing.assert_allclose(sample(SO(3), jax.random.key(0)), SO(3).sample(jax.random.key(0)), atol=1e-6)


def test_sampling_is_a_function_of_the_key_and_has_the_dtype():
    a, b = (E(3).sample(jax.random.key(seed), (2,)) for seed in (0, 1))
    again = E(3).sample(jax.random.key(0), (2,))
    np.testing.assert_array_equal(a.linear, again.linear)
    assert not np.allclose(a.linear, b.linear)
    half = E(3).sample(jax.random.key(0), dtype=jnp.bfloat16)
    assert {leaf.dtype for leaf in jax.tree.leaves(half)} == {jnp.dtype(jnp.bfloat16)}
    with jax.enable_x64(True):
        assert E(3).sample(jax.random.key(0)).linear.dtype == jnp.float64
        assert E(3).identity().linear.dtype == jnp.float64
        assert E(3).sample(jax.random.key(0), dtype=jnp.float32).linear.dtype == jnp.float32


def test_helpers_name_wrong_arguments():
    with pytest.raises(TypeError, match="dtype must be a real floating-point type, got int32"):
        default_float(jnp.int32)
    with pytest.raises(TypeError, match="n must be an integer, got True"):
        check_size("n", True, 0)
    with pytest.raises(ValueError, match="n must be a number of at least 3, got 2"):
        check_size("n", 2, 3)
    with pytest.raises(TypeError, match=r"g must be an element of SO\(3\), a single array, got a str"):
        SO(3).inverse("rotation")
    with pytest.raises(TypeError, match="unsupported operand"):
        SO(3) * Vector()


def test_errors_come_at_trace_time():
    with pytest.raises(ValueError, match=r"g must be an element of SO\(3\)"):
        jax.jit(SO(3).inverse).trace(jnp.zeros((2, 2)))


def test_wrong_keys_shapes_and_elements_are_named():
    key = jax.random.key(0)
    with pytest.raises(TypeError, match=r"key must be a random key such as jax.random.key\(0\), got 0"):
        SO(3).sample(0)
    with pytest.raises(TypeError, match=r"key must be a random key .*, got \(2,\)"):
        SO(3).sample((2,), key)
    with pytest.raises(TypeError, match=r"shape must be a tuple of integers, got 3 \(write \(3,\)"):
        SO(3).sample(key, 3)
    with pytest.raises(ValueError, match="shape must have no negative size"):
        SO(3).identity((-1,))
    with pytest.raises(TypeError, match=r"g must be .* a linear part, got an array of shape \(3,\)"):
        Vector().act(jnp.ones(3), jnp.eye(3))
    with pytest.raises(
        TypeError, match=r"S\(3\) has no representation Vector\(\): g must be a group element"
    ):
        Vector().shape(S(3))


def test_generators_of_a_group_that_does_not_know_any_are_random_elements():
    generators = Group._discrete_generators(S(5), jnp.dtype(jnp.float32))
    # 16, and as many more as 120 has binary digits.
    assert generators.shape == (23, 5)
    assert S(5).discrete_generators().shape == (2, 5)
    assert SO(3).discrete_generators().shape == (0, 3, 3)
    assert (S(2) * E(3)).discrete_generators()[1].linear.shape == (3, 3, 3)
    with pytest.raises(TypeError, match="dtype must be a real floating-point type, got int32"):
        SO(3).discrete_generators(jnp.int32)

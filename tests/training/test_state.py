import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.training.state import find_fault, initial_state, raise_on_fault

TREE = {"a": jnp.ones(2), "b": {"c": jnp.ones(3), "d": jnp.ones(())}}
find = jax.jit(find_fault)


def broken(name, value):
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: leaf.at[...].set(value) if path[-1].key == name else leaf, TREE
    )


def raised(fault):
    with pytest.raises(FloatingPointError) as caught:
        raise_on_fault(initial_state(TREE, (), None, {})._replace(fault=np.asarray(fault)))
    return str(caught.value)


def test_healthy_numbers_are_no_fault():
    fault = find(5, 1.0, TREE, TREE)
    assert list(fault) == [-1, -1, -1]
    raise_on_fault(initial_state(TREE, (), None, {})._replace(fault=fault))


@pytest.mark.parametrize("value", [jnp.nan, jnp.inf, -jnp.inf])
@pytest.mark.parametrize("name", ["a", "c", "d"])
def test_the_first_bad_gradient_is_named(name, value):
    path = "params/a" if name == "a" else f"params/b/{name}"
    message = raised(find(5, 1.0, broken(name, value), TREE))
    assert "step 5" in message
    assert f"gradient of {path}." in message


def test_a_bad_loss_and_an_overflow_of_the_update_are_told_apart():
    assert "loss alone" in raised(find(5, jnp.nan, TREE, TREE))
    assert "update makes params/b/c overflow" in raised(find(5, 1.0, TREE, broken("c", jnp.inf)))


def test_faults_are_found_under_vmap():
    losses = jnp.array([1.0, jnp.nan])
    faults = jax.vmap(lambda loss: find_fault(2, loss, TREE, TREE))(losses)
    np.testing.assert_array_equal(faults, [[-1, -1, -1], [2, -1, -1]])

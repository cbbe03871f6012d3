import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.training.trees import is_key, leaf_names, like, to_host


def test_names_are_paths_in_the_order_of_the_leaves():
    tree = {"b": (1.0, {"c": 2.0}), "a": [3.0]}
    assert leaf_names(tree) == ["a/0", "b/0", "b/1/c"]
    assert [float(leaf) for leaf in jax.tree.leaves(tree)] == [3.0, 1.0, 2.0]


def test_a_host_copy_survives_the_reuse_of_the_buffer():
    x = jnp.arange(4.0)
    host = to_host({"x": x})["x"]
    jax.jit(lambda y: y * 0, donate_argnums=0)(x).block_until_ready()
    np.testing.assert_array_equal(host, [0, 1, 2, 3])
    assert host.flags.owndata


def test_dtypes_of_arrays_stay_and_numbers_become_those_of_jax():
    host = to_host({"double": np.ones(1), "number": 1.0, "count": 2, "half": jnp.ones(1, jnp.bfloat16)})
    names = {name: leaf.dtype.name for name, leaf in host.items()}
    assert names == {"double": "float64", "number": "float32", "count": "int32", "half": "bfloat16"}


def test_typed_keys_go_to_the_host_and_come_back():
    tree = {"key": jax.random.key(3), "x": 1.0}
    back = like(tree, to_host(tree))
    assert is_key(back["key"])
    assert not is_key(back["x"])
    assert jax.random.normal(back["key"]) == jax.random.normal(tree["key"])


def test_another_number_of_leaves_is_refused():
    with pytest.raises(ValueError, match="zip"):
        like((0.0, 1.0), [np.float32(0)])

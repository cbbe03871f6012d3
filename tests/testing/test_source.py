import e3nn_jax
import jax
import jax.numpy as jnp
import jraph
import numpy as np
import pytest

import equijax as ej
from equijax import groups
from equijax.testing.source import source

NAMES = {"np": np, "ej": ej, "jraph": jraph, "e3nn_jax": e3nn_jax, "jax": jax}


def evaluate(value):
    return eval(source(value), dict(NAMES))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bool", "complex64"])
def test_arrays_are_exact(dtype):
    random = np.random.default_rng(0)
    for shape in [(), (3,), (2, 3), (0, 3)]:
        array = (1e3 * random.normal(size=shape)).astype(dtype)
        again = evaluate(array)
        np.testing.assert_array_equal(again, array)
        assert again.dtype == array.dtype
        assert again.shape == array.shape


def test_special_floats():
    array = np.array([np.inf, -np.inf, np.nan, -0.0, 1e-45, 3e38], np.float32)
    again = evaluate(array)
    np.testing.assert_array_equal(again, array)
    assert np.signbit(again[3])


def test_bfloat16():
    array = jnp.array([0.1, 3.0], jnp.bfloat16)
    assert evaluate(array).dtype == array.dtype
    assert (evaluate(array) == np.asarray(array)).all()


@pytest.mark.parametrize(
    "group",
    [
        groups.S(3),
        groups.S(3) * groups.E(3, bound=2.0),
        groups.Cyclic(4) * groups.SO(2),
        groups.Translation(2),
    ],
)
def test_groups_and_their_elements(group):
    assert evaluate(group) == group
    g = group.sample(jax.random.key(0))
    again = evaluate(g)
    assert jax.tree.structure(again) == jax.tree.structure(g)
    jax.tree.map(np.testing.assert_array_equal, again, g)


def test_signatures():
    signature = {
        "x": (groups.PermutationTensor(1) @ (2 * groups.Vector() + groups.Irreps("1x0e+1x1o")),),
        "y": [],
    }
    assert evaluate(signature) == signature


def test_pytrees_of_other_packages():
    graph = jraph.GraphsTuple(
        np.ones(2), None, np.array([0]), np.array([1]), None, np.array([2]), np.array([1])
    )
    again = evaluate(graph)
    assert isinstance(again, jraph.GraphsTuple)
    np.testing.assert_array_equal(again.senders, graph.senders)
    assert again.edges is None
    array = e3nn_jax.IrrepsArray("0e + 1o", jnp.arange(4.0))
    assert evaluate(array).irreps == array.irreps
    np.testing.assert_array_equal(evaluate(array).array, array.array)
    key = jax.random.key(3)
    assert (jax.random.key_data(evaluate(key)) == jax.random.key_data(key)).all()

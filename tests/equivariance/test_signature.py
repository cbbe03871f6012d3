import e3nn_jax as e3nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.equivariance import signature
from equijax.groups import SO, E, PermutationTensor, Point, S, Trivial, Vector


def test_one_representation_stands_for_a_subtree():
    tree = ({"a": 1, "b": [2, 3]}, 4)
    found = signature.leaves("args", (Vector(), Trivial()), tree)
    assert [(place, rep) for place, rep, _ in found] == [
        ("args[0]['a']", Vector()),
        ("args[0]['b'][0]", Vector()),
        ("args[0]['b'][1]", Vector()),
        ("args[1]", Trivial()),
    ]


@pytest.mark.parametrize(
    ("reps", "tree", "error", "message"),
    [
        ((Vector(), Vector()), (np.zeros(3),), ValueError, "signature of args must be a prefix"),
        ({"x": Vector()}, {"y": np.zeros(3)}, ValueError, "signature of args must be a prefix"),
        ((3,), (np.zeros(3),), TypeError, "must be a pytree of representations, got 3"),
        ((Vector(),), (np.zeros((3, 2)),), ValueError, r"args\[0\] must have shape \(..., 3\).*got \(3, 2\)"),
        ((Vector(),), (np.zeros(()),), ValueError, r"args\[0\] must have shape"),
    ],
)
def test_mismatches_are_named(reps, tree, error, message):
    with pytest.raises(error, match=message):
        signature.check_tree("args", reps, SO(3), tree)


def test_shapes_of_product_groups_and_batches():
    group, positions = S(5) * E(3), PermutationTensor(1) @ Point()
    assert len(signature.check_tree("x", positions, group, np.zeros((2, 5, 3)))) == 1
    with pytest.raises(ValueError, match=r"x must have shape \(..., 5, 3\)"):
        signature.check_tree("x", positions, group, jax.ShapeDtypeStruct((4, 3), np.float32))


def test_float_dtype():
    assert signature.float_dtype((jnp.zeros(1, jnp.bfloat16), jnp.zeros(1, jnp.float32), 1)) == jnp.float32
    assert signature.float_dtype(np.arange(3)) == jnp.float32


def test_described_arrays_are_single_leaves():
    array = e3nn.IrrepsArray("1o", jnp.ones((2, 3)))
    mapped = signature.map_leaves(lambda rep, x: (rep, x.shape), {"a": Vector()}, {"a": (array, jnp.ones(3))})
    assert mapped == {"a": ((Vector(), (2, 3)), (Vector(), (3,)))}

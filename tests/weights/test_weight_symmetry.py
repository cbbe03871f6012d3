import jax
import jax.numpy as jnp
import numpy as np
import pytest

import equijax as ej
from equijax.groups import Group, S, Trivial
from equijax.weights import symmetry

RANDOM = np.random.default_rng(0)
W = {
    "a": {"b": RANDOM.normal(size=6), "w": RANDOM.normal(size=(2, 6))},
    "w": RANDOM.normal(size=(6, 5)),
    "v": RANDOM.normal(size=(5, 3)),
}
X = RANDOM.normal(size=2)


def model(w, x):
    return jnp.tanh(jnp.tanh(x @ w["a"]["w"] + w["a"]["b"]) @ w["w"]) @ w["v"]


@pytest.fixture(scope="module")
def group():
    return symmetry(model, W, X, verify=False)


def test_it_is_a_product_of_symmetric_groups(group):
    assert isinstance(group, Group)
    assert group.factors == (S(6), S(5))
    assert repr(group) == "S(6) * S(5)"
    assert group.order == 720 * 120
    assert group.is_finite
    assert group == symmetry(model, W, X)
    assert hash(group) == hash(symmetry(model, W, X))
    assert group != symmetry(model, W, X, verify=False, kinds=("permutation", "sign"))
    assert group.matrix(group.identity()).shape == (11, 11)


def test_the_action_is_a_homomorphism_and_leaves_the_function_alone(group, x64):
    g, h = (group.sample(key) for key in jax.random.split(jax.random.key(0)))
    left = group.act(group.compose(g, h), W)
    right = group.act(g, group.act(h, W))
    jax.tree.map(np.testing.assert_array_equal, left, right)
    jax.tree.map(np.testing.assert_array_equal, group.act(group.inverse(g), group.act(g, W)), W)
    jax.tree.map(np.testing.assert_array_equal, group.act(group.identity(), W), W)
    np.testing.assert_allclose(model(left, X), model(W, X), atol=1e-12)
    assert np.abs(left["w"] - W["w"]).max() > 0.1


def test_elements_map_and_compile_and_have_gradients(group):
    keys = jax.random.split(jax.random.key(0), 3)
    many = jax.jit(jax.vmap(group.sample))(keys)
    acted = jax.jit(group.act)(many, W)
    assert acted["w"].shape == (3, 6, 5)
    mapped = jax.vmap(group.act, (0, None))(many, W)
    jax.tree.map(np.testing.assert_array_equal, acted, mapped)
    one = jax.tree.map(lambda leaf: leaf[1], many)
    # The gradient at moved weights is the moved gradient.
    gradient = jax.grad(lambda w: jnp.sum(model(w, X) ** 2))
    moved, expected = gradient(group.act(one, W)), group.act(one, gradient(jax.tree.map(jnp.asarray, W)))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), moved, expected)


def test_the_librarys_measures_take_it(group):
    def outputs(w):
        return model(w, X)

    error = ej.equivariance.error(
        outputs, group, (group.signature,), Trivial(), (W,), key=jax.random.key(0), num_samples=4
    )
    assert error < 1e-5
    ej.testing.assert_equivariant(
        outputs, group, in_reps=(group.signature,), out_reps=Trivial(), args=(W,), max_examples=5
    )
    with pytest.raises(AssertionError, match=r"not equivariant under S\(6\) \* S\(5\)"):
        ej.testing.assert_equivariant(
            lambda w: model(w, X) + w["w"][0, 0],
            group,
            in_reps=(group.signature,),
            out_reps=Trivial(),
            args=(W,),
            max_examples=10,
        )


def test_free_sides_are_signatures_too(x64):
    group = symmetry(model, W, X, free=("inputs", "outputs"), verify=False)
    error = ej.equivariance.error(
        model,
        group,
        (group.signature, *group.inputs.tree),
        group.outputs.tree,
        (W, X),
        key=jax.random.key(0),
        num_samples=4,
    )
    # Compiled and uncompiled hyperbolic tangents differ by some 1e-8.
    assert error < 1e-7


def test_other_variables_and_elements_are_refused(group):
    g = group.identity()
    with pytest.raises(ValueError, match="variables must have the structure that the symmetry was found for"):
        group.act(g, {"w": W["w"]})
    with pytest.raises(
        ValueError, match=r"variables\['w'\] must have shape \(6, 5\) as when traced, got \(5, 6\)"
    ):
        group.act(g, {**W, "w": W["w"].T})
    with pytest.raises(TypeError, match=r"g must be an element of S\(6\) \* S\(5\)"):
        group.act(g[0], W)
    with pytest.raises(ValueError, match="outputs must have the structure"):
        group.act_on_outputs(g, (1.0, 2.0))
    with pytest.raises(ValueError, match="inputs must have the structure"):
        group.act_on_inputs(g, X, X)


def test_a_model_without_symmetry_is_a_trivial_group():
    group = symmetry(lambda w, x: jnp.cumsum(w * x), np.ones(3), 2.0)
    assert repr(group) == "WeightSymmetry()"
    assert group.order == 1
    assert group.matrix(group.sample(jax.random.key(0))).shape == (1, 1)
    np.testing.assert_array_equal(group.act(group.identity(), np.arange(3.0)), np.arange(3.0))

import time

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import S
from equijax.weights import registry, symmetry


def two_layers(w, x):
    return jnp.tanh(x @ w["in"]) @ w["out"]


W = {"in": np.ones((2, 6)), "out": np.ones((6, 3))}
X = np.ones(2)


def sizes(model, w, *inputs, **options):
    return [group.size for group in symmetry(model, w, *inputs, verify=False, **options).groups]


def test_reasons_and_names_are_told(models):
    case = models.CASES["mlp"]()
    text = str(symmetry(case.apply_fn, case.variables, *case.inputs))
    assert text.splitlines()[:2] == [
        "2 groups of neurons",
        "  Dense_0: S(6) on params/Dense_0/bias[0], params/Dense_0/kernel[1], params/Dense_1/kernel[0]",
    ]
    assert "  params/Dense_0/kernel[0] (4): axis of an input" in text
    assert "  params/Dense_2/bias[0] (3): axis of an output" in text
    assert "verified: largest change" in text


def test_tied_weights_move_on_all_their_axes():
    tied = {"w": np.ones((6, 6)), "in": np.ones((2, 6))}
    group = symmetry(lambda w, x: jnp.sum(jnp.tanh(jnp.tanh(x @ w["in"]) @ w["w"]) @ w["w"]), tied, X)
    assert [str(axis) for axis in group.groups[0].axes] == ["in[1]", "w[0]", "w[1]"]


def test_a_bilinear_form_has_one_permutation_for_both_axes():
    group = symmetry(
        lambda w, x: jnp.tanh(x @ w["a"]) @ w["b"] @ jnp.tanh(x @ w["a"]),
        {"a": np.ones((2, 5)), "b": np.random.default_rng(0).normal(size=(5, 5))},
        X,
    )
    assert [each.size for each in group.groups] == [5]


def test_what_the_outputs_do_not_use_is_not_moved():
    w = {**W, "spare": np.ones(4)}
    group = symmetry(two_layers, w, X, verify=False)
    assert [each.size for each in group.groups] == [6]
    assert [each.reason for each in group.rigid if each.path == "spare"] == [
        "the outputs do not depend on it"
    ]


def test_fixed_parameters_stay():
    assert sizes(two_layers, W, X, fixed=("out",)) == []
    assert sizes(two_layers, W, X, fixed=("outer",)) == [6]
    group = symmetry(two_layers, W, X, fixed=("in",), verify=False)
    assert [each.reason for each in group.rigid if str(each).startswith("in[1]")] == ["fixed by the caller"]


def test_free_inputs_and_outputs_move_with_the_weights():
    group = symmetry(two_layers, W, X, free=("inputs", "outputs"))
    assert sorted(each.size for each in group.groups) == [2, 3, 6]
    g = group.sample(jax.random.key(1))
    w = jax.tree.map(lambda a: a * np.random.default_rng(0).normal(size=a.shape), W)
    x = np.array([0.3, -0.7])
    np.testing.assert_allclose(
        two_layers(group.act(g, w), *group.act_on_inputs(g, x)),
        group.act_on_outputs(g, two_layers(w, x)),
        atol=1e-6,
    )


def test_flags_and_nested_inputs_are_passed_on():
    def model(w, batch, train, *, scale=1.0):
        if train:
            raise AssertionError("train must be off")
        return scale * two_layers(w, batch["x"])

    group = symmetry(model, W, {"x": X, "name": None}, False)
    assert [each.group for each in group.groups] == [S(6)]
    assert group.act_on_inputs(group.identity(), {"x": X, "name": None}, False)[1] is False


def test_shapes_are_enough():
    shapes = jax.eval_shape(lambda: (jax.tree.map(jnp.asarray, W), jnp.asarray(X)))
    assert sizes(two_layers, *shapes) == [6]
    with pytest.raises(ValueError, match="verify must be False where variables or inputs are shapes only"):
        symmetry(two_layers, *shapes)


def test_embeddings_are_rigid_where_indexed(models):
    case = models.CASES["causal lm"]()
    group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
    reasons = [each.reason for each in group.rigid if each.path == "params/Embed_0/embedding"]
    assert len(reasons) == 1
    assert reasons[0].startswith("indexed at places that are computed")


class Dropped(nn.Module):
    @nn.compact
    def __call__(self, x, train):
        x = nn.Dropout(0.5, deterministic=not train)(nn.Dense(6)(x))
        return nn.Dense(3)(nn.BatchNorm(use_running_average=not train)(x))


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match="apply_fn must be a function, got dict"):
        symmetry(W, W, X)
    with pytest.raises(TypeError, match="variables must be a pytree of arrays, got str at in"):
        symmetry(two_layers, {"in": "weights", "out": W["out"]}, X)
    for option in ({"heads": "both"}, {"kinds": ("rotation",)}, {"free": ("weights",)}):
        (name,) = option
        with pytest.raises(ValueError, match=f"{name} must be one of"):
            symmetry(two_layers, W, X, **option)


def test_noise_and_training_are_refused():
    model = Dropped()
    variables = model.init(jax.random.key(0), X, False)
    assert len(symmetry(model.apply, variables, X, False, verify=False).groups) == 1
    with pytest.raises(ValueError, match="apply_fn must not draw random numbers: turn dropout"):
        symmetry(model.apply, variables, X, True)
    with pytest.raises(ValueError, match="apply_fn must not draw random numbers, got the primitive random_"):
        symmetry(
            lambda v, x, key: model.apply(v, x, True, rngs={"dropout": key}, mutable=["batch_stats"])[0],
            variables,
            X,
            jax.random.key(1),
        )
    still = nn.BatchNorm(use_running_average=False)
    with pytest.raises(ValueError, match="apply_fn must not change variables"):
        symmetry(still.apply, still.init(jax.random.key(0), X[None]), X[None])


def test_variables_of_another_model_are_refused(models):
    case = models.CASES["mlp"]()
    for variables in ({"params": {}}, {"params": {"Dense_0": {"kernel": np.ones((4, 5))}}}):
        with pytest.raises(ValueError, match="variables must be those of apply_fn"):
            symmetry(case.apply_fn, variables, *case.inputs)


def test_a_wrong_rule_is_found_out(monkeypatch):
    monkeypatch.setitem(registry.RULES, "cumsum", registry.RULES["neg"])
    w = {"in": np.ones((2, 6)), "out": np.random.default_rng(0).normal(size=(6, 3))}
    with pytest.raises(RuntimeError, match="the symmetry that was found changes the outputs"):
        symmetry(lambda w, x: jnp.cumsum(x @ w["in"]) @ w["out"], w, X)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_low_precision(dtype, models):
    case = models.case(models.MLP(activation=nn.relu), models.FEATURES)
    variables = jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), case.variables)
    group = symmetry(
        case.apply_fn, variables, jnp.asarray(models.FEATURES, dtype), kinds=("permutation", "scale")
    )
    assert [each.size for each in group.groups] == [6, 7]
    assert jax.tree.leaves(group.act(group.identity(), variables))[0].dtype == dtype


def test_operations_that_only_place_arrays_pass():
    def model(w, x):
        return jax.device_put(jnp.tanh(x @ w["in"])) @ w["out"]

    assert sizes(model, W, X) == [6]


def test_tracing_is_fast(models):
    # A wide margin: it takes some milliseconds, of which the walk itself is a part.
    case = models.CASES["vit"]()
    symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
    start = time.process_time()
    symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
    assert time.process_time() - start < 1


def test_models_without_symmetry_and_without_variables():
    group = symmetry(lambda w, x: jnp.cumsum(w * x), np.ones(3), 2.0)
    assert group.groups == ()
    assert symmetry(lambda w, x: x, {}, 2.0).factors == ()
    assert symmetry(lambda w, x: w * x, np.float32(2.0), 2.0).rigid == ()

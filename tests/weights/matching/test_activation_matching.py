import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import symmetry
from equijax.weights.matching import activation_matching, flax_activations

BATCHES = np.random.default_rng(0).normal(size=(3, 40, 3)).astype(np.float32)


def capture(w, x):
    first = jnp.tanh(x @ w["in"] + w["bias"])
    return {"bias": [first], "middle": jnp.tanh(first @ w["middle"])}


@pytest.mark.parametrize("statistic", ["correlation", "squared_distance"])
def test_planted_permutations_are_found(statistic, network, plant):
    _, draw, group = network
    b = draw(1, np.float32)
    a, element = plant(group, b, 0)
    names = dict(zip([each.name for each in group.groups], ("bias", "middle")))

    def named(w, x):
        return {name: capture(w, x)[own] for name, own in names.items()}

    found = activation_matching(group, named, a, b, BATCHES, statistic=statistic)
    jax.tree.map(np.testing.assert_array_equal, tuple(found.element), tuple(element))
    traced = jax.jit(lambda a, b: activation_matching(group, named, a, b, BATCHES, statistic=statistic))(a, b)
    jax.tree.map(np.testing.assert_array_equal, tuple(traced.element), tuple(element))
    assert found.objective == pytest.approx(float(traced.objective), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("name", ["cnn", "resnet with batch norm", "vit"])
def test_flax_models_are_matched_by_their_modules(name, models, plant, act, distance):
    case = models.CASES[name]()
    group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
    variables = jax.tree.map(lambda leaf: np.asarray(leaf, np.float32), case.variables)
    copy, element = plant(group, variables, 0)
    hidden = flax_activations(case.apply_fn.__self__, group, nonlinearity=jax.nn.gelu)
    images = np.random.default_rng(0).normal(size=(2, 4, *case.inputs[0].shape[1:])).astype(np.float32)
    found = activation_matching(group, hidden, copy, variables, images, statistic="correlation")
    assert distance(found.element, element) == 0
    assert distance(act(group, found.element, variables), copy) == 0


def test_wrong_arguments_are_refused(network, models):
    _, draw, group = network
    with pytest.raises(ValueError, match="capture must give activations of every group of neurons, got none"):
        activation_matching(group, lambda w, x: {}, draw(0), draw(1), BATCHES)
    names = [each.name for each in group.groups]
    with pytest.raises(ValueError, match=r"must have shape \(samples, 8\), got \(40, 3\)"):
        activation_matching(
            group, lambda w, x: dict.fromkeys(names, jnp.asarray(x)), draw(0), draw(1), BATCHES
        )
    with pytest.raises(ValueError, match="batches must hold at least one batch"):
        activation_matching(group, capture, draw(0), draw(1), [])
    with pytest.raises(ValueError, match="statistic must be one of"):
        activation_matching(group, capture, draw(0), draw(1), BATCHES, statistic="cosine")
    case = models.CASES["vit"]()
    wreath = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False, heads="wreath")
    with pytest.raises(ValueError, match="group must be found with heads='product'"):
        activation_matching(wreath, capture, case.variables, case.variables, BATCHES)

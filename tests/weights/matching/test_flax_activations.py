import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import symmetry
from equijax.weights.matching import flax_activations


def test_every_group_is_captured_with_its_neurons_last(models):
    case = models.CASES["vit"]()
    group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
    found = flax_activations(case.apply_fn.__self__, group)(case.variables, case.inputs[0])
    assert set(found) == {each.name for each in group.groups}
    for each in group.groups:
        for activations in found[each.name]:
            assert activations.shape[1] == each.size


def test_permuted_networks_have_permuted_activations(models, plant):
    case = models.CASES["cnn"]()
    group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False)
    copy, element = plant(group, case.variables, 0)
    capture = jax.jit(flax_activations(case.apply_fn.__self__, group, nonlinearity=nn.relu))
    before, after = (capture(variables, case.inputs[0]) for variables in (case.variables, copy))
    for each, image in zip(group.groups, element, strict=True):
        for x, y in zip(before[each.name], after[each.name], strict=True):
            np.testing.assert_allclose(np.asarray(y)[:, np.asarray(image)], x, atol=1e-5)


def test_heads_and_features_are_told_apart():
    model, x = nn.MultiHeadDotProductAttention(2, qkv_features=6), jnp.ones((1, 5, 4))
    variables = model.init(jax.random.key(0), x)
    group = symmetry(model.apply, variables, x, verify=False)
    found = flax_activations(model, group)(variables, x)
    sizes = {each.name: each.size for each in group.groups}
    # The samples of heads are positions times features, those of features positions times heads.
    for name, (activations, *_) in found.items():
        assert activations.shape == (5 * 6 // sizes[name], sizes[name])


def test_several_inputs_and_other_objects():
    class Sum(nn.Module):
        @nn.compact
        def __call__(self, x, y):
            x = nn.tanh(nn.Dense(3)(x) + y)
            return nn.Dense(2)(x)

    x = jnp.ones((4, 2))
    variables = Sum().init(jax.random.key(0), x, 1.0)
    group = symmetry(Sum().apply, variables, x, 1.0, verify=False)
    assert flax_activations(Sum(), group)(variables, (x, 1.0))["Dense_0"][0].shape == (4, 3)
    with pytest.raises(TypeError, match="module must be a Module"):
        flax_activations(Sum().apply, group)

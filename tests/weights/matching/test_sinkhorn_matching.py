import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.weights import symmetry
from equijax.weights.matching import sinkhorn_matching
from equijax.weights.matching.layout import Layout
from equijax.weights.matching.sinkhorn_matching import soft_act

X = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)


def test_distance_finds_a_planted_permutation(network, plant):
    _, draw, group = network
    b = draw(1, np.float32)
    a, element = plant(group, b, 0)
    found = sinkhorn_matching(jax.random.key(0), group, None, a, b, range(80), objective="distance")
    jax.tree.map(np.testing.assert_array_equal, tuple(found.element), tuple(element))
    assert found.history[-1] > found.history[0]


@pytest.mark.parametrize("objective", ["midpoint", "random"])
def test_losses_fall_along_the_path(objective, network):
    model, draw, group = network
    a, b = draw(1, np.float32), draw(2, np.float32)
    target = model(a, X)

    def loss(w, x):
        return jnp.mean((model(w, x) - target) ** 2)

    found = sinkhorn_matching(jax.random.key(0), group, loss, a, b, [X] * 40, objective=objective)
    assert found.history.shape == (40,)
    assert found.history[-10:].mean() > found.history[:10].mean()
    assert found.objective == pytest.approx(found.history[-1])


@pytest.mark.parametrize("name", ["vit", "scanned layers", "lstm"])
def test_hard_matrices_act_as_permutations(name, models, plant, distance, x64):
    case = models.CASES[name]()
    heads = "wreath" if name == "vit" else "product"
    group = symmetry(case.apply_fn, case.variables, *case.inputs, verify=False, heads=heads)
    layout = Layout(group)
    moved, element = plant(group, case.variables, 0)
    matrices = tuple(jax.nn.one_hot(image, image.shape[-1]) for image in layout.images(element))
    variables = jax.tree.map(jnp.asarray, case.variables)
    assert distance(jax.jit(lambda m, v: soft_act(layout, m, v))(matrices, variables), moved) < 1e-12


def test_wrong_arguments_are_refused(network):
    _, draw, group = network
    key = jax.random.key(0)
    with pytest.raises(ValueError, match="objective must be one of"):
        sinkhorn_matching(key, group, None, draw(0), draw(1), range(2), objective="end")
    with pytest.raises(TypeError, match="loss_fn must be a function"):
        sinkhorn_matching(key, group, None, draw(0), draw(1), range(2))
    with pytest.raises(ValueError, match="batches must hold at least one batch"):
        sinkhorn_matching(key, group, None, draw(0), draw(1), [], objective="distance")
    with pytest.raises(ValueError, match="b must have the structure"):
        sinkhorn_matching(key, group, None, draw(0), {}, range(2), objective="distance")

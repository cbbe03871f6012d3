import jax
import jax.numpy as jnp
import numpy as np
import pytest

import equijax as ej
from equijax.groups import SE, E, Irreps, PermutationTensor, Point, S
from experiments.baselines.pair_messages import GauntMessage, others
from experiments.baselines.side_by_side import initial_params
from experiments.baselines.steerable import SteerableNetwork, raw_basis, saturating_basis


def network(paths="even", **options):
    return SteerableNetwork(GauntMessage(1, paths), lmax=1, channels=3, num_layers=1, **options)


def variables_of(model, *more):
    arguments = (jnp.ones((4, 3)), jnp.ones((4, 2, 4)), *more)
    params = initial_params(model, [jax.random.key(0)], *arguments)
    return {"params": jax.tree.map(lambda leaf: leaf[0], params)}


@pytest.mark.parametrize(("paths", "selfmix"), [("even", True), ("all", False)])
def test_network_is_equivariant(paths, selfmix):
    model = network(paths, selfmix=selfmix)
    variables = variables_of(model)
    node, signal = PermutationTensor(1), Irreps("0e+1o")
    motions = E(3) if paths == "even" else SE(3)
    channels = signal  # with an axis of channels in front

    def function(positions, signals):
        return model.apply(variables, positions, jnp.swapaxes(signals, 0, 1)).swapaxes(0, 1)

    ej.testing.assert_equivariant(
        function, S(4) * motions, (node @ Point(), node @ channels), node @ channels,
        shapes=((4, 3), (2, 4, 4)), max_examples=8, degenerate=False,
    )  # fmt: skip


def test_missing_degrees_are_filled_with_zeros():
    model = network()
    positions = jax.random.normal(jax.random.key(1), (4, 3))
    scalars = jnp.ones((4, 2, 1))
    variables = jax.eval_shape(model.init, jax.random.key(0), positions, scalars)
    assert variables["params"]["embedding"]["kernel"].shape == (1, 2, 3)
    assert jax.eval_shape(model.apply, variables, positions, scalars).shape == (4, 3, 4)


def test_works_under_jit_vmap_and_grad_at_coincident_points():
    model = network("all", selfmix=True)
    variables = variables_of(model)
    positions = jax.random.normal(jax.random.key(1), (2, 4, 3)).at[0, 1].set(0.0).at[0, 2].set(0.0)
    signals = jax.random.normal(jax.random.key(2), (2, 4, 2, 4))
    batch = jax.jit(model.apply)(variables, positions, signals)
    mapped = jax.jit(jax.vmap(model.apply, in_axes=(None, 0, 0)))(variables, positions, signals)
    np.testing.assert_allclose(batch, mapped, atol=1e-4)
    gradient = jax.jit(jax.grad(lambda p, x: jnp.sum(model.apply(p, x, signals) ** 2), argnums=(0, 1)))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient(variables, positions)))


def test_saturating_weights_forget_what_is_far_and_raw_ones_grow():
    far = jnp.array([0.0, 1.0, 100.0, 1e4])
    bounded, raw = saturating_basis(far), raw_basis(far)
    assert np.all((bounded >= 0) & (bounded <= 1))
    assert np.all(bounded[-1] < 1e-6)
    assert raw[-1, 0] == 1e4
    assert np.isfinite(raw).all()

    positions = jax.random.normal(jax.random.key(1), (4, 3))
    signals = jax.random.normal(jax.random.key(2), (4, 2, 4))
    outputs = {}
    for basis in ("saturating", "raw"):
        model = network(basis=basis)
        variables = variables_of(model)
        moved = [positions.at[0, 0].add(distance) for distance in (1e3, 1e4)]
        apply = jax.jit(model.apply)
        outputs[basis] = [float(jnp.abs(apply(variables, x, signals)).max()) for x in moved]
    assert outputs["saturating"][1] == pytest.approx(outputs["saturating"][0], rel=0.01)
    assert outputs["raw"][1] > 5 * outputs["raw"][0]


def test_scalars_of_pairs_matter():
    model = network()
    positions = jax.random.normal(jax.random.key(1), (4, 3))
    signals = jnp.ones((4, 2, 4))
    charges = jnp.array([1.0, -1.0, 1.0, 1.0])
    products = (charges * others(charges, -1))[..., None]
    variables, apply = variables_of(model, products), jax.jit(model.apply)
    same = apply(variables, positions, signals, products)
    other = apply(variables, positions, signals, -products)
    assert np.abs(same - other).max() > 1e-2


@pytest.mark.parametrize(
    ("options", "signals", "message"),
    [
        ({"basis": "gaussian"}, (4, 2, 4), "basis must be one of 'saturating', 'raw', got 'gaussian'"),
        ({}, (4, 2, 9), "signals must be of degrees up to lmax=1, got degree 2"),
        ({}, (3, 2, 4), r"signals must have shape \(\.\.\., n, c, k\), n=4, got \(3, 2, 4\)"),
    ],
)
def test_errors(options, signals, message):
    with pytest.raises(ValueError, match=message):
        network(**options).init(jax.random.key(0), jnp.ones((4, 3)), jnp.ones(signals))

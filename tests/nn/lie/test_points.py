"""Exact equivariance of the quadrature form, and what it rests on."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.groups import GL, SL, SO, LinearMap, linear_part, sample_polar
from equijax.nn import PointLieConvolution, PointLieProjection, PointLift

pytestmark = pytest.mark.usefixtures("x64")
SMALL = {"hidden": (8,), "radius": 1.5}


def scene(group, count=5, nodes=12):
    keys = jax.random.split(jax.random.key(0), 6)
    points = jax.random.uniform(keys[0], (nodes, group.n), minval=-1, maxval=1)
    volumes = jax.random.uniform(keys[1], (nodes,), minval=0.5, maxval=1.5)
    values = jax.random.normal(keys[2], (nodes, count, 2))
    samples = sample_polar(keys[3], group, (count,), log_std=0.3, radius=2.0)
    others = sample_polar(keys[4], group, (3,), log_std=0.3, radius=2.0)
    return points, volumes, values, samples, others


def moved(samples, a):
    matrix = a @ linear_part(samples.elements)
    plain = isinstance(samples.elements, jax.Array)
    return dataclasses.replace(samples, elements=matrix if plain else LinearMap(matrix))


@pytest.mark.parametrize("group", [GL(2), SL(2), GL(3), SO(3)], ids=repr)
def test_exact_equivariance_under_affine_maps(group):
    """`lift(f o A^-1)(x, g) = lift(f)(A^-1 x, a^-1 g)`, and the same of the other two layers."""
    a = sample_polar(jax.random.key(7), group, (1,), log_std=0.3).elements
    a, shift = linear_part(a)[0], jnp.arange(group.n) - 0.7
    points, volumes, values, samples, others = scene(group)
    centers = points[:4] + 0.1
    before = (points, volumes, centers)
    after = (points @ a.T + shift, volumes * jnp.abs(jnp.linalg.det(a)), centers @ a.T + shift)
    layers = [
        (PointLift(group, 2, **SMALL), (values[:, 0], samples), (values[:, 0], moved(samples, a))),
        (
            PointLieConvolution(group, 2, stretch_radius=2.0, **SMALL),
            (values, samples, others),
            (values, moved(samples, a), moved(others, a)),
        ),
        (PointLieProjection(group, 2, **SMALL), (values, samples), (values, moved(samples, a))),
    ]
    for layer, plain, changed in layers:
        params = jax.jit(layer.init)(jax.random.key(1), *before, *plain)
        apply = jax.jit(layer.apply)
        here, there = apply(params, *before, *plain), apply(params, *after, *changed)
        assert float(jnp.abs(here).max()) > 1e-3
        np.testing.assert_allclose(there, here, atol=1e-12 * float(jnp.abs(here).max()) + 1e-13)


@pytest.mark.parametrize("weighted", [True, False])
def test_determinants_belong_to_the_samples_that_are_integrated_over(weighted):
    """Different samples in and out: weighing by those of the output would change the output's ratios."""
    points, volumes, values, samples, others = scene(GL(2))
    layer = PointLieConvolution(GL(2), 1, **SMALL)
    params = jax.jit(layer.init)(jax.random.key(1), points, volumes, points, values, samples, others)
    # An input sample whose determinant and distance change alike: h -> 2 h, with the kernel's coordinates
    # g -> 2 g and offsets doubled, is an affine map by a = 2.
    doubled = 2 * jnp.eye(2)
    arguments = (2 * points, 4 * volumes if weighted else volumes, 2 * points, values)
    there = layer.apply(params, *arguments, moved(samples, doubled), moved(others, doubled))
    here = layer.apply(params, points, volumes, points, values, samples, others)
    np.testing.assert_allclose(there, here if weighted else here / 4, atol=1e-12)
    # Output samples alone: no weight depends on them.
    one = jax.tree.map(lambda leaf: leaf[:1], others)
    alone = layer.apply(params, points, volumes, points, values, samples, one)
    np.testing.assert_allclose(alone[:, 0], here[:, 0], atol=1e-12)


def test_the_number_of_samples_does_not_change_the_scale():
    """Twice the same samples is the same mean."""
    points, volumes, values, samples, others = scene(SL(2))
    layer = PointLieConvolution(SL(2), 2, **SMALL)
    params = jax.jit(layer.init)(jax.random.key(1), points, volumes, points, values, samples, others)
    twice = jax.tree.map(lambda leaf: jnp.concatenate([leaf, leaf]), samples)
    here = layer.apply(params, points, volumes, points, values, samples, others)
    repeated = jnp.concatenate([values, values], axis=1)
    there = layer.apply(params, points, volumes, points, repeated, twice, others)
    np.testing.assert_allclose(there, here, atol=1e-12)


def test_gradients_at_coincident_points_are_finite_and_batches_work():
    points, volumes, values, samples, others = scene(GL(2))
    layer = PointLieConvolution(GL(2), 2, **SMALL)
    same = jnp.zeros_like(points)
    params = jax.jit(layer.init)(jax.random.key(1), same, volumes, same, values, samples, others)

    def total(points, values):
        out = layer.apply(params, points, volumes, points, values, samples, others)
        return jnp.sum(out**2)

    grads = jax.jit(jax.vmap(jax.grad(total, argnums=(0, 1))))(
        jnp.stack([same, points]), jnp.stack([values] * 2)
    )
    assert all(np.isfinite(grad).all() for grad in grads)
    assert np.abs(grads[1]).max() > 0


def test_wrong_arguments_are_named():
    points, volumes, values, samples, _ = scene(GL(2))
    with pytest.raises(ValueError, match=r"volumes must have shape \(q\), q=12, got \(3,\)"):
        PointLift(GL(2), 2).init(jax.random.key(0), points, volumes[:3], points, values[:, 0], samples)
    with pytest.raises(ValueError, match=r"values must have shape \(q, j, c\), q=12, j=5, got \(12, 4, 2\)"):
        PointLieProjection(GL(2), 2).init(jax.random.key(0), points, volumes, points, values[:, :4], samples)
    with pytest.raises(ValueError, match="radius must be a number above 0"):
        PointLift(GL(2), 2, radius=0.0)

"""Distances of weights from equivariant ones."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from equijax.equivariance import basis, projection_residuals
from equijax.groups import SO, MatrixGroup, O, PermutationTensor, Point, S, Scaling, Trivial, Vector

V, T = Vector(), Trivial()
TURN = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 0]])


def about_an_axis(axis):
    """O(2) in R^3: turns about an axis, and a reflection of another one."""
    place = np.eye(3)[np.roll(np.arange(3), 2 - axis)]
    return MatrixGroup(
        f"O(2)_{'xyz'[axis]}",
        algebra=[place @ TURN @ place.T],
        discrete=[place @ np.diag([-1.0, 1, 1]) @ place.T],
    )


GROUPS = (O(3), *(about_an_axis(axis) for axis in range(3)))
HIDDEN = 2 * T + V + V * V
LAYERS = {"first": (2 * T + 2 * V, HIDDEN), "deep/last": (HIDDEN, V * V)}


def random_params(seed=0):
    random = np.random.default_rng(seed)
    kernels = {"first": (8, 14), "last": (14, 9)}
    layers = {
        name: {
            "kernel": jnp.asarray(random.normal(size=size)),
            "bias": jnp.asarray(random.normal(size=size[1])),
        }
        for name, size in kernels.items()
    }
    return {"first": layers["first"], "deep": {"last": layers["last"], "other": jnp.ones(3)}}


@functools.partial(jax.jit, static_argnums=1)
def residuals_of(params, groups=GROUPS):
    return projection_residuals(params, LAYERS, groups)


def dense_residual(group, in_rep, out_rep, matrix):
    """The oracle: project with the dense basis."""
    found = basis(group, in_rep, out_rep)
    return matrix - np.einsum("koi,k->oi", found, np.einsum("koi,oi->k", found, matrix))


def test_residuals_and_gradients_agree_with_dense_bases(x64):
    params = random_params()
    residuals = residuals_of(params)
    gradient = jax.jit(jax.jacobian(lambda p: projection_residuals(p, LAYERS, GROUPS).total))(params)
    for name, place, (in_rep, out_rep) in (
        ("first", params["first"], LAYERS["first"]),
        ("deep/last", params["deep"]["last"], LAYERS["deep/last"]),
    ):
        slopes = gradient["first"] if name == "first" else gradient["deep"]["last"]
        for number, group in enumerate(GROUPS):
            kernel = dense_residual(group, in_rep, out_rep, np.asarray(place["kernel"]).T)
            bias = dense_residual(group, T, out_rep, np.asarray(place["bias"])[:, None])
            np.testing.assert_allclose(
                residuals.raw[f"{name}/kernel"][number], np.sum(kernel**2) / 2, rtol=1e-11
            )
            np.testing.assert_allclose(residuals.raw[f"{name}/bias"][number], np.sum(bias**2) / 2, rtol=1e-11)
            np.testing.assert_allclose(slopes["kernel"][number], kernel.T, atol=1e-11)
            np.testing.assert_allclose(slopes["bias"][number], bias[:, 0], atol=1e-11)
    np.testing.assert_array_equal(gradient["deep"]["other"], 0)
    np.testing.assert_allclose(residuals.total, sum(residuals.raw.values()), rtol=1e-12)


def test_the_whole_group_and_the_parts_that_generate_it(x64):
    """R of the whole is at least that of each part, and at most a constant times their sum."""
    residuals = residuals_of(random_params())
    projectors = [
        np.einsum("koi,kpj->oipj", *[basis(group, V * V, V * V)] * 2).reshape(81, 81) for group in GROUPS
    ]
    away = sum(np.eye(81) - part for part in projectors[1:])
    eigenvalues = np.linalg.eigvalsh(away)
    constant = 1 / eigenvalues[eigenvalues > 1e-9].min()
    assert np.sum(eigenvalues < 1e-9) == 3  # what all parts leave alone is what the whole does
    random = jnp.asarray(np.random.default_rng(1).normal(size=(9, 9)))
    for weights in (random, random * jnp.arange(9.0)):
        whole, *parts = projection_residuals({"w": weights}, {"w": (V * V, V * V)}, GROUPS).total
        assert max(parts) <= whole + 1e-12
        assert whole <= constant * sum(parts) + 1e-12
    assert np.all(residuals.total[0] >= residuals.total[1:])


def test_equivariant_parts_do_not_count(x64):
    params = random_params()
    moved = basis(GROUPS[1], *LAYERS["first"]).sum(axis=0).T
    shifted = {**params, "first": {**params["first"], "kernel": params["first"]["kernel"] + 5 * moved}}
    np.testing.assert_allclose(residuals_of(shifted).total[1], residuals_of(params).total[1], rtol=1e-11)
    assert abs(residuals_of(shifted).total[2] - residuals_of(params).total[2]) > 1


def test_random_weights_have_level_one_for_groups_of_any_size():
    groups = (O(3), about_an_axis(2), MatrixGroup("turns", algebra=[TURN]), Scaling(3))
    draws = jax.random.normal(jax.random.key(0), (200, 18, 18))

    @jax.jit
    @jax.vmap
    def measured(weights):
        found = projection_residuals({"w": weights}, {"w": (2 * V * V, 2 * V * V)}, groups)
        return found.raw["w"] / found.norms["w"], found.levels, found.errors, found.random_errors

    shares, levels, errors, random_errors = (np.asarray(part) for part in measured(draws))
    free = np.array([1 - len(basis(group, V * V, V * V)) / 81 for group in groups])
    np.testing.assert_allclose(shares.mean(axis=0), free, atol=5e-3)
    np.testing.assert_allclose(levels.mean(axis=0), [1, 1, 1, 0], atol=5e-3)
    np.testing.assert_allclose(errors.mean(axis=0), np.sqrt(free), atol=5e-3)
    np.testing.assert_allclose(random_errors[0], np.sqrt(free), atol=1e-6)


def test_representations_that_depend_on_the_group():
    def points(group):
        return PermutationTensor(1) if isinstance(group, S) else V

    weights = {"w": jnp.ones((3, 3)) + jnp.eye(3)}
    found = projection_residuals(weights, {"w": (points, points)}, [S(3), SO(3)])
    np.testing.assert_allclose(found.total, [0, 3], atol=1e-5)


def test_kernels_with_the_axes_of_representations_and_weights_at_the_root():
    kernel = jnp.arange(81.0).reshape(3, 3, 3, 3)
    reps = (V * V, V * V)
    flat = projection_residuals({"kernel": kernel.reshape(9, 9)}, {"": reps}, GROUPS)
    deep = projection_residuals({"kernel": kernel}, {"kernel": reps}, GROUPS)
    np.testing.assert_allclose(flat.total, deep.total, rtol=1e-6)


def test_zero_weights_have_finite_gradients():
    @jax.jit
    @jax.grad
    def slope(weights):
        return jnp.sum(projection_residuals({"w": weights}, {"w": (V, V)}, GROUPS[:2]).levels)

    slopes = slope(jnp.zeros((3, 3))), slope(jnp.eye(3))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(slopes))


WRONG = [
    (({}, LAYERS, O(3)), TypeError, "groups must be a sequence of groups"),
    (({}, LAYERS, []), ValueError, "groups must hold at least one group"),
    (({}, LAYERS, ["O(3)"]), TypeError, "group must be a Group"),
    ((jnp.ones(3), LAYERS, GROUPS), TypeError, "params must be a Mapping"),
    (({"w": 1}, {}, GROUPS), ValueError, "layer_reps must hold at least one path"),
    (({"w": 1}, {"w": V}, GROUPS), TypeError, r"layer_reps\['w'\] must be a pair"),
    (
        ({"w": 1}, {"v/w": (V, V)}, GROUPS),
        ValueError,
        r"layer_reps\['v/w'\] must lead to weights, but at 'v'",
    ),
    (({"w": {"a": 1}}, {"w": (V, V)}, GROUPS), ValueError, "to a layer with a kernel, got a mapping of"),
    (({"w": jnp.ones((3, 2))}, {"w": (V, V)}, GROUPS), ValueError, r"w must have shape \(3, 3\) to map"),
    (({"w": jnp.ones((3, 3), int)}, {"w": (V, V)}, GROUPS), TypeError, "w must be a real floating"),
    (({"w": jnp.ones((3, 3))}, {"w": (V, Point())}, GROUPS), TypeError, "out_rep must be linear"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), WRONG)
def test_wrong_calls_name_the_argument(arguments, error, message):
    with pytest.raises(error, match=message):
        projection_residuals(*arguments)

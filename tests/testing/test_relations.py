import numpy as np
import pytest
import scipy.stats

from equijax.testing.relations import Samples, rank, relate

RANDOM = np.random.default_rng(0)
TURN = scipy.stats.ortho_group.rvs(3, random_state=1)
PERMUTATION = np.array([2, 0, 1, 4, 3])


def relation(still, moved, rtol=1e-8, **options):
    return relate(Samples(still, moved, rtol, "float64"), **options)


def vectors(*axes):
    return RANDOM.normal(size=(60, *axes, 3)) + 0.3


def permuted(x, *axes):
    for axis in axes:
        x = np.take(x, np.argsort(PERMUTATION), axis=axis + 1)
    return x


def test_invariants():
    y = RANDOM.normal(size=(60, 4))
    assert relation(y, y + 1e-12) == ("same", pytest.approx(0, abs=1e-10))
    assert relation(np.zeros((60, 0)), np.zeros((60, 0))).kind == "same"
    assert relation(np.zeros((60, 3)), np.zeros((60, 3))).kind == "same"


@pytest.mark.parametrize("axes", [(), (4,), (5, 2)])
def test_vectors_are_linear_and_with_a_bias_affine(axes):
    v = vectors(*axes)
    found = relation(v, v @ TURN.T)
    assert found.kind == "linear"
    assert found.residual < 1e-12
    bias = np.array([0.1, 0.2, 0.3])
    assert relation(v + bias, v @ TURN.T + bias).kind == "affine"
    assert relation(np.maximum(v, 0), np.maximum(v @ TURN.T, 0)).kind == "none"


def test_samples_of_very_different_size():
    sizes = 10.0 ** RANDOM.uniform(-6, 6, (60, 1, 1))
    v = vectors(4) * sizes
    assert relation(v, v @ TURN.T).kind == "linear"
    assert relation(v + 1.0, v @ TURN.T + 1.0).kind == "affine"


def test_low_rank():
    v = vectors(2) * [1.0, 1.0, 0.0]
    mixed = np.einsum("kcd,cf->kfd", vectors(2), RANDOM.normal(size=(2, 30)))
    assert rank(mixed, "float64") == 6
    assert relation(mixed, mixed @ TURN.T).kind == "linear"
    assert relation(v, v[..., [1, 0, 2]]).kind == "linear"


def test_different_representations_along_an_axis():
    v = vectors(2)
    moved = np.stack([v[:, 0] @ TURN.T, -v[:, 1] @ TURN.T], 1)
    assert relation(v, moved).kind == "linear"


def test_a_bias_does_not_hide_behind_constants():
    v = vectors(5)
    one = np.ones((60, 5, 1))

    def joined(v, shift):
        return np.concatenate([one, v + shift], -1)

    assert relation(joined(v, 0), joined(v @ TURN.T, 0)).kind == "linear"
    assert relation(joined(v, 0.5), joined(v @ TURN.T, 0.5)).kind == "affine"
    centred = v - v.mean(1, keepdims=True)
    assert relation(centred, centred @ TURN.T).kind == "linear"
    assert relation(centred + 0.5, centred @ TURN.T + 0.5).kind == "affine"


def test_points_are_shifted():
    x = vectors(5)
    assert relation(x, x + np.array([1.0, 2.0, 3.0])).kind == "shifted"


@pytest.mark.parametrize("shape", [(5,), (5, 3), (3, 5), (2, 5, 3), (5, 5), (5, 5, 2)])
def test_permutations_of_nodes(shape):
    y = RANDOM.normal(size=(60, *shape))
    axes = [axis for axis, size in enumerate(shape) if size == 5]
    assert relation(y, permuted(y, *axes), permutation=PERMUTATION).kind == "permuted"
    numbers = np.arange(5.0).reshape([-1 if axis == axes[0] else 1 for axis in range(len(shape))])
    assert relation(y + numbers, permuted(y, *axes) + numbers, permutation=PERMUTATION).kind == "affine"
    scaled = relation(y * (1 + numbers), permuted(y, *axes) * (1 + numbers), permutation=PERMUTATION)
    assert scaled.kind == "mixed"


def test_permutations_of_lists_of_pairs():
    y = RANDOM.normal(size=(60, 5, 5, 2))
    pairs = np.nonzero(1 - np.eye(5))

    def listed(y):
        return y[:, pairs[0], pairs[1]]

    assert relation(listed(y), listed(permuted(y, 0, 1)), permutation=PERMUTATION).kind == "permuted"
    kernel = np.exp(-np.abs(y[..., 0] + np.swapaxes(y[..., 0], 1, 2)) * (1 - np.eye(5)))
    assert relation(kernel, permuted(kernel, 0, 1), permutation=PERMUTATION).kind == "permuted"


def test_a_joined_index_is_not_permuted():
    h = RANDOM.normal(size=(60, 5, 2))
    index = np.broadcast_to(np.arange(5.0)[:, None], (60, 5, 1))
    still, moved = np.concatenate([h, index], -1), np.concatenate([permuted(h, 0), index], -1)
    assert relation(still, moved, permutation=PERMUTATION).kind not in ("same", "permuted")


def test_finite_groups_may_permute_or_mix():
    y = RANDOM.normal(size=(60, 3, 8))
    assert relation(y, np.roll(y, 1, -1), is_finite=True).kind == "permuted"
    assert relation(y[..., :3], y[..., :3] @ TURN.T, is_finite=True).kind == "linear"


def test_large_outputs():
    flat = RANDOM.normal(size=(60, 300))
    turn = scipy.stats.ortho_group.rvs(300, random_state=0)
    assert relation(flat, flat @ turn.T).kind == "isometric"
    assert relation(flat, np.tanh(flat @ turn.T)).kind == "undetermined"
    nodes = RANDOM.normal(size=(60, 200, 4, 3))
    assert relation(nodes, nodes @ TURN.T).kind == "linear"
    assert relation(np.tanh(nodes), np.tanh(nodes @ TURN.T)).kind == "none"


def test_more_samples_decide_large_outputs():
    flat = RANDOM.normal(size=(400, 150))
    turn = scipy.stats.ortho_group.rvs(150, random_state=0)
    assert relation(flat, flat @ turn.T).kind == "linear"
    assert relation(np.tanh(flat), np.tanh(flat @ turn.T)).kind == "none"


def test_scalars_are_decided():
    v = vectors()
    assert relation((v**2).sum(-1), ((v @ TURN.T) ** 2).sum(-1)).kind == "same"
    assert relation(v[:, 0], -v[:, 0]).kind == "linear"
    assert relation(v[:, 0] + 1, 1 - v[:, 0]).kind == "affine"
    assert relation(v[:, 0], v[:, 0] + 1).kind == "shifted"
    assert relation(np.abs(v).sum(-1), np.abs(v @ TURN.T).sum(-1)).kind == "none"
    assert relation(v[:, 0], v[:, 1], permutation=PERMUTATION).kind == "none"


def test_values_that_are_not_finite():
    y = RANDOM.normal(size=(60, 3))
    broken = y.copy()
    broken[0, 0] = np.nan
    assert relation(y, broken).kind == "not finite"
    assert rank(broken, "float64") == 0


def test_rank_of_wide_samples():
    low = RANDOM.normal(size=(60, 7)) @ RANDOM.normal(size=(7, 3000))
    assert rank(low, "float64") == 7
    assert rank(RANDOM.normal(size=(60, 3000)), "float64") == 60

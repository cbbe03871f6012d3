import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from equijax.groups import GL, SL, LinearMap, SamplePolicy
from equijax.groups.decompositions import coordinate_basis
from experiments import affine_images
from experiments.affine_images import invariance, reporting
from experiments.affine_images.canonical import canonical
from experiments.affine_images.config import Config
from experiments.affine_images.exponential import exponential_features, plane_log
from experiments.affine_images.networks import METHODS, LieFeatures, halved, make_network

CONFIG = Config(
    methods=("whitened",),
    source="scikit-learn",
    num_train=40,
    num_test=20,
    channels=2,
    num_samples=2,
    num_steps=3,
    batch_size=8,
    num_draws=1,
    curve_samples=(2, 4),
)


def blob(maps):
    """Smooth images of one shape without a symmetry, seen through maps."""
    line = np.arange(40) - 19.5
    pixels = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1)
    seen = np.einsum("nab,ijb->nija", np.linalg.inv(maps), pixels)
    parts = [((0.0, 0.0), 2.5, 1.0), ((5.0, 1.0), 1.5, 0.7), ((1.0, -4.0), 2.0, 0.4)]
    total = sum(
        height * np.exp(-((seen - np.array(center)) ** 2).sum(-1) / (2 * width**2))
        for center, width, height in parts
    )
    return total[..., None]


@pytest.mark.parametrize("rotate", [True, False])
def test_canonical_images_forget_the_affine_map(rotate):
    turn = scipy.linalg.expm([[0.0, -2.2], [2.2, 0.0]]) if rotate else np.eye(2)
    maps = np.stack([np.eye(2), turn @ np.array([[1.2, 0.3], [0.3, 0.8]])])
    plain, moved = canonical(blob(maps), rotate=rotate)
    change = np.abs(plain - moved).max() / plain.max()
    assert change < (0.1 if rotate else 0.4)  # of linear interpolation, and of the rotation left
    mass = plain[..., 0] / plain.sum()
    line = np.arange(40) - 19.5
    assert abs((mass.sum(axis=1) * line).sum()) < 0.2  # the tails that the frame cuts off
    assert (mass.sum(axis=1) * line**2).sum() == pytest.approx(64, rel=0.05)
    assert np.isfinite(canonical(np.zeros((1, 8, 8, 1)), rotate=rotate)).all()


def test_logarithms_in_closed_form(x64):
    random = np.random.default_rng(0)
    matrices = scipy.linalg.expm(random.normal(size=(20, 2, 2)))
    near = np.eye(2) + 1e-3 * random.normal(size=(5, 2, 2))
    jordan = np.array([[[1.0, 1.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 2.0]], [[-0.9, 0.2], [-0.2, -0.9]]])
    matrices = np.concatenate([matrices, near, jordan])
    logs, exists = jax.jit(plane_log)(jnp.asarray(matrices))
    assert exists.all()
    np.testing.assert_allclose(logs, [scipy.linalg.logm(each) for each in matrices], atol=1e-9)
    signs = jnp.array([[-2.0, -0.5], [1.0, -1.0], [-1.0, -1.0]])
    _, exists = plane_log(jax.vmap(jnp.diag)(signs))
    assert not exists.any()


def test_exponential_features_are_coordinates_and_finite(x64):
    a = np.array([0.3, -0.2, 0.5])
    g = LinearMap(jnp.asarray(scipy.linalg.expm(np.tensordot(a, coordinate_basis(SL(2)), 1))))
    got = jax.jit(lambda g: exponential_features(SL(2), g))(g)
    np.testing.assert_allclose(got, a, atol=1e-10)
    points = jnp.array([[[1.0, 0.0], [0.0, 1.0]], [[-2.0, 0.0], [0.0, -0.5]], [[-1.0, 0.0], [0.0, -1.0]]])
    total = jax.grad(lambda m: jnp.sum(exponential_features(GL(2), LinearMap(m))))
    grads = jax.jit(jax.vmap(total))(points)
    assert np.isfinite(grads).all()


def test_exp_misses_elements_and_polar_coordinates_do_not():
    reach = invariance.coordinate_reach(4, 0.3, sets=50)
    assert 0.01 < reach.missed < 0.5
    assert reach.polar_error < 1e-12


def test_images_of_gaussians_move_exactly():
    quarter = np.array([[0.0, -1.0], [1.0, 0.0]])[None]
    plain, turned = invariance.blob_images(np.eye(2)[None]), invariance.blob_images(quarter)
    np.testing.assert_allclose(turned, np.rot90(plain, 1, axes=(1, 2)), atol=1e-6)


def test_networks_of_all_methods():
    x = jnp.ones((2, 20, 20, 1))
    sizes = {}
    for method, about in METHODS.items():
        model = make_network(method, channels=2, num_samples=3)
        policy = None if about.group is None else SamplePolicy(about.group, 3)
        samples = () if policy is None else (jax.eval_shape(policy, jax.random.key(0)),)
        shapes = jax.eval_shape(model.init_with_output, jax.random.key(1), x, *samples)
        assert shapes[0].shape == (2, 10)
        sizes[method] = sum(leaf.size for leaf in jax.tree.leaves(shapes[1]))
    assert sizes["cnn"] < sizes["cnn_wide"] == sizes["augmented"] == sizes["canonical"]
    np.testing.assert_allclose(halved(jnp.arange(16.0).reshape(1, 4, 4, 1, 1))[0, 0, 0, 0, 0], 2.5)


def test_features_of_group_networks_have_a_point_for_each_pixel_and_sample():
    body = LieFeatures(SL(2), 2, 3)
    samples = SamplePolicy(SL(2), 3)(jax.random.key(0))
    shape = jax.eval_shape(body.init_with_output, jax.random.key(1), jnp.ones((2, 20, 20, 1)), samples)[
        0
    ].shape
    assert shape == (2, 6 * 6 * 3, 3)


def outcomes(**drops):
    made = {}
    for method, (centred, affine, turned) in drops.items():
        values = dict(
            zip(("centred", "affine", "affine, any rotation"), (centred, affine, turned), strict=True)
        )
        made[method] = reporting.Outcome({name: np.array([v]) for name, v in values.items()}, 1, 1.0)
    return made


def test_claims_follow_the_numbers():
    found = outcomes(cnn_wide=(97, 70, 30), so2=(95, 75, 60), sl2=(96, 90, 70), gl2=(90, 88, 72))
    assert reporting.smaller_drop_claim(found, "sl2").verdict == "holds"
    assert reporting.smaller_drop_claim(found, "gl2").verdict == "holds if centred digits may be told worse"
    assert reporting.between_claim(found).verdict == "holds"
    assert reporting.better_claim("t", found, "affine, any rotation", "gl2").verdict == "holds"
    assert reporting.better_claim("t", found, "affine", "augmented", "gl2").verdict == "not measured"
    worse = outcomes(cnn_wide=(97, 70, 30), so2=(95, 60, 60), sl2=(96, 68, 70), gl2=(90, 88, 30.5))
    assert reporting.smaller_drop_claim(worse, "sl2").verdict == "does not hold here"
    lost = outcomes(cnn_wide=(97, 70, 30), gl2=(20, 18, 15))
    assert reporting.smaller_drop_claim(lost, "gl2").verdict == "does not hold here"
    assert reporting.between_claim(worse).verdict == "does not hold here"
    assert reporting.better_claim("t", worse, "affine, any rotation", "gl2").verdict == "does not hold here"
    curves = {"SO(2)": np.array([1.0, 0.1]), "SL(2)": np.array([1.0, 0.8])}
    untrained = reporting.Untrained((2, 8), curves, {}, invariance.Reach(0.1, 1e-14), {})
    assert reporting.samples_claim(untrained).verdict == "holds if the group is SO(2)"
    assert reporting.reach_claim(untrained.reach).verdict == "holds"
    assert reporting.reach_claim(invariance.Reach(0.0, 1e-14)).verdict == "does not hold here"


def test_a_run_that_was_killed_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(invariance, "error_curves", lambda counts, _: {"SO(2)": np.array([1.0, 0.5])})
    monkeypatch.setattr(invariance, "network_errors", lambda *_: {"SO(2)": 0.5})
    monkeypatch.setattr(invariance, "coordinate_reach", lambda *_: invariance.Reach(0.1, 1e-14))
    monkeypatch.setattr(invariance, "haar_sample_sizes", lambda *_: {0.5: 0.1})
    first = affine_images.run(CONFIG, tmp_path)
    before = (tmp_path / "whitened_0" / "metrics.jsonl").read_bytes()
    again = affine_images.run(CONFIG, tmp_path)
    assert (tmp_path / "whitened_0" / "metrics.jsonl").read_bytes() == before, "nothing was trained again"
    values = [{(row.method, row.metric): row.value for row in report.rows} for report in (first, again)]
    assert values[0] == values[1]
    assert all((tmp_path / name).stat().st_size > 0 for name in first.figures)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("methods", ("so3",), "methods must be one of 'cnn', .*, got 'so3'"),
        ("methods", (), "methods must be at least one, none twice"),
        ("source", "emnist", "source must be one of"),
        ("fixed_part", 1.5, r"fixed_part must be between 0 and 1, got 1\.5"),
        ("curve_samples", (8, 4), "curve_samples must be at least two, ascending"),
        ("batch_size", 100, "batch_size must be at most num_train=40, got 100"),
        ("log_std", 0.0, "log_std must be a number above 0"),
    ],
)
def test_configurations_out_of_range_are_refused(field, value, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CONFIG, **{field: value})

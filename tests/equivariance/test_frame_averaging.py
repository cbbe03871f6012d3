import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import equijax as ej
from equijax.euclid import pca_frame, translation_frame
from equijax.groups import (
    SE,
    SO,
    Cyclic,
    E,
    O,
    PermutationTensor,
    Point,
    Pseudoscalar,
    Regular,
    S,
    Trivial,
    Vector,
    sample_frame,
    uniform_frame,
)

N = 7
quick_jit = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
KEYS = jax.random.split(jax.random.key(0), 8)
W1, B1 = 0.5 * jax.random.normal(KEYS[0], (6 * N, 24)), jax.random.normal(KEYS[1], (24,))
W2, B2 = 0.5 * jax.random.normal(KEYS[2], (24, 3 * N + 13)), jax.random.normal(KEYS[3], (3 * N + 13,))


def backbone(x, v):
    """A perceptron with biases, on positions and velocities: positions, vectors, scalars and a matrix."""
    hidden = jnp.tanh(jnp.concatenate([x.ravel(), v.ravel()]) @ W1.astype(x.dtype) + B1.astype(x.dtype))
    out = hidden @ W2.astype(x.dtype) + B2.astype(x.dtype)
    return {
        "points": out[: 3 * N].reshape(N, 3),
        "vector": out[3 * N : 3 * N + 3],
        "scalar": out[3 * N + 3],
        "matrix": out[3 * N + 4 :].reshape(3, 3),
    }


IN_REPS = (Point(), Vector())
OUT_REPS = {"points": Point(), "vector": Vector(), "scalar": Trivial(), "matrix": Vector() * Vector()}


def frame_of(group):
    return lambda x, v: pca_frame(x, group=group)


def cloud(dtype=float):
    return jax.random.normal(KEYS[4], (N, 3), dtype), jax.random.normal(KEYS[5], (N, 3), dtype)


def largest_error(f, group, in_reps=IN_REPS, out_reps=OUT_REPS, args=None, num_samples=4):
    args = cloud() if args is None else args
    errors = quick_jit(
        lambda key: ej.equivariance.error(f, group, in_reps, out_reps, args, key=key, num_samples=num_samples)
    )(KEYS[6])
    return max(float(leaf) for leaf in jax.tree.leaves(errors))


@pytest.mark.parametrize("group", [E(3, bound=5.0), SE(3, bound=5.0)])
def test_averages_are_equivariant(group, x64):
    assert largest_error(backbone, group) > 0.1
    averaged = ej.equivariance.frame_average(backbone, frame_of(group), IN_REPS, OUT_REPS)
    assert largest_error(averaged, group) < 1e-12


def test_averages_are_equivariant_in_single_precision():
    averaged = ej.equivariance.frame_average(backbone, frame_of(E(3)), IN_REPS, OUT_REPS)
    args = cloud(jnp.float32)
    assert largest_error(averaged, E(3), args=args) < 1e-4
    assert averaged(*args)["points"].dtype == jnp.float32


def test_a_frame_of_rotations_is_not_exact_for_reflections(x64):
    averaged = ej.equivariance.frame_average(backbone, frame_of(SE(3)), IN_REPS, OUT_REPS)
    assert largest_error(averaged, E(3)) > 1e-2


def test_one_element_of_a_frame_is_not_enough(x64):
    first = ej.equivariance.frame_average(
        backbone, lambda x, v: sample_frame(KEYS[7], pca_frame(x, group=E(3)), 1), IN_REPS, OUT_REPS
    )
    assert largest_error(first, E(3)) > 1e-2


def test_pseudoscalars_change_sign(x64):
    averaged = ej.equivariance.frame_average(
        lambda x, v: backbone(x, v)["scalar"], frame_of(E(3)), IN_REPS, Pseudoscalar()
    )
    x, v = cloud()
    np.testing.assert_allclose(averaged(-x, -v), -averaged(x, v), rtol=1e-12)
    assert abs(averaged(x, v)) > 1e-3


def test_equivariant_functions_stay_what_they_are(x64):
    def invariant(x, v):
        relative = x - jnp.mean(x, axis=0)
        return {
            "points": x + jnp.sum(v**2) * relative,
            "vector": jnp.sum(v * jnp.sum(relative**2, axis=1, keepdims=True), axis=0),
            "scalar": jnp.sum(relative * v),
            "matrix": relative.T @ v,
        }

    averaged = ej.equivariance.frame_average(invariant, frame_of(E(3)), IN_REPS, OUT_REPS)
    for got, want in zip(
        jax.tree.leaves(quick_jit(averaged)(*cloud())), jax.tree.leaves(invariant(*cloud())), strict=True
    ):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


def test_averaging_is_a_linear_projection(x64):
    def average(f):
        return ej.equivariance.frame_average(f, frame_of(E(3)), IN_REPS, OUT_REPS)

    def other(x, v):
        return jax.tree.map(jnp.sin, backbone(v, x))

    def mixed(x, v):
        return jax.tree.map(lambda a, b: 0.25 * a + 0.75 * b, backbone(x, v), other(x, v))

    once = quick_jit(average(backbone))(*cloud())
    twice = quick_jit(average(average(backbone)))(*cloud())
    second = quick_jit(average(other))(*cloud())
    for name, got in quick_jit(average(mixed))(*cloud()).items():
        np.testing.assert_allclose(twice[name], once[name], rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(got, 0.25 * once[name] + 0.75 * second[name], rtol=1e-11, atol=1e-12)


def test_a_permutation_equivariant_backbone_stays_that(x64):
    # Theorem 4: the frame does not see the order of the points.
    def messages(x):
        pairs = jnp.concatenate([x[:, None] + 0 * x, 0 * x[:, None] + x], axis=-1)
        hidden = jnp.tanh(pairs @ W1[:6].astype(x.dtype) + B1)
        return jnp.sum(hidden, axis=1) @ W2[:, :3].astype(x.dtype) + B2[:3]

    averaged = ej.equivariance.frame_average(
        messages, lambda x: pca_frame(x, group=E(3)), (Point(),), Point()
    )
    rep = PermutationTensor(1) @ Point()
    assert largest_error(averaged, S(N) * E(3), (rep,), rep, (cloud()[0],)) < 1e-12
    assert largest_error(messages, S(N) * E(3), (rep,), rep, (cloud()[0],)) > 0.1


def test_batches_of_frames_agree_with_single_ones(x64):
    keys = jax.random.split(KEYS[6], 2)
    x, v = (jax.random.normal(key, (2, 3, N, 3)) for key in keys)
    averaged = ej.equivariance.frame_average(jax.vmap(jax.vmap(backbone)), frame_of(E(3)), IN_REPS, OUT_REPS)
    single = ej.equivariance.frame_average(backbone, frame_of(E(3)), IN_REPS, OUT_REPS)
    together = quick_jit(averaged)(x, v)
    for name, want in quick_jit(jax.vmap(jax.vmap(single)))(x, v).items():
        np.testing.assert_allclose(together[name], want, rtol=1e-11, atol=1e-12)


def test_averages_differentiate(x64):
    x, v = cloud()
    averaged = ej.equivariance.frame_average(
        lambda x, v: backbone(x, v)["scalar"], frame_of(E(3)), IN_REPS, Trivial()
    )
    force = jax.grad(averaged)
    assert largest_error(force, E(3), IN_REPS, Vector()) < 1e-12
    np.testing.assert_allclose(jnp.sum(quick_jit(force)(x, v), axis=0), 0, atol=1e-12)


def test_the_backbone_is_traced_once():
    calls = []

    def counted(x):
        calls.append(x.shape)
        return x

    ej.equivariance.average_over(
        counted, pca_frame(cloud()[0], group=E(3)), (Point(),), Point(), (cloud()[0],)
    )
    assert calls == [(N, 3)]


def test_frames_given_beforehand(x64):
    # The whole group as a frame is the Reynolds operator.
    x = jax.random.normal(KEYS[0], (4,))
    frame = uniform_frame(Cyclic(4), Cyclic(4).elements())
    mine = ej.equivariance.average_over(
        lambda x: jnp.tanh(x @ W1[:4, :4]), frame, (Regular(),), Regular(), (x,)
    )
    whole = ej.equivariance.symmetrise(lambda x: jnp.tanh(x @ W1[:4, :4]), Cyclic(4), (Regular(),), Regular())
    np.testing.assert_allclose(mine, whole(x), rtol=1e-12)


def test_canonical_forms_are_the_same_for_moved_input(x64):
    x = cloud()[0]
    g = E(3).sample(KEYS[6])
    forms = [
        ej.equivariance.canonicalize(pca_frame(each, group=E(3)), (Point(),), (each,))[0]
        for each in (x, Point().act(g, x))
    ]
    distances = jnp.max(jnp.abs(forms[0][:, None] - forms[1]), axis=(2, 3))
    assert jnp.all(jnp.min(distances, axis=0) < 1e-12)
    assert jnp.all(jnp.min(distances, axis=1) < 1e-12)


def test_integer_outputs_are_averaged_as_reals():
    frame = uniform_frame(Cyclic(4), Cyclic(4).elements())
    mean = ej.equivariance.average_over(
        lambda x: x[0], frame, (Regular(),), Trivial(), (jnp.array([1, 2, 3, 5]),)
    )
    assert mean == 2.75


def test_stochastic_averages_are_unbiased(x64):
    stochastic = ej.equivariance.stochastic_frame_average(
        lambda x, v: backbone(x, v)["vector"], frame_of(E(3)), IN_REPS, Vector(), num_samples=2
    )
    full = ej.equivariance.frame_average(
        lambda x, v: backbone(x, v)["vector"], frame_of(E(3)), IN_REPS, Vector()
    )
    x, v = cloud()
    keys = jax.random.split(KEYS[7], 3000)

    def both(f):
        return lambda x: (f(x), jax.grad(lambda x: jnp.sum(jnp.sin(jnp.arange(3.0)) * f(x)))(x))

    draws = quick_jit(jax.vmap(lambda key: both(lambda x: stochastic(key, x, v))(x)))(keys)
    for draw, want in zip(draws, quick_jit(both(lambda x: full(x, v)))(x), strict=True):
        error = 4.5 * np.std(draw, axis=0) / np.sqrt(len(keys)) + 1e-12
        assert np.all(np.abs(np.mean(draw, axis=0) - want) < error)
    exact = ej.equivariance.stochastic_frame_average(
        lambda x, v: backbone(x, v)["vector"], frame_of(E(3)), IN_REPS, Vector(), num_samples=8
    )
    np.testing.assert_allclose(exact(keys[0], x, v), full(x, v), rtol=1e-12)


def test_errors_name_the_argument():
    average = ej.equivariance.frame_average
    x, v = cloud()
    with pytest.raises(TypeError, match="fn must be a function"):
        average(3, frame_of(E(3)), IN_REPS, OUT_REPS)
    with pytest.raises(TypeError, match="frame must be a function"):
        average(backbone, pca_frame(x, group=E(3)), IN_REPS, OUT_REPS)
    with pytest.raises(TypeError, match="frame must be a Frame, got tuple"):
        average(backbone, lambda x, v: (x, v), IN_REPS, OUT_REPS)(x, v)
    with pytest.raises(ValueError, match=r"args\[1\] must have shape \(..., 3\)"):
        average(backbone, frame_of(E(3)), IN_REPS, OUT_REPS)(x, v[:, :2])
    with pytest.raises(ValueError, match="output must have shape"):
        average(lambda x: x[:, :2], lambda x: pca_frame(x, group=E(3)), (Point(),), Point())(x)
    with pytest.raises(ValueError, match=r"args\[1\] must have shape \(2, ...\), the axes of the frames"):
        average(backbone, frame_of(E(3)), IN_REPS, OUT_REPS)(jnp.stack([x, x]), v)
    with pytest.raises(ValueError, match=r"output must have shape \(8, 2, ...\)"):
        average(jnp.sum, lambda x: pca_frame(x, group=O(3)), (Vector(),), Trivial())(jnp.stack([x, x]))
    with pytest.raises(ValueError, match="num_samples must be a number of at least 1"):
        ej.equivariance.stochastic_frame_average(backbone, frame_of(E(3)), IN_REPS, OUT_REPS, num_samples=0)
    with pytest.raises(TypeError, match="args must be a tuple"):
        ej.equivariance.canonicalize(translation_frame(x), (Point(),), x)
    with pytest.raises(TypeError, match="SO"):
        average(backbone, frame_of(SO(2)), (PermutationTensor(1), Vector()), OUT_REPS)(x[:, :2], v)

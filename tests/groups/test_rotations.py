import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
import scipy.stats
from scipy.spatial.transform import Rotation

from equijax.groups import rotations

pytestmark = pytest.mark.usefixtures("x64")

AXES = np.array(
    [[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0], [1, 1, 1], [1, -2, 0.5], [1e-9, 1, 1e-9]], float
)
AXES /= np.linalg.norm(AXES, axis=-1, keepdims=True)
ANGLES = np.array([0.0, 1e-12, 1e-9, 1e-4, 0.19, 0.21, 1.0, 2.0, np.pi - 1e-4, np.pi - 1e-9, np.pi])


def close(actual, desired, tolerance=1e-10):
    np.testing.assert_allclose(actual, desired, rtol=0, atol=tolerance)


def test_exp_and_log_agree_with_scipy_at_every_angle():
    a = (ANGLES[:, None, None] * AXES).reshape(-1, 3)
    rotation = jax.jit(lambda a: rotations.exp(a, 3))(a)
    reference = Rotation.from_rotvec(a)
    close(rotation, reference.as_matrix(), 1e-15)
    log = jax.jit(rotations.log)(rotation)
    close(rotations.exp(log, 3), rotation)
    close(np.linalg.norm(log, axis=-1), np.repeat(ANGLES, len(AXES)), 1e-9)
    below = np.repeat(ANGLES, len(AXES)) < np.pi - 1e-10
    close(log[below], a[below], 1e-9)


def test_log_of_half_turns_is_a_logarithm():
    half_turns = 2 * AXES[:, :, None] * AXES[:, None, :] - np.eye(3)
    log = jax.jit(rotations.log)(half_turns)
    close(np.linalg.norm(log, axis=-1), np.pi)
    close(rotations.exp(log, 3), half_turns)


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-4, np.pi - 1e-9, np.pi, -np.pi + 1e-9])
def test_plane_rotations(angle):
    rotation = rotations.exp(jnp.array([angle]), 2)
    close(rotation, [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], 1e-15)
    close(rotations.log(rotation), [angle], 1e-15)


@pytest.mark.parametrize("n", [4, 5])
def test_higher_dimensions_agree_with_scipy(n):
    rng = np.random.default_rng(n)
    a = rng.normal(size=(3, n * (n - 1) // 2)) * np.array([[1e-9], [0.1], [0.7]])
    rotation = rotations.exp(a, n)
    for one, r in zip(a, rotation, strict=True):
        close(r, scipy.linalg.expm(np.asarray(rotations.hat(one, n))), 1e-13)
    close(jax.jit(rotations.log)(rotation), a)


def test_log_in_four_dimensions_near_half_turns():
    a = np.zeros(6)
    a[0], a[5] = np.pi - 1e-3, 1.0
    close(rotations.log(rotations.exp(a, 4)), a, 1e-9)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_gradients_at_the_identity_are_finite_and_right(n):
    zero = jnp.zeros(n * (n - 1) // 2)
    close(jax.jit(jax.jacfwd(lambda a: rotations.vee(rotations.exp(a, n))))(zero), np.eye(len(zero)))
    # The differential of log at 1, along the skew matrices, inverts that of exp.
    jacobian = jax.jit(jax.jacrev(rotations.log))(jnp.eye(n))
    close(np.einsum("kij,lij->kl", jacobian, rotations.generators(n)), np.eye(len(zero)))
    hessian = jax.jit(jax.hessian(lambda a: jnp.sum(rotations.log(rotations.exp(a, n)) ** 2)))(zero)
    close(hessian, 2 * np.eye(len(zero)))


def test_gradient_of_the_angle_is_finite_at_half_turns():
    a = jnp.array([0.0, np.pi, 0.0])
    gradient = jax.jit(jax.grad(lambda a: jnp.sum(rotations.log(rotations.exp(a, 3)) ** 2)))(a)
    assert jnp.all(jnp.isfinite(gradient))


def test_quaternions_agree_with_scipy():
    reference = Rotation.random(50, random_state=0)
    q = jax.jit(rotations.quaternion)(reference.as_matrix())
    expected = reference.as_quat(canonical=True)[:, [3, 0, 1, 2]]
    close(q, expected, 1e-14)
    close(rotations.from_quaternion(3 * q), reference.as_matrix(), 1e-14)


def test_hat_is_the_cross_product():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 5, 3))
    close(jnp.einsum("bij,bj->bi", rotations.hat(a, 3), b), np.cross(a, b), 1e-14)
    close(rotations.vee(rotations.hat(a, 3)), a, 1e-14)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_exp_integral_is_the_integral(n):
    a = np.random.default_rng(n).normal(size=n * (n - 1) // 2)
    points, weights = np.polynomial.legendre.leggauss(20)
    steps = rotations.exp((points[:, None] + 1) / 2 * a, n)
    close(rotations.exp_integral(a, n), np.einsum("t,tij->ij", weights / 2, steps), 1e-12)


def test_angles_of_samples_have_the_haar_density():
    # On SO(3) the angle t has density (1 - cos t) / pi; on SO(2) it is uniform.
    space = rotations.sample(jax.random.key(1), 3, (20_000,), jnp.float64)
    angles = np.linalg.norm(jax.jit(rotations.log)(space), axis=-1)
    assert scipy.stats.kstest(angles, lambda t: (t - np.sin(t)) / np.pi).pvalue > 0.01
    plane = rotations.sample(jax.random.key(2), 2, (20_000,), jnp.float64)
    uniform = scipy.stats.uniform(-np.pi, 2 * np.pi)
    assert scipy.stats.kstest(rotations.log(plane)[:, 0], uniform.cdf).pvalue > 0.01


@pytest.mark.parametrize("n", [2, 3, 4])
def test_moments_of_matrix_entries_are_those_of_haar_measure(n):
    count = 20_000
    r = rotations.sample(jax.random.key(n), n, (count,), jnp.float64)
    close(jnp.einsum("bij,bkj->bik", r, r), np.broadcast_to(np.eye(n), r.shape), 1e-13)
    close(jnp.linalg.det(r), np.ones(count), 1e-13)
    close(jnp.mean(r, axis=0), np.zeros((n, n)), 5 / np.sqrt(count))
    second = jnp.einsum("bij,bkl->ijkl", r, r) / count
    expected = np.einsum("ik,jl->ijkl", np.eye(n), np.eye(n)) / n
    if n == 2:  # rotations of the plane commute, which leaves a second invariant
        turn = np.array([[0.0, -1.0], [1.0, 0.0]])
        expected = expected + np.einsum("ik,jl->ijkl", turn, turn) / n
    close(second, expected, 5 / np.sqrt(count))
    if n > 2:  # E r11^4 = 3 / (n (n + 2)): the first row is uniform on a sphere
        close(jnp.mean(r[:, 0, 0] ** 4), 3 / (n * (n + 2)), 5 / np.sqrt(count))


@pytest.mark.parametrize("n", [2, 3, 4])
def test_samples_keep_the_dtype(n):
    for dtype in (jnp.float16, jnp.float32):
        r = rotations.sample(jax.random.key(0), n, (3,), dtype)
        assert r.dtype == dtype
        close(jnp.einsum("bij,bkj->bik", r, r), np.broadcast_to(np.eye(n), r.shape), 1e-2)


def test_single_precision_round_trip_near_half_turns():
    with jax.enable_x64(False):
        a = (ANGLES[:, None, None] * AXES).reshape(-1, 3).astype(np.float32)
        rotation = jax.jit(lambda a: rotations.exp(a, 3))(a)
        assert rotation.dtype == jnp.float32
        close(jax.jit(lambda r: rotations.exp(rotations.log(r), 3))(rotation), rotation, 2e-6)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"a must have shape \(..., dim\), dim=3, got \(2,\)"):
        rotations.exp(jnp.zeros(2), 3)
    with pytest.raises(ValueError, match=r"rotation must have shape \(..., n, n\), got \(3, 2\)"):
        rotations.log(jnp.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"q must have shape \(..., 4\), got \(3,\)"):
        rotations.from_quaternion(jnp.zeros(3))

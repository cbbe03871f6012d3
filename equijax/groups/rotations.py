"""Rotation matrices of R^n: generators, exponential, logarithm, random draws, quaternions.

Coordinates of so(n): one number for n = 2 (the angle, counter-clockwise), the rotation vector for n = 3 (axis
times angle, right-handed), one for each pair ``i < j`` in lexicographic order otherwise, turning axis ``i``
towards axis ``j``. Angles are in radians. For n <= 3 everything is in closed form (Rodrigues).
"""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.numerics import check, safe, trigonometry


@functools.lru_cache
def generators(n: int) -> Float[np.ndarray, "dim n n"]:
    """The basis of so(n), skew matrices in float64; read-only.

    Example:
      >>> generators(2)
      array([[[ 0., -1.],
              [ 1.,  0.]]])
    """
    # For n = 3 the vector (x, y, z) turns y to z, z to x, x to y.
    planes = [(1, 2), (2, 0), (0, 1)] if n == 3 else list(itertools.combinations(range(n), 2))
    basis = np.zeros((len(planes), n, n))
    for matrix, (i, j) in zip(basis, planes, strict=True):
        matrix[i, j], matrix[j, i] = -1.0, 1.0
    basis.flags.writeable = False
    return basis


def hat(a: Float[Array, "... dim"], n: int) -> Float[Array, "... n n"]:
    """The skew matrix of so(n) with coordinates ``a``; for n = 3, ``hat(a, 3) @ b`` is the cross product.

    Raises:
      ValueError: if the last axis of ``a`` is not n (n - 1) / 2.

    Example:
      >>> hat(jnp.array([0.0, 0.0, 1.0]), 3) @ jnp.array([1.0, 0.0, 0.0])
      Array([0., 1., 0.], dtype=float32)
    """
    basis = generators(n)
    check.shape("a", a, "... dim", dim=len(basis))
    return jnp.einsum("...k,kij->...ij", a, jnp.asarray(basis, jnp.result_type(a)), precision="highest")


def vee(matrix: Float[Array, "... n n"]) -> Float[Array, "... dim"]:
    """The coordinates of the skew part of a matrix: the inverse of `hat`.

    Raises:
      ValueError: if the matrices are not square.

    Example:
      >>> vee(hat(jnp.array([1.0, 2.0, 3.0]), 3))
      Array([1., 2., 3.], dtype=float32)
    """
    n = check.shape("matrix", matrix, "... n n")["n"]
    basis = jnp.asarray(generators(n), matrix.dtype)
    return jnp.einsum("...ij,kij->...k", matrix, basis, precision="highest") / 2


def exp(a: Float[Array, "... dim"], n: int) -> Float[Array, "... n n"]:
    """The rotation matrix with logarithm ``a``.

    Raises:
      ValueError: if the last axis of ``a`` is not n (n - 1) / 2.

    Example:
      >>> exp(jnp.array([jnp.pi]), 2).round(4)
      Array([[-1.,  0.],
             [-0., -1.]], dtype=float32)
    """
    skew = hat(a, n)
    if n > 3:
        return jax.scipy.linalg.expm(skew)
    first, second = trigonometry.sinc(_square(a)), trigonometry.cosc(_square(a))
    return jnp.eye(n, dtype=skew.dtype) + first * skew + second * _matmul(skew, skew)


def exp_integral(a: Float[Array, "... dim"], n: int) -> Float[Array, "... n n"]:
    """The integral of ``exp(t a)`` over t in [0, 1]: what carries a velocity to the shift of a screw motion.

    Raises:
      ValueError: if the last axis of ``a`` is not n (n - 1) / 2.

    Example:
      >>> exp_integral(jnp.zeros(1), 2)
      Array([[1., 0.],
             [0., 1.]], dtype=float32)
    """
    skew = hat(a, n)
    if n > 3:
        # exp([[K, 1], [0, 0]]) = [[exp K, integral], [0, 1]] (Van Loan 1978).
        eye = jnp.broadcast_to(jnp.eye(n, dtype=skew.dtype), skew.shape)
        top = jnp.concatenate([skew, eye], axis=-1)
        return jax.scipy.linalg.expm(jnp.concatenate([top, jnp.zeros_like(top)], axis=-2))[..., :n, n:]
    first, second = trigonometry.cosc(_square(a)), trigonometry.sinc_defect(_square(a))
    return jnp.eye(n, dtype=skew.dtype) + first * skew + second * _matmul(skew, skew)


def log(rotation: Float[Array, "... n n"]) -> Float[Array, "... dim"]:
    """The principal logarithm of a rotation matrix, with angles in [-pi, pi].

    For n <= 3 it is defined everywhere and accurate at every angle; at angle pi, where ``a`` and ``-a`` have
    one exponential, one of the two is returned. For n >= 4 rotation angles must stay 1e-4 below pi. Gradients
    are finite wherever the logarithm is defined.

    Raises:
      ValueError: if the matrices are not square.

    Example:
      >>> log(exp(jnp.array([0.25, -0.5, 0.0]), 3)).round(4)
      Array([ 0.25, -0.5 ,  0.  ], dtype=float32)
    """
    n = check.shape("rotation", rotation, "... n n")["n"]
    rotation = jnp.asarray(rotation)
    if n == 1:
        return jnp.zeros((*rotation.shape[:-2], 0), rotation.dtype)
    if n == 2:
        sine = rotation[..., 1, 0] - rotation[..., 0, 1]
        return jnp.arctan2(sine, rotation[..., 0, 0] + rotation[..., 1, 1])[..., None]
    if n == 3:
        return _quaternion_log(quaternion(rotation))
    return _general_log(rotation)


def quaternion(rotation: Float[Array, "... 3 3"]) -> Float[Array, "... 4"]:
    """The unit quaternion (w, x, y, z) with w >= 0 of a rotation matrix of R^3.

    The matrix determines ``4 q q^T``; the row with the largest diagonal gives q without cancellation
    (Shepperd 1978), so the result is accurate and smooth at every angle but pi, where the sign of q jumps.

    Raises:
      ValueError: if the matrices are not 3 by 3.

    Example:
      >>> quaternion(jnp.eye(3))
      Array([1., 0., 0., 0.], dtype=float32)
    """
    check.shape("rotation", rotation, "... 3 3")
    r = [[rotation[..., i, j] for j in range(3)] for i in range(3)]
    w_x, w_y, w_z = r[2][1] - r[1][2], r[0][2] - r[2][0], r[1][0] - r[0][1]
    x_y, x_z, y_z = r[0][1] + r[1][0], r[0][2] + r[2][0], r[1][2] + r[2][1]
    rows = [
        [1 + r[0][0] + r[1][1] + r[2][2], w_x, w_y, w_z],
        [w_x, 1 + r[0][0] - r[1][1] - r[2][2], x_y, x_z],
        [w_y, x_y, 1 - r[0][0] + r[1][1] - r[2][2], y_z],
        [w_z, x_z, y_z, 1 - r[0][0] - r[1][1] + r[2][2]],
    ]
    table = jnp.stack([jnp.stack(row, axis=-1) for row in rows], axis=-2)
    largest = jnp.argmax(jnp.diagonal(table, axis1=-2, axis2=-1), axis=-1)
    row = jnp.take_along_axis(table, largest[..., None, None], axis=-2)[..., 0, :]
    q = safe.normalize(row)
    return jnp.where(q[..., :1] < 0, -q, q)


def from_quaternion(q: Float[Array, "... 4"]) -> Float[Array, "... 3 3"]:
    """The rotation matrix of a quaternion (w, x, y, z), which is normalised first.

    Raises:
      ValueError: if the last axis is not 4.

    Example:
      >>> from_quaternion(jnp.array([2.0, 0.0, 0.0, 0.0]))
      Array([[1., 0., 0.],
             [0., 1., 0.],
             [0., 0., 1.]], dtype=float32)
    """
    check.shape("q", q, "... 4")
    q = safe.normalize(q)
    skew = hat(q[..., 1:], 3)
    return jnp.eye(3, dtype=q.dtype) + 2 * q[..., :1, None] * skew + 2 * _matmul(skew, skew)


def sample(key: Array, n: int, shape: tuple[int, ...] = (), dtype=jnp.float32) -> Float[Array, "... n n"]:
    """Rotation matrices from Haar measure on SO(n).

    Example:
      >>> sample(jax.random.key(0), 4, (10,)).shape
      (10, 4, 4)
    """
    working = jnp.promote_types(dtype, jnp.float32)
    if n == 2:
        angle = jax.random.uniform(key, (*shape, 1), working, -np.pi, np.pi)
        return exp(angle, 2).astype(dtype)
    if n == 3:
        # A Gaussian vector of R^4 has a uniform direction, and S^3 covers SO(3) with constant density.
        return from_quaternion(jax.random.normal(key, (*shape, 4), working)).astype(dtype)
    q, r = jnp.linalg.qr(jax.random.normal(key, (*shape, n, n), working))
    # Haar on O(n) needs the QR decomposition with a positive diagonal (Mezzadri 2007).
    q = q * jnp.where(jnp.diagonal(r, axis1=-2, axis2=-1) < 0, -1.0, 1.0)[..., None, :]
    flip = jnp.where(jnp.linalg.det(q) < 0, -1.0, 1.0)[..., None]
    return q.at[..., :, 0].multiply(flip).astype(dtype)


def _matmul(a: Array, b: Array) -> Array:
    """Matrix product in full precision on every device."""
    return jnp.matmul(a, b, precision="highest")


def _square(a: Array) -> Array:
    """The squared rotation angle, with axes that broadcast against matrices."""
    return jnp.sum(a**2, axis=-1)[..., None, None]


def _quaternion_log(q: Array) -> Array:
    """Rotation vector of a unit quaternion with w >= 0."""
    w, vector = q[..., :1], q[..., 1:]
    square = jnp.sum(vector**2, axis=-1, keepdims=True)
    near = square < 0.01
    small = jnp.where(near, square, 0.0)
    # arcsin(s) / s as a series in s^2; at 0.01 the first term left out is below 1e-17.
    series, coefficient = jnp.zeros_like(small), 1.0
    for k in range(8):
        series = series + coefficient / (2 * k + 1) * small**k
        coefficient *= (2 * k + 1) / (2 * k + 2)
    length = jnp.sqrt(jnp.where(near, 1.0, square))
    return 2 * vector * jnp.where(near, series, jnp.arctan2(length, w) / length)


def _general_log(rotation: Array, halvings: int = 3, iterations: int = 20) -> Array:
    """Logarithm by repeated square roots and the series of the inverse hyperbolic tangent.

    The orthogonal polar factor of ``1 + R`` is the principal square root of R (each eigenvalue ``1 + exp(i t)
    = 2 cos(t/2) exp(i t/2)``); Newton's iteration for it is smooth, unlike an eigenvalue method.
    """
    eye = jnp.eye(rotation.shape[-1], dtype=rotation.dtype)

    def newton(_, x):
        return (x + jnp.swapaxes(jnp.linalg.inv(x), -1, -2)) / 2

    for _ in range(halvings):
        rotation = jax.lax.fori_loop(0, iterations, newton, eye + rotation)
    cayley = jnp.linalg.solve(rotation + eye, rotation - eye)
    square = _matmul(cayley, cayley)
    series = jnp.zeros_like(square)
    for k in reversed(range(13)):
        series = eye / (2 * k + 1) + _matmul(square, series)
    return 2**halvings * 2 * vee(_matmul(cayley, series))

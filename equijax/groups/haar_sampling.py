"""Random elements of groups that are not compact, with weights that turn their means into Haar integrals.

Haar measure of such a group is infinite: it cannot be sampled. Elements ``exp(X) R`` are drawn here with R
from Haar measure on SO(n), and X normal: its coordinates in a Frobenius-orthonormal basis are independent
with standard deviation ``log_std``. That density is invariant under rotations from both sides and under
inversion. Each element comes with the logarithm of Haar measure over the proposal's density; with it, or
restricted to a ball ``|X| <= radius``, which rotations leave alone, integrals against Haar measure are
weighted means. (Mironenco and Forre, ICLR 2024, draw ``exp(2 X)`` in coordinates of *variance* 0.1, which
here is ``log_std = 0.16``, and use no weights: their layers integrate against the proposal.)

Conventions of measures are those of `equijax.groups.decompositions.haar`, divided by the volume of SO(n): the
rotations have measure one.
"""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.groups import rotations
from equijax.groups.affine import AffineMap
from equijax.groups.base import Element, default_float
from equijax.groups.decompositions.coordinates import coordinate_basis, num_symmetric
from equijax.groups.decompositions.haar import log_haar_density
from equijax.groups.decompositions.polar import Polar
from equijax.groups.general_linear import GL, SL
from equijax.groups.orthogonal import SO
from equijax.numerics import check

DRAWS = ("independent", "antithetic", "quasi_random")
"""How the elements of a set depend on each other."""

MEASURES = ("proposal", "haar")
"""What means over a set approximate: the mean over the distribution that it is drawn from, or over Haar
measure on a ball."""

REFRESH = ("fixed", "per_step", "per_layer")
"""When a set is drawn anew."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class WeightedSamples:
    """Elements, and what each counts.

    Attributes:
      elements: group elements with batch axes ``(..., count)``.
      log_weights: logarithm of Haar measure over the proposal's density, minus infinity outside of the ball;
        shape ``(..., count)``.

    Example:
      >>> WeightedSamples(SO(2).identity((3,)), jnp.zeros(3)).mean(jnp.array([1.0, 2.0, 3.0]))
      Array(2., dtype=float32)
    """

    elements: Element
    log_weights: Float[Array, "... count"]

    def integral(self, values: Float[Array, "... count"]) -> Float[Array, "..."]:
        """The estimate of the Haar integral of a function over the ball, unbiased.

        Args:
          values: the function at the elements; zero outside of a compact set if there is no ball.
        """
        return jnp.mean(jnp.exp(self.log_weights) * values, axis=-1)

    def mean(self, values: Float[Array, "... count"]) -> Float[Array, "..."]:
        """The mean of a function over the ball, by self-normalised weights."""
        return jnp.sum(normalized_weights(self.log_weights) * values, axis=-1)


def sample_polar(
    key: Array,
    group: GL | SL | SO,
    shape: tuple[int, ...],
    *,
    log_std: float = 0.16,
    radius: float | None = None,
    draw: str = "independent",
    dtype=None,
) -> WeightedSamples:
    """Elements of the identity component of GL(n) or SL(n), or rotations, with log-weights to Haar measure.

    Antithetic sets hold the inverse of each of their elements. Quasi-random sets are points of Hammersley's
    set with a random shift, turned into normal numbers and rotations: each element has the same distribution
    as an independent one, and they cover the group evenly. For n = 2 the rotation angles are equally spaced,
    and none occurs twice.

    Args:
      key: random key.
      group: ``GL(n)``, ``SL(n)`` or ``SO(n)``.
      shape: batch axes; the last one counts the elements of a set, and sets are independent.
      log_std: standard deviation of the coordinates of X, positive.
      radius: elements with a Frobenius norm of X beyond it get weight zero; None for no ball.
      draw: one of :data:`DRAWS`.
      dtype: floating dtype; JAX's default if None.

    Raises:
      TypeError: if the key, the group, the shape or the dtype is none.
      ValueError: if ``shape`` is empty, ``log_std`` or ``radius`` is not positive, ``draw`` is unknown, an
        antithetic set is odd, or a quasi-random one is asked for n > 3.

    Example:
      >>> samples = sample_polar(jax.random.key(0), SL(2), (8,), log_std=0.5, radius=1.0)
      >>> samples.elements.matrix.shape, samples.log_weights.shape
      ((8, 2, 2), (8,))
    """
    check.key("key", key)
    basis = coordinate_basis(group)
    check.axes("shape", shape)
    if not shape:
        raise ValueError("shape must have at least one axis, which counts the elements of a set, got ()")
    check.positive("log_std", log_std)
    if radius is not None:
        check.positive("radius", radius)
    check.one_of("draw", draw, DRAWS)
    dtype = default_float(dtype)
    count = num_symmetric(group)
    normals, rotation = _draw(key, group.n, count, tuple(shape), draw, dtype)
    if count == 0:
        rotation = (
            jnp.concatenate([rotation, _transposed(rotation)], -3) if draw == "antithetic" else rotation
        )
        return WeightedSamples(rotation, jnp.zeros(shape, dtype))
    x = jnp.einsum(
        "...k,kij->...ij", log_std * normals, jnp.asarray(basis[:count], dtype), precision="highest"
    )
    factors = Polar(x, rotation)
    if draw == "antithetic":
        factors = _with_inverses(factors)
    square = jnp.sum(factors.log_stretch**2, axis=(-2, -1))
    log_weights = _log_orthonormal_density(group, factors) + square / (2 * log_std**2)
    log_weights = log_weights + count * math.log(math.sqrt(2 * math.pi) * log_std)
    if radius is not None:
        log_weights = jnp.where(square <= radius**2, log_weights, -jnp.inf)
    return WeightedSamples(group._wrap(factors.matrix()), log_weights)


def sample_affine(
    key: Array,
    group: GL | SL | SO,
    shape: tuple[int, ...],
    *,
    shift: float = 1.0,
    log_std: float = 0.16,
    radius: float | None = None,
    draw: str = "independent",
    dtype=None,
) -> WeightedSamples:
    """Affine maps ``x -> h x + t`` with h in a linear group, with log-weights to left Haar measure.

    Left Haar measure of ``R^n x| H`` is ``dt dh / |det h|``; translations are uniform in the cube
    ``[-shift, shift]^n``, and outside of it weights are not defined. To right Haar measure ``dt dh`` the
    log-weight is larger by ``log|det h|`` (`equijax.groups.decompositions.log_modular`).

    Args:
      key: random key.
      group: H: ``GL(n)``, ``SL(n)`` or ``SO(n)``.
      shape: batch axes; the last one counts the elements of a set.
      shift: half the side of the cube, in the unit of the points.
      log_std, radius, draw, dtype: as for `sample_polar`, of h. Translations are independent in any case, but
        for antithetic sets, which hold the inverse of each h with the opposite translation.

    Returns:
      Samples with `equijax.groups.AffineMap` elements.

    Raises:
      TypeError, ValueError: as for `sample_polar`, or if ``shift`` is not positive.

    Example:
      >>> samples = sample_affine(jax.random.key(0), GL(2), (4,))
      >>> samples.elements.translation.shape
      (4, 2)
    """
    check.positive("shift", shift)
    check.key("key", key)
    linear_key, shift_key = jax.random.split(key)
    linear = sample_polar(linear_key, group, shape, log_std=log_std, radius=radius, draw=draw, dtype=dtype)
    matrix = linear.elements if isinstance(group, SO) else linear.elements.matrix
    translation = jax.random.uniform(shift_key, (*shape, group.n), matrix.dtype, -shift, shift)
    if draw == "antithetic":
        first = translation[..., : shape[-1] // 2, :]
        translation = jnp.concatenate([first, -first], axis=-2)
    log_weights = linear.log_weights + group.n * math.log(2 * shift) - jnp.linalg.slogdet(matrix)[1]
    return WeightedSamples(AffineMap(matrix, translation), log_weights)


def normalized_weights(log_weights: Float[Array, "... count"]) -> Float[Array, "... count"]:
    """Weights along the last axis that add up to one; all equal if every one was zero.

    Raises:
      TypeError: if the logarithms are not real floating-point.

    Example:
      >>> normalized_weights(jnp.log(jnp.array([1.0, 3.0]))).round(4)
      Array([0.25, 0.75], dtype=float32)
    """
    check.floating("log_weights", log_weights)
    log_weights = jnp.asarray(log_weights)
    empty = jnp.all(jnp.isneginf(log_weights), axis=-1, keepdims=True)
    return jax.nn.softmax(jnp.where(empty, 0.0, log_weights), axis=-1)


def effective_sample_size(log_weights: Float[Array, "... count"]) -> Float[Array, "..."]:
    """How many equally weighted samples would do as well: ``(sum w)^2 / sum w^2`` along the last axis.

    It estimates ``count`` over one plus the squared coefficient of variation of the weights, which exists for
    weights restricted to a ball; zero if every weight is.

    Raises:
      TypeError: if the logarithms are not real floating-point.

    Example:
      >>> effective_sample_size(jnp.log(jnp.array([1.0, 1.0, 0.0])))
      Array(2., dtype=float32)
    """
    weights = normalized_weights(log_weights)
    empty = jnp.all(jnp.isneginf(log_weights), axis=-1)
    return jnp.where(empty, 0.0, 1 / jnp.sum(weights**2, axis=-1))


@dataclasses.dataclass(frozen=True)
class SamplePolicy:
    """Which elements of a group a layer sums over, and when they change.

    ``fixed``: one set for every step and layer. ``per_step``: a new set at each step, shared by layers.
    ``per_layer``: a new set for each layer at each step (as the paper does). The set is a function of the
    key, the step and the layer alone: at test time, give fixed steps, and average over them.

    Attributes:
      group: ``GL(n)``, ``SL(n)`` or ``SO(n)``.
      count: elements of a set.
      log_std, radius, draw: as for `sample_polar`; a radius belongs to Haar measure.
      measure: one of :data:`MEASURES`; for ``proposal`` all elements count the same.
      refresh: one of :data:`REFRESH`.

    Raises:
      TypeError, ValueError: if an argument is out of range.

    Example:
      >>> policy = SamplePolicy(SL(2), 6, draw="antithetic")
      >>> policy(jax.random.key(0), step=3, layer=1).log_weights.shape
      (6,)
    """

    group: GL | SL | SO
    count: int
    log_std: float = 0.16
    radius: float | None = None
    draw: str = "quasi_random"
    measure: str = "proposal"
    refresh: str = "fixed"

    def __post_init__(self):
        coordinate_basis(self.group)
        check.count("count", self.count, 1)
        check.positive("log_std", self.log_std)
        check.one_of("draw", self.draw, DRAWS)
        check.one_of("measure", self.measure, MEASURES)
        check.one_of("refresh", self.refresh, REFRESH)
        if (self.radius is None) != (self.measure == "proposal"):
            raise ValueError(
                f"radius must be given for measure='haar' and for no other, got {self.radius!r} for "
                f"measure={self.measure!r}"
            )

    def __call__(self, key: Array, step=0, layer: int = 0, dtype=None) -> WeightedSamples:
        """The set of a step and layer.

        Args:
          key: random key, the same for all steps.
          step: number of the step; may be traced.
          layer: number of the layer.
          dtype: floating dtype; JAX's default if None.
        """
        check.key("key", key)
        if self.refresh != "fixed":
            key = jax.random.fold_in(key, step)
        if self.refresh == "per_layer":
            key = jax.random.fold_in(key, layer)
        samples = sample_polar(
            key,
            self.group,
            (self.count,),
            log_std=self.log_std,
            radius=self.radius,
            draw=self.draw,
            dtype=dtype,
        )
        if self.measure == "proposal":
            return dataclasses.replace(samples, log_weights=jnp.zeros_like(samples.log_weights))
        return samples


def _log_orthonormal_density(group, factors: Polar) -> Array:
    """Density of Haar measure in orthonormal coordinates of X, and rotations of volume one, times theirs."""
    pairs = math.comb(group.n, 2)
    # An off-diagonal entry of X is an orthonormal coordinate over sqrt(2); SL's measure is in those already.
    entries = pairs / 2 * math.log(2) if isinstance(group, GL) else 0.0
    return log_haar_density(group, factors) - entries


def _draw(key, n: int, count: int, shape, draw: str, dtype) -> tuple[Array, Array]:
    """Normal numbers and rotations of a set; half of them for an antithetic one."""
    if draw == "quasi_random":
        return _quasi_random(key, n, count, shape, dtype)
    if draw == "antithetic":
        if shape[-1] % 2:
            raise ValueError(f"shape must end in an even number for antithetic sets, got {shape}")
        shape = (*shape[:-1], shape[-1] // 2)
    return _independent(key, n, count, shape, dtype)


def _with_inverses(factors: Polar) -> Polar:
    """Elements and their inverses, ``(exp(X) R)^-1 = exp(-R^T X R) R^T``, which are as likely."""
    turned_back = _transposed(factors.rotation)
    carried = jnp.einsum(
        "...ij,...jk,...kl->...il", turned_back, factors.log_stretch, factors.rotation, precision="highest"
    )
    return Polar(
        jnp.concatenate([factors.log_stretch, -carried], axis=-3),
        jnp.concatenate([factors.rotation, turned_back], axis=-3),
    )


def _transposed(matrix: Array) -> Array:
    """The transposed matrices."""
    return jnp.swapaxes(matrix, -1, -2)


def _independent(key, n: int, count: int, shape, dtype) -> tuple[Array, Array]:
    """Normal numbers and rotations, all independent."""
    stretch_key, turn_key = jax.random.split(key)
    normals = jax.random.normal(stretch_key, (*shape, count), dtype)
    return normals, rotations.sample(turn_key, n, shape, dtype)


def _quasi_random(key, n: int, count: int, shape, dtype) -> tuple[Array, Array]:
    """Normal numbers and rotations from evenly spread points of the unit cube with a random shift."""
    turns = {2: 1, 3: 3}.get(n)
    if turns is None:
        raise ValueError(
            f"draw must be 'independent' or 'antithetic' for n above 3, got 'quasi_random', n={n}"
        )
    points = jnp.asarray(_even_points(shape[-1], turns + count), dtype)
    shift = jax.random.uniform(key, (*shape[:-1], 1, turns + count), dtype)
    uniform = (points + shift) % 1.0
    edge = jnp.finfo(dtype).eps
    normals = jax.scipy.special.ndtri(jnp.clip(uniform[..., turns:], edge, 1 - edge))
    if n == 2:
        return normals, rotations.exp(2 * np.pi * uniform[..., :1], 2)
    # Shoemake 1992: uniform quaternions from three uniform numbers.
    first, second = 2 * np.pi * uniform[..., 0], 2 * np.pi * uniform[..., 1]
    radius = jnp.clip(uniform[..., 2], edge, 1 - edge)
    long, short = jnp.sqrt(1 - radius), jnp.sqrt(radius)
    q = [long * jnp.sin(first), long * jnp.cos(first), short * jnp.sin(second), short * jnp.cos(second)]
    return normals, rotations.from_quaternion(jnp.stack(q, axis=-1))


@functools.lru_cache(maxsize=64)
def _even_points(count: int, dim: int) -> np.ndarray:
    """Points of the unit cube, evenly spread at every count, read-only.

    The first coordinate is equally spaced; the others are a Kronecker sequence with the powers of the root of
    ``x^dim = x + 1``, which generalises the golden ratio.
    """
    root = 2.0
    for _ in range(60):
        root = (1 + root) ** (1 / dim)
    index = np.arange(count)[:, None]
    points = np.concatenate([index / count, index * root ** -np.arange(1.0, dim)], axis=1) % 1.0
    points.flags.writeable = False
    return points

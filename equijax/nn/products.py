"""Products of signals on the sphere with learned weights.

The modules take arrays of signals, shape ``(..., channels, (lmax + 1)²)``, or ``e3nn_jax.IrrepsArray`` with
equal multiplicities, such as ``8x0e+8x1o+8x2e``, and return the same kind. Both are multiplied channel by
channel; mixing channels is the task of a linear layer before or after.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from equijax.nn.irreps import add_missing, is_irreps_array, product_irreps
from equijax.nn.linear import check_signal
from equijax.numerics import check
from equijax.sphere import DegreeFactors, PathWeights, gaunt_product, irreps_product, path_weights
from equijax.sphere.full_product import tensor_product

_EXPONENT_OF_PATHS = {"none": 0.0, "element": -0.5}


class GauntProduct(nn.Module):
    """Channel-wise Gaunt product of two signals, with weights per channel and degree of each factor.

    ``z = w3 ∘ ((w1 ∘ x) · (w2 ∘ y))``: the weighted product of Luo, Chen, Krishnapriyan, ICLR 2024, with
    ``w_l1 w_l2 w_l3`` on the path ``l1, l2 → l3``. Only paths with ``l1 + l2 + l3`` even.

    Attributes:
      lmax: largest degree of the result; everything (``l1 + l2``) if None.
      method: see `equijax.sphere.gaunt_product`.
      normalization: ``"component"``: unit component variance for independent factors of unit component
        variance and weights of one; ``"integral"``: the product of functions.
      matmul_dtype: see `equijax.sphere.gaunt_product`.
      filter_ir_out: which irreps to keep, as in ``e3nn_jax.tensor_product``; for ``IrrepsArray`` only.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> x = jnp.ones((5, 8, 9))
      >>> GauntProduct(lmax=2).init_with_output(jax.random.key(0), x, x)[0].shape
      (5, 8, 9)
      >>> import e3nn_jax
      >>> x = e3nn_jax.normal("8x0e+8x1o", jax.random.key(0), (5,))
      >>> GauntProduct().init_with_output(jax.random.key(0), x, x)[0].irreps
      8x0e+8x1o+8x2e
    """

    lmax: int | None = None
    method: str = "auto"
    normalization: str = "component"
    matmul_dtype: Any = None
    filter_ir_out: Any = None

    @nn.compact
    def __call__(self, x: Float[Array, "... c k1"], y: Float[Array, "... c k2"]) -> Float[Array, "... c k3"]:
        """Multiply two signals with the same number of channels, or two ``IrrepsArray``.

        Raises:
          ValueError: if an argument is not a batch of signals, their channels differ, ``lmax`` is negative,
            the method or the normalisation is unknown, no path leads to the irreps that are asked for, or an
            attribute does not go with the kind of arguments.
          TypeError: if an argument is not a real floating-point array.
        """
        if is_irreps_array(x, y):
            sizes = product_irreps(x.irreps, y.irreps, "even", self.lmax, self.filter_ir_out)
            weights = self._weights(*sizes.degrees, sizes.channels)
            return irreps_product(
                x,
                y,
                paths="even",
                filter_ir_out=sizes.irreps,
                method=self.method,
                weights=DegreeFactors(*(weight[:, None] for weight in weights)),
                normalization=self.normalization,
                matmul_dtype=self.matmul_dtype,
            )
        degree_x, degree_y, lmax, channels = _signal_sizes(x, y, self.lmax, self.filter_ir_out)
        return gaunt_product(
            x,
            y,
            lmax,
            method=self.method,
            weights=self._weights(degree_x, degree_y, lmax, channels),
            normalization=self.normalization,
            matmul_dtype=self.matmul_dtype,
        )

    def _weights(self, degree_x: int, degree_y: int, lmax: int, channels: int) -> tuple[Array, ...]:
        """One weight for every channel and degree of the factors and of the result."""
        return tuple(
            self.param(f"weight_{name}", nn.initializers.ones, (channels, degree + 1))
            for name, degree in (("x", degree_x), ("y", degree_y), ("out", lmax))
        )


class TensorProduct(nn.Module):
    """Channel-wise product of two signals along every Clebsch-Gordan path, with weights of low rank.

    The Gaunt product and the bracket, with ``Σ_r x[r, l1] y[r, l2] out[r, l3]`` on the path ``l1, l2 → l3``,
    learned separately for even and odd paths and for every channel. They start such that the product is the
    Clebsch-Gordan one, up to the errors of `equijax.sphere.path_weights_errors`.

    For arrays of signals the two parts are added, and since they have opposite parity, the result is
    equivariant under rotations only. For ``IrrepsArray`` they are kept apart: it is equivariant under O(3).

    Attributes:
      lmax: largest degree of the result; everything (``l1 + l2``) if None.
      rank: number of products of per-degree factors.
      method: see `equijax.sphere.tensor_product`.
      irrep_normalization: of each path at first, ``"component"``, ``"norm"`` or ``"none"``, as in e3nn.
      path_normalization: of their sum into one irrep, ``"element"`` (unit variance if each path has) or
        ``"none"``.
      matmul_dtype: see `equijax.sphere.gaunt_product`.
      filter_ir_out: which irreps to keep, as in ``e3nn_jax.tensor_product``; for ``IrrepsArray`` only.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> x = jnp.ones((5, 8, 9))
      >>> TensorProduct(lmax=2).init_with_output(jax.random.key(0), x, x)[0].shape
      (5, 8, 9)
      >>> import e3nn_jax
      >>> x = e3nn_jax.normal("8x0e+8x1o", jax.random.key(0), (5,))
      >>> TensorProduct().init_with_output(jax.random.key(0), x, x)[0].irreps
      8x0e+8x1o+8x1e+8x2e
    """

    lmax: int | None = None
    rank: int = 2
    method: str = "auto"
    irrep_normalization: str = "component"
    path_normalization: str = "element"
    matmul_dtype: Any = None
    filter_ir_out: Any = None

    @nn.compact
    def __call__(self, x: Float[Array, "... c k1"], y: Float[Array, "... c k2"]) -> Float[Array, "... c k3"]:
        """Multiply two signals with the same number of channels, or two ``IrrepsArray``.

        Raises:
          ValueError: if an argument is not a batch of signals, their channels differ, ``lmax`` is negative,
            ``rank`` is below 1, the method or a normalisation is unknown, no path leads to the irreps that
            are asked for, or ``filter_ir_out`` is given for arrays.
          TypeError: if an argument is not a real floating-point array.
        """
        check.one_of("path_normalization", self.path_normalization, tuple(_EXPONENT_OF_PATHS))
        options = dict(method=self.method, matmul_dtype=self.matmul_dtype)
        if is_irreps_array(x, y):
            sizes = product_irreps(x.irreps, y.irreps, "all", self.lmax, self.filter_ir_out)
            weights = self._weights(*sizes.degrees, sizes.channels, "none")
            z = irreps_product(x, y, filter_ir_out=sizes.irreps, weights=weights, **options)
            counts = np.asarray([sizes.num_paths[ir] for _, ir in z.irreps], float)
            scale = counts ** _EXPONENT_OF_PATHS[self.path_normalization]
            return z * jnp.asarray(np.repeat(scale, [mul for mul, _ in z.irreps]), z.dtype)
        degree_x, degree_y, lmax, channels = _signal_sizes(x, y, self.lmax, self.filter_ir_out)
        weights = self._weights(degree_x, degree_y, lmax, channels, self.path_normalization)
        return tensor_product(x, y, lmax, weights=weights, **options)

    def _weights(self, degree_x: int, degree_y: int, lmax: int, channels: int, paths: str) -> PathWeights:
        """Factors of the weights of even and odd paths, for every channel."""
        start = path_weights(
            degree_x,
            degree_y,
            lmax,
            self.rank,
            irrep_normalization=self.irrep_normalization,
            path_normalization=paths,
        )
        return PathWeights(
            *(
                DegreeFactors(
                    *(
                        self.param(f"{parity}_{name}", _repeated, factor, channels)
                        for name, factor in factors._asdict().items()
                    )
                )
                for parity, factors in start._asdict().items()
            )
        )


class Selfmix(nn.Module):
    """``x + gaunt(x, x)``: every node's signal and its own square, weighted per channel and degree.

    The Gaunt-Selfmix of Luo, Chen, Krishnapriyan, ICLR 2024, which they add to the blocks of EquiformerV2
    (after So3krates' self-mixing, Frank et al., 2022). For ``IrrepsArray`` the square's irreps that ``x``
    lacks are left out.

    Attributes:
      method: see `equijax.sphere.gaunt_product`.
      normalization: as in `GauntProduct`, as if the factors were independent.
      matmul_dtype: see `equijax.sphere.gaunt_product`.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> Selfmix().init_with_output(jax.random.key(0), jnp.ones((5, 8, 9)))[0].shape
      (5, 8, 9)
    """

    method: str = "auto"
    normalization: str = "component"
    matmul_dtype: Any = None

    @nn.compact
    def __call__(self, x: Float[Array, "... c k"]) -> Float[Array, "... c k"]:
        """Add the square of a signal, shape ``(..., channels, (lmax + 1)²)``, or of an ``IrrepsArray``.

        Raises:
          ValueError: if ``x`` has no channel axis, its last axis is not a square, or the method or the
            normalisation is unknown.
          TypeError: if ``x`` is not a real floating-point array.
        """
        options = dict(
            method=self.method,
            normalization=self.normalization,
            matmul_dtype=self.matmul_dtype,
            name="product",
        )
        if is_irreps_array(x):
            kept = [ir for _, ir in x.irreps]
            square = GauntProduct(filter_ir_out=kept, **options)(x, x)
            return x + add_missing(square, x.irreps)
        lmax, _ = check_signal("x", x)
        return x + GauntProduct(lmax, **options)(x, x)


def _repeated(_, factor: np.ndarray, channels: int) -> Array:
    """The same start for every channel."""
    return jnp.tile(jnp.asarray(factor, jnp.float32), (channels, 1, 1))


def _signal_sizes(x: Array, y: Array, lmax: int | None, filter_ir_out) -> tuple[int, int, int, int]:
    """Degrees of two arrays of signals and of their product, and their channels."""
    degree_x, channels = check_signal("x", x)
    degree_y, channels_y = check_signal("y", y)
    if channels_y != channels:
        raise ValueError(f"y must have the {channels} channels of x, got {channels_y}")
    if filter_ir_out is not None:
        raise ValueError(f"filter_ir_out must be None for arrays of signals, got {filter_ir_out!r}")
    lmax = degree_x + degree_y if lmax is None else lmax
    check.count("lmax", lmax, 0)
    return degree_x, degree_y, lmax, channels

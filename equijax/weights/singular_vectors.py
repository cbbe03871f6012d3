"""How well the singular vectors of two networks' weights agree: why weight matching connects them.

Ito, Yamada & Kumagai, "Analysis of linear mode connectivity via permutation-based weight matching", ICLR
2025: matching hardly shortens the distance between networks, it aligns the singular vectors of large singular
values, which see most of the inputs. The inner product of two weights is the sum over pairs of singular
vectors, weighted by both singular values (theorem 4.1). Convolution kernels are taken as matrices from
positions times input channels to output channels, as Flax stores them.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from equijax.numerics import check


def kernel_matrices(variables) -> dict[str, Float[Array, "inputs outputs"]]:
    """Every weight with two or more axes as a matrix whose last axis is the output.

    Args:
      variables: a pytree of parameters. Leaves that are no floating-point numbers are left out.

    Returns:
      From names of leaves to matrices.

    Example:
      >>> found = kernel_matrices({"kernel": jnp.ones((3, 3, 2, 4)), "bias": jnp.ones(4)})
      >>> list(found), found["kernel"].shape
      (['kernel'], (18, 4))
    """
    found = {}
    for path, leaf in jax.tree_util.tree_flatten_with_path(variables)[0]:
        leaf = jnp.asarray(leaf)
        if leaf.ndim >= 2 and leaf.size and jnp.issubdtype(leaf.dtype, jnp.floating):
            name = jax.tree_util.keystr(path, simple=True, separator="/")
            found[name] = leaf.reshape(-1, leaf.shape[-1])
    return found


def singular_value_profile(variables) -> dict[str, Float[Array, " rank"]]:
    """The singular values of each weight matrix, from the largest on. Permutations do not change them.

    Args:
      variables: a pytree of parameters, see `kernel_matrices`.

    Example:
      >>> singular_value_profile({"kernel": jnp.diag(jnp.array([1.0, 3.0]))})
      {'kernel': Array([3., 1.], dtype=float32)}
    """
    return {
        name: jnp.linalg.svd(matrix, compute_uv=False) for name, matrix in kernel_matrices(variables).items()
    }


def singular_vector_alignment(a, b, *, threshold: float = 0.0) -> Float[Array, ""]:
    """The agreement R of two networks' singular vectors: 1 for equal networks, about 0 for unrelated ones.

    ``R = sum_l sum_ij (u_i^a . u_j^b) (v_i^a . v_j^b) / sum_l n_l`` over all layers and all pairs of singular
    vectors whose singular values are at least ``threshold`` times the layer's largest; ``n_l`` is the smaller
    of both networks' numbers of them.

    Args:
      a, b: parameters of two networks, see `kernel_matrices`; give b after matching.
      threshold: between 0 (all vectors) and 1 (the leading ones).

    Returns:
      A number between -1 and 1 at threshold 0. Singular vectors are constants under ``grad``.

    Raises:
      ValueError: if the threshold is out of range, there is no matrix, or the networks' matrices differ.

    Example:
      >>> w = {"kernel": jnp.array([[2.0, 0.0], [0.0, 1.0]])}
      >>> float(singular_vector_alignment(w, {"kernel": w["kernel"][::-1]}, threshold=0.3))
      0.0
    """
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise ValueError(f"threshold must be a number between 0 and 1, got {threshold!r}")
    a, b = kernel_matrices(a), kernel_matrices(b)
    shapes = [{name: matrix.shape for name, matrix in each.items()} for each in (a, b)]
    if shapes[0] != shapes[1] or not a:
        raise ValueError(f"a and b must have the same weights, at least one, got {shapes[0]} and {shapes[1]}")
    total, count = 0.0, 0.0
    for name, matrix in a.items():
        shared, kept = _layer_alignment(matrix, b[name], threshold)
        total, count = total + shared, count + kept
    return total / count


def _layer_alignment(a, b, threshold: float):
    """The sum over pairs of one layer's singular vectors, and how many there are."""
    left_a, values_a, right_a = jnp.linalg.svd(jax.lax.stop_gradient(a), full_matrices=False)
    left_b, values_b, right_b = jnp.linalg.svd(jax.lax.stop_gradient(b), full_matrices=False)
    kept_a, kept_b = (values >= threshold * values[0] for values in (values_a, values_b))
    left = jnp.einsum("xi,xj->ij", left_a, left_b, precision="highest")
    right = jnp.einsum("ix,jx->ij", right_a, right_b, precision="highest")
    pairs = left * right * (kept_a[:, None] & kept_b)
    return pairs.sum(), jnp.minimum(kept_a.sum(), kept_b.sum())


def input_direction_energy(
    kernel: Float[Array, "*inputs outputs"], inputs: Float[Array, "... f"]
) -> Float[Array, " rank"]:
    """The share of a layer's inputs along each of its input singular vectors, from the largest value on.

    ``E[(v_i . z)^2 / |z|^2]``: inputs of trained layers concentrate on the first ones. Inputs that are zero
    count as zero.

    Args:
      kernel: the weight; all axes but the last are inputs.
      inputs: what comes into the layer; the last axis has the product of the kernel's input sizes.

    Raises:
      ValueError: if the sizes do not fit.
      TypeError: if an argument is not real.

    Example:
      >>> input_direction_energy(jnp.diag(jnp.array([1.0, 3.0])), jnp.array([[0.0, 2.0]])).tolist()
      [1.0, 0.0]
    """
    check.floating("kernel", kernel)
    check.floating("inputs", inputs)
    if jnp.ndim(kernel) < 2:
        raise ValueError(f"kernel must have at least two axes, got shape {jnp.shape(kernel)}")
    matrix = jnp.reshape(kernel, (-1, kernel.shape[-1]))
    check.shape("inputs", inputs, "... f", f=matrix.shape[0])
    directions, _, _ = jnp.linalg.svd(jax.lax.stop_gradient(matrix), full_matrices=False)
    flat = jnp.reshape(inputs, (-1, matrix.shape[0]))
    size = (flat**2).sum(-1, keepdims=True)
    shares = jnp.matmul(flat, directions, precision="highest") ** 2 / jnp.where(size > 0, size, 1)
    return shares.mean(0)

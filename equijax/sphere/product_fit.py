"""Approximation of an array of three axes by a sum of products of vectors (a CP decomposition with weights).

Entries of weight zero are free, which makes the fit far better than that of an array with zeros there.
"""

import numpy as np
from jaxtyping import Float

_STEPS = 200
_STARTS = 4


def fit_products(
    target: Float[np.ndarray, "a b c"], weights: Float[np.ndarray, "a b c"], rank: int
) -> tuple[Float[np.ndarray, "rank a"], Float[np.ndarray, "rank b"], Float[np.ndarray, "rank c"]]:
    """Minimise ``Σ (weights (Σ_r u[r] v[r] w[r] - target))²`` over three sets of vectors.

    Levenberg-Marquardt from a few deterministic starts; the best minimum is returned. The three vectors of a
    product have equal norms.

    Args:
      target: shape ``(a, b, c)``; positive where the weights are.
      weights: weights of the residuals, not negative, of the same shape; not all zero.
      rank: number of products.

    Returns:
      Three float64 arrays.

    Example:
      >>> target = np.multiply.outer([[1.0], [2.0]], [3.0, 1.0])
      >>> factors = fit_products(target, np.ones_like(target), 1)
      >>> bool(np.allclose(np.einsum("ra,rb,rc->abc", *factors), target))
      True
    """
    index = np.nonzero(weights)
    target, weights, shape = target[index], weights[index], target.shape
    separable = _separable_fit(target, index, shape)
    negligible = 1e-26 * np.sum((weights * target) ** 2)
    best, lowest = separable, np.inf
    for start in range(_STARTS if rank > 1 else 1):
        random = np.random.default_rng(start)
        others = [0.3 * vector * random.normal(size=(rank - 1, vector.shape[1])) for vector in separable]
        factors = [np.concatenate(pair) for pair in zip(separable, others)]
        factors, cost = _descend(target, weights, index, factors)
        if cost < lowest:
            best, lowest = factors, cost
        if lowest <= negligible:
            break
    return _balanced(best)


def _separable_fit(target, index, shape) -> list[np.ndarray]:
    """One product of vectors, by least squares of logarithms."""
    offsets = np.cumsum([0, *shape[:-1]])
    design = np.zeros((len(target), sum(shape)))
    np.put_along_axis(design, np.stack(index, axis=1) + offsets, 1.0, axis=1)
    logarithms = np.linalg.lstsq(design, np.log(target), rcond=None)[0]
    return [vector[None] for vector in np.split(np.exp(logarithms), offsets[1:])]


def _descend(target, weights, index, factors: list[np.ndarray]) -> tuple[list[np.ndarray], float]:
    """Levenberg-Marquardt steps until the cost no longer falls."""
    sizes = np.cumsum([factor.size for factor in factors])[:-1]
    damping, (residual, jacobian) = 1e-2, _linearised(target, weights, index, factors)
    for _ in range(_STEPS):
        normal, slope = jacobian.T @ jacobian, jacobian.T @ residual
        shift = damping * np.trace(normal) / len(normal) * np.eye(len(normal))
        steps = np.split(np.linalg.solve(normal + shift, slope), sizes)
        trial = [factor - step.reshape(factor.shape) for factor, step in zip(factors, steps)]
        trial_residual, trial_jacobian = _linearised(target, weights, index, trial)
        if trial_residual @ trial_residual < residual @ residual:
            factors, residual, jacobian = trial, trial_residual, trial_jacobian
            damping = max(damping / 4, 1e-15)
        else:
            damping *= 4
        if damping > 1e6:
            break
    return factors, float(residual @ residual)


def _linearised(target, weights, index, factors):
    """Weighted residuals, and their derivatives by all entries of the factors."""
    chosen = [factor[:, entries] for factor, entries in zip(factors, index)]
    columns = []
    for axis, factor in enumerate(factors):
        derivative = np.zeros((len(target), *factor.shape))
        others = chosen[axis - 1] * chosen[axis - 2]
        derivative[np.arange(len(target)), :, index[axis]] = (weights * others).T
        columns.append(derivative.reshape(len(target), -1))
    residual = weights * (np.sum(chosen[0] * chosen[1] * chosen[2], axis=0) - target)
    return residual, np.concatenate(columns, axis=1)


def _balanced(factors) -> tuple[np.ndarray, ...]:
    """The same products from vectors of equal norm."""
    norms = [np.linalg.norm(factor, axis=1, keepdims=True) for factor in factors]
    mean = np.cbrt(norms[0] * norms[1] * norms[2])
    return tuple(factor * mean / np.where(norm > 0, norm, 1) for factor, norm in zip(factors, norms))

"""Points in Euclidean space: what can be said of them that no isometry changes."""

from equijax.euclid.radial import bessel_basis, gaussian_basis, polynomial_cutoff, smooth_cutoff

__all__ = ["bessel_basis", "gaussian_basis", "polynomial_cutoff", "smooth_cutoff"]

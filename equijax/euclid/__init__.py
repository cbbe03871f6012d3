"""Points in Euclidean space: what can be said of them that no isometry changes."""

from equijax.euclid.frames import pca_frame, translation_frame
from equijax.euclid.frames_gram_schmidt import gram_schmidt_frame, orthonormal_axes
from equijax.euclid.frames_local import LocalFrames, local_frames
from equijax.euclid.frames_weighted import weighted_pair_frame
from equijax.euclid.radial import bessel_basis, gaussian_basis, polynomial_cutoff, smooth_cutoff

__all__ = [
    "LocalFrames",
    "bessel_basis",
    "gaussian_basis",
    "gram_schmidt_frame",
    "local_frames",
    "orthonormal_axes",
    "pca_frame",
    "polynomial_cutoff",
    "smooth_cutoff",
    "translation_frame",
    "weighted_pair_frame",
]

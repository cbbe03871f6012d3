"""Affine canonicalisation of images by their moments: one frame, no learning, no sampling.

Grey values are a mass. Shifting its centre to the middle and multiplying coordinates by the inverse square
root of its covariance undoes any affine map up to a rotation: ``f`` and ``f o A^-1`` become images that
differ by one. With ``rotate`` the rotation is undone by the angle of the third moment ``sum f z |z|^2``, z
the whitened position as a complex number. Where that vanishes (a figure with a symmetry) the angle is
arbitrary.
"""

import numpy as np
from jaxtyping import Float

from experiments.tasks.affine_digits import on_canvas

SPREAD = 0.2
"""Standard deviation of a canonical image along each axis, in sides of the image."""


def canonical(
    images: Float[np.ndarray, "count side side 1"], *, rotate: bool
) -> Float[np.ndarray, "count side side 1"]:
    """Whitened images, turned to their third moment if asked for; an empty image stays empty.

    Example:
      >>> image = np.zeros((1, 9, 9, 1)); image[0, 2:5, 3:5] = 1.0
      >>> canonical(image, rotate=True).shape
      (1, 9, 9, 1)
    """
    grey = images[..., 0]
    side = grey.shape[1]
    positions = np.stack(np.meshgrid(*[np.arange(side) - (side - 1) / 2] * 2, indexing="ij"), axis=-1)
    mass = np.maximum(grey.sum(axis=(1, 2)), 1e-9)[:, None]
    center = np.einsum("nij,ija->na", grey, positions) / mass
    apart = positions[None] - center[:, None, None]
    covariance = np.einsum("nij,nija,nijb->nab", grey, apart, apart) / mass[..., None]
    values, vectors = np.linalg.eigh(covariance + 1e-6 * np.eye(2))
    root = np.einsum("nab,nb,ncb->nac", vectors, np.sqrt(values), vectors)
    maps = np.linalg.inv(root)
    if rotate:
        white = np.einsum("nab,nijb->nija", maps, apart)
        moment = np.einsum("nij,nij,nija->na", grey, (white**2).sum(axis=-1), white)
        angle = np.arctan2(moment[:, 1], moment[:, 0])
        cosine, sine = np.cos(angle), np.sin(angle)
        back = np.moveaxis(np.array([[cosine, sine], [-sine, cosine]]), -1, 0)
        maps = back @ maps
    maps = SPREAD * side * maps
    shifts = -np.einsum("nab,nb->na", maps, center)
    return on_canvas(grey, maps, shifts, side=side)[..., None]

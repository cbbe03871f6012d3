"""Groups of matrices taken apart: polar, Iwasawa and KAK factors, Haar measure in them, global coordinates.

Forward, inverse and density with respect to Haar measure, on all of GL(n) and SL(n), where the exponential
map does not reach everything. Conventions of measures are stated once, in
`equijax.groups.decompositions.haar`.

>>> import jax
>>> from equijax.groups import SL
>>> g = SL(3).sample(jax.random.key(0))
>>> factors = polar(g)
>>> bool(abs(factors.matrix() - g.matrix).max() < 1e-5)
True
"""

from equijax.groups.decompositions.coordinates import (
    coordinate_basis,
    coordinates,
    from_coordinates,
    num_symmetric,
    polar_features,
)
from equijax.groups.decompositions.haar import Factors, log_haar_density, log_modular
from equijax.groups.decompositions.iwasawa import Iwasawa, iwasawa
from equijax.groups.decompositions.kak import KAK, kak
from equijax.groups.decompositions.polar import (
    GramRotation,
    Polar,
    StretchRotation,
    log_positive,
    polar,
    polar_gram,
    polar_stretch,
)
from equijax.groups.decompositions.symmetric import eigenvalues, exp_symmetric

__all__ = [
    "KAK",
    "Factors",
    "GramRotation",
    "Iwasawa",
    "Polar",
    "StretchRotation",
    "coordinate_basis",
    "coordinates",
    "eigenvalues",
    "exp_symmetric",
    "from_coordinates",
    "iwasawa",
    "kak",
    "log_haar_density",
    "log_modular",
    "log_positive",
    "num_symmetric",
    "polar",
    "polar_features",
    "polar_gram",
    "polar_stretch",
]

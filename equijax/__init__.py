"""equijax: symmetry in neural networks, in JAX.

A symmetry is a group, the ways it acts are representations, and a network is judged by how it commutes
with them. Sub-packages load when they are first used, so ``import equijax`` is cheap.
"""

import lazy_loader as _lazy

from equijax._version import __version__ as __version__

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submodules={
        "data",
        "equivariance",
        "euclid",
        "graphs",
        "groups",
        "nn",
        "numerics",
        "simulation",
        "sphere",
        "testing",
        "training",
        "weights",
    },
)

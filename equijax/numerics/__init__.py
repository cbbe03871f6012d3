"""Numerics that the rest stands on: what is safe to differentiate, to mask, to segment, to integrate.

The modules are name spaces: ``safe.norm``, ``masked.softmax``, ``segments.mean``, ``quadrature.lebedev``.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__, submodules={"check", "masked", "quadrature", "safe", "segments", "trigonometry"}
)

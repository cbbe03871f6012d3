"""Layers on ``R^n x| H`` with H a linear group that need not be compact: GL(n), SL(n), SO(n).

On images and volumes `LiftConvolution`, `LieConvolution`, `LieProjection`; on functions given at points,
where they are exactly equivariant, `PointLift`, `PointLieConvolution`, `PointLieProjection`.
"""

from equijax.nn.lie.kernel import LieKernel
from equijax.nn.lie.layers import LieConvolution, LieProjection, LiftConvolution
from equijax.nn.lie.points import PointLieConvolution, PointLieProjection, PointLift
from equijax.nn.lie.siren import Siren

__all__ = [
    "LieConvolution",
    "LieKernel",
    "LieProjection",
    "LiftConvolution",
    "PointLieConvolution",
    "PointLieProjection",
    "PointLift",
    "Siren",
]

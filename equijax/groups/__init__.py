"""What a symmetry is: groups, their elements, and the ways they act.

>>> import jax
>>> group = S(8) * E(3)
>>> positions = PermutationTensor(1) @ Point()
>>> g = group.sample(jax.random.key(0))
>>> positions.shape(group), positions.act(g, jax.numpy.ones((8, 3))).shape
((8, 3), (8, 3))
"""

from equijax.groups import decompositions, rotations
from equijax.groups.actions import (
    batch_shape,
    linear_part,
    orthogonal_part,
    parity,
    permutation,
    regular_permutation,
    translation_part,
)
from equijax.groups.adjoint import Adjoint
from equijax.groups.affine import Affine, AffineMap, Homogeneous
from equijax.groups.base import Element, Group
from equijax.groups.combined import (
    DirectSum,
    Dual,
    Multiple,
    OuterProduct,
    TensorProduct,
    direct_sum,
    outer_product,
    tensor_product,
)
from equijax.groups.cyclic import Cyclic, Turn
from equijax.groups.dihedral import Dihedral, TurnFlip
from equijax.groups.euclidean import SE, E, Rigid
from equijax.groups.frame import Frame, sample_frame, uniform_frame
from equijax.groups.general_linear import GL, SL
from equijax.groups.haar_sampling import (
    SamplePolicy,
    WeightedSamples,
    effective_sample_size,
    normalized_weights,
    sample_affine,
    sample_polar,
)
from equijax.groups.irreps import Irreps, wigner
from equijax.groups.lie import LieGroup
from equijax.groups.linear import LinearGroup, LinearMap, principal_log
from equijax.groups.lorentz import FullLorentz, Lorentz
from equijax.groups.matrix_group import MatrixGroup
from equijax.groups.natural import Point, Pseudoscalar, Pseudovector, Trivial, Vector
from equijax.groups.orthogonal import SO, O
from equijax.groups.permutation_tensor import PermutationTensor, Regular
from equijax.groups.product import LieProductGroup, ProductGroup, product
from equijax.groups.quaternions import Quaternion, Spinor, UnitQuaternions
from equijax.groups.representation import Representation, act
from equijax.groups.scaling import Dilation, Scaling
from equijax.groups.symmetric import S
from equijax.groups.symplectic import Sp, symplectic_form
from equijax.groups.translation import Shift, Translation
from equijax.groups.trivial import TrivialGroup, Unit
from equijax.groups.unitary import SU, U, complex_matrix, real_matrix

__all__ = [
    "GL",
    "SE",
    "SL",
    "SO",
    "SU",
    "Adjoint",
    "Affine",
    "AffineMap",
    "Cyclic",
    "Dihedral",
    "Dilation",
    "DirectSum",
    "Dual",
    "E",
    "Element",
    "Frame",
    "FullLorentz",
    "Group",
    "Homogeneous",
    "Irreps",
    "LieGroup",
    "LieProductGroup",
    "LinearGroup",
    "LinearMap",
    "Lorentz",
    "MatrixGroup",
    "Multiple",
    "O",
    "OuterProduct",
    "PermutationTensor",
    "Point",
    "ProductGroup",
    "Pseudoscalar",
    "Pseudovector",
    "Quaternion",
    "Regular",
    "Representation",
    "Rigid",
    "S",
    "SamplePolicy",
    "Scaling",
    "Shift",
    "Sp",
    "Spinor",
    "TensorProduct",
    "Translation",
    "Trivial",
    "TrivialGroup",
    "Turn",
    "TurnFlip",
    "U",
    "Unit",
    "UnitQuaternions",
    "Vector",
    "WeightedSamples",
    "act",
    "batch_shape",
    "complex_matrix",
    "decompositions",
    "direct_sum",
    "effective_sample_size",
    "linear_part",
    "normalized_weights",
    "orthogonal_part",
    "outer_product",
    "parity",
    "permutation",
    "principal_log",
    "product",
    "real_matrix",
    "regular_permutation",
    "rotations",
    "sample_affine",
    "sample_frame",
    "sample_polar",
    "symplectic_form",
    "tensor_product",
    "translation_part",
    "uniform_frame",
    "wigner",
]

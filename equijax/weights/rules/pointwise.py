"""Operations that treat every entry by itself: axes pass through, and those of several operands are tied."""

import operator

from equijax.weights.nest import Place, Traced
from equijax.weights.propagation import Propagation
from equijax.weights.registry import rule

_UNARY = (
    "abs acos acosh asin asinh atan atanh bessel_i0e bessel_i1e bitcast_convert_type cbrt ceil clz "
    "conj convert_element_type copy copy_p cos cosh digamma erf erf_inv erfc exp exp2 "
    "expm1 floor imag integer_pow is_finite layout_constraint lgamma log log1p logistic name neg "
    "not population_count pvary real reduce_precision reshard round rsqrt sharding_constraint sign "
    "sin sinh sqrt square stop_gradient tan tanh"
)
_NARY = (
    "add add_any and atan2 clamp complex div eq eq_to ge gt igamma igamma_grad_a igammac le le_to lt lt_to "
    "max min mul ne nextafter or polygamma pow regularized_incomplete_beta rem select_n shift_left "
    "shift_right_arithmetic shift_right_logical sub xor zeta"
)

_FOLDED = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "neg": operator.neg,
    "max": max,
    "min": min,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "eq": operator.eq,
    "ne": operator.ne,
    "select_n": lambda which, *cases: cases[int(which)],
    "clamp": lambda low, x, high: min(max(x, low), high),
}
"""What is computed with known numbers: enough to know the place where a slice with a fixed index begins."""

_KEEP_CONSTANT = {"convert_element_type", "copy", "copy_p", "reduce_precision", "stop_gradient"}


NAMES = (*_UNARY.split(), *_NARY.split())
"""All primitives of the file."""


@rule(*NAMES)
def pointwise(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Tie the operands' axes, number by number.

    Example:
      >>> import jax, numpy as np
      >>> walk, x = Propagation(), np.ones(3)
      >>> a, b = walk.data((3,)), walk.data((3,))
      >>> _ = walk.run(jax.make_jaxpr(jax.numpy.add)(x, x), [a, b])
      >>> walk.factors.expand(a.axes[0]) == walk.factors.expand(b.axes[0])
      True
    """
    shape = equation.outvars[0].aval.shape
    carriers = [[x for x in inputs if _varies(propagation, x, axis, shape)] for axis in range(len(shape))]
    axes = [
        propagation.tie(*(x.axes[axis] for x in held)) if held else propagation.axis(shape[axis])
        for axis, held in enumerate(carriers)
    ]
    name = equation.primitive.name
    constant = inputs[0].constant if name in _KEEP_CONSTANT else None
    if name in _FOLDED and all(x.constant is not None for x in inputs):
        constant = float(_FOLDED[name](*(x.constant for x in inputs)))
    output = propagation.array(axes, constant)
    groups = [(*(Place(x, axis) for x in held), Place(output, axis)) for axis, held in enumerate(carriers)]
    propagation.record(name, inputs, output, propagation.links(*groups), equation.params)
    return [output]


def _varies(propagation: Propagation, x: Traced, axis: int, shape: tuple[int, ...]) -> bool:
    """Whether an operand has the output's axis."""
    return len(x.axes) == len(shape) and propagation.factors.size(x.axes[axis]) == shape[axis]


@rule("optimization_barrier", "device_put")
def barrier(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Pass arrays on as they are, each to an output of its own.

    Example:
      >>> barrier(Propagation(), None, [1, 2])
      [1, 2]
    """
    return list(inputs)

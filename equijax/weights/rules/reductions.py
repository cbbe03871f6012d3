"""Operations that reduce over axes, or over windows along them."""

from equijax.weights.factors import Free
from equijax.weights.nest import Place, Traced
from equijax.weights.propagation import Propagation, source
from equijax.weights.registry import rule


def _over_axes(propagation: Propagation, equation, inputs: list[Traced], axes) -> list[Traced]:
    """Reduce all operands over the same axes."""
    rank = len(inputs[0].axes)
    kept = [axis for axis in range(rank) if axis not in axes]
    tied = [propagation.tie(*(x.axes[axis] for x in inputs)) for axis in range(rank)]
    outputs = []
    for _ in equation.outvars:
        output = propagation.array([tied[axis] for axis in kept])
        groups = [tuple(Place(x, axis) for x in inputs) for axis in axes]
        groups += [
            (*(Place(x, axis) for x in inputs), Place(output, place)) for place, axis in enumerate(kept)
        ]
        name = equation.primitive.name
        propagation.record(name, inputs, output, propagation.links(*groups), equation.params)
        outputs.append(output)
    return outputs


@rule("reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "reduce_and", "reduce_or", "reduce_xor")
def reduce(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Drop the axes that are reduced over: the result does not depend on their order.

    Example:
      >>> import jax, numpy as np
      >>> walk, total = Propagation(), lambda x: x.sum(axis=0)
      >>> walk.run(jax.make_jaxpr(total)(np.ones((2, 3))), [walk.data((2, 3))])[0].axes
      ((1,),)
    """
    return _over_axes(propagation, equation, inputs, equation.params["axes"])


@rule("reduce")
def reduce_by(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Reduce by a function of the user's, which XLA applies in any order; initial values are scalars.

    Example:
      >>> import jax, numpy as np
      >>> walk, largest = Propagation(), lambda x: jax.lax.reduce(x, 0.0, lambda a, b: a + b * b, (0,))
      >>> walk.run(jax.make_jaxpr(largest)(np.ones((2, 3))), [walk.data((2, 3))])[0].axes
      ((1,),)
    """
    return _over_axes(propagation, equation, inputs[: len(equation.outvars)], equation.params["dimensions"])


@rule("argmax", "argmin")
def arg_reduce(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Drop an axis and freeze it: its order shows in the result.

    Example:
      >>> import jax, numpy as np
      >>> walk = Propagation()
      >>> _ = walk.run(jax.make_jaxpr(jax.numpy.argmax)(np.ones(2)), [walk.data((2,))])
      >>> walk.factors.reason(0).startswith("index of the largest or smallest entry")
      True
    """
    for axis in equation.params["axes"]:
        propagation.freeze(inputs[0], axis, "index of the largest or smallest entry")
    return _over_axes(propagation, equation, inputs, equation.params["axes"])


@rule("reduce_window", "reduce_window_sum", "reduce_window_max", "reduce_window_min")
def reduce_window(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Pool: axes with a window of 1 pass, others are frozen.

    Example:
      >>> import flax.linen, jax, numpy as np
      >>> walk, x = Propagation(), np.ones((1, 4, 4, 3))
      >>> pool = lambda x: flax.linen.max_pool(x, (2, 2), (2, 2))
      >>> (y,) = walk.run(jax.make_jaxpr(pool)(x), [walk.data(x.shape)])
      >>> walk.factors.reason(y.axes[3][0]), walk.factors.reason(y.axes[1][0])
      (None, 'axis of a window')
    """
    name, params = equation.primitive.name, equation.params
    # The general form has initial values after its operands.
    operands = inputs[: len(equation.outvars)]
    shape = equation.outvars[0].aval.shape
    whole = [
        params["window_dimensions"][axis] == 1
        and params["window_strides"][axis] == 1
        and tuple(params["padding"][axis]) == (0, 0)
        and params["base_dilation"][axis] == 1
        for axis in range(len(shape))
    ]
    axes = []
    for axis, passes in enumerate(whole):
        if passes:
            axes.append(propagation.tie(*(x.axes[axis] for x in operands)))
            continue
        for x in operands:
            propagation.freeze(x, axis, "axis of a window")
        axes.append(propagation.axis(shape[axis], propagation.reason("axis of a window")))
    outputs = []
    for _ in equation.outvars:
        output = propagation.array(axes)
        groups = [
            (*(Place(x, axis) for x in operands), Place(output, axis)) if passes else (Place(output, axis),)
            for axis, passes in enumerate(whole)
        ]
        propagation.record(name, operands, output, propagation.links(*groups), params)
        outputs.append(output)
    return outputs


@rule("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp", "rev", "fft")
def along_axes(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Operations on the order of some axes, which are frozen.

    Example:
      >>> import jax, numpy as np
      >>> walk = Propagation()
      >>> _ = walk.run(jax.make_jaxpr(jax.lax.cumsum)(np.ones(2)), [walk.data((2,))])
      >>> walk.factors.reason(0)
      'order matters to cumsum'
    """
    (x,), name, params = inputs, equation.primitive.name, equation.params
    ordered = {
        "fft": lambda: range(len(x.axes) - len(params["fft_lengths"]), len(x.axes)),
        "rev": lambda: params["dimensions"],
    }.get(name, lambda: (params["axis"],))()
    shape = equation.outvars[0].aval.shape
    why = f"order matters to {name}"
    axes = list(x.axes)
    for axis in ordered:
        propagation.freeze(x, axis, why)
        if isinstance(axes[axis], Free) or propagation.factors.size(axes[axis]) != shape[axis]:
            axes[axis] = propagation.axis(shape[axis], propagation.reason(why))
    output = propagation.array(axes)
    groups = [(Place(x, axis), Place(output, axis)) for axis in range(len(axes)) if axis not in ordered]
    groups += [(Place(output, axis),) for axis in ordered]
    return [propagation.record(name, [x], output, propagation.links(*groups), params)]


@rule("iota")
def iota(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Count along one axis, which is frozen.

    Example:
      >>> import jax
      >>> walk = Propagation()
      >>> walk.run(jax.make_jaxpr(lambda: jax.lax.broadcasted_iota(int, (2, 3), 1))(), [])[0].axes
      (Free(size=2), (0,))
    """
    axes = [Free(size) for size in equation.outvars[0].aval.shape]
    counted = equation.params["dimension"]
    axes[counted] = propagation.axis(axes[counted].size, propagation.reason("counted by iota"))
    return [source(propagation, [() if axis == Free(1) else axis for axis in axes])]

"""Loops, branches, and functions within functions. Bodies are walked once, because ties accumulate."""

from jax.extend import core

from equijax.weights.factors import Free
from equijax.weights.nest import Place, Traced
from equijax.weights.propagation import Propagation, unknown
from equijax.weights.registry import STACK_RULES, rule

_CALLS = (
    "jit pjit closed_call core_call call remat remat2 checkpoint composite custom_jvp_call custom_vjp_call "
    "custom_vjp_call_jaxpr custom_vmap_call"
)


@rule(*_CALLS.split())
@rule(*_CALLS.split(), table=STACK_RULES)
def call(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Walk the function that is called.

    Example:
      >>> import jax, numpy as np
      >>> walk, x = Propagation(), np.ones(3)
      >>> jaxpr = jax.make_jaxpr(jax.checkpoint(jax.jit(jax.nn.relu)))(x)
      >>> walk.run(jaxpr, [walk.data((3,))])[0].axes
      ((0,),)
    """
    for name in ("jaxpr", "call_jaxpr", "fun_jaxpr", "call"):
        if name in equation.params:
            return propagation.run(_closed(equation.params[name]), inputs, keep=True)
    return unknown(propagation, equation, inputs)


def _closed(jaxpr: core.Jaxpr | core.ClosedJaxpr) -> core.ClosedJaxpr:
    """A jaxpr with its constants, of which an open one has none."""
    return jaxpr if isinstance(jaxpr, core.ClosedJaxpr) else core.ClosedJaxpr(jaxpr, ())


def _carried(propagation: Propagation, start: list[Traced]) -> list[Traced]:
    """What a loop carries: axes of the start, made new where that is constant along them."""
    carried = []
    for x in start:
        axes = [propagation.axis(axis.size) if isinstance(axis, Free) else axis for axis in x.axes]
        carried.append(_joined(propagation, [x], propagation.array(axes)))
    return carried


def _joined(propagation: Propagation, sources: list[Traced], target: Traced) -> Traced:
    """Tie each source to a target that takes the value of one of them."""
    for x in sources:
        for axis in range(len(target.axes)):
            propagation.tie(target.axes[axis], x.axes[axis])
        pairs = [(Place(x, axis), Place(target, axis)) for axis in range(len(target.axes))]
        propagation.move([x], target, *pairs)
    return target


@rule("scan")
def scan(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Walk the body with the loop's axis around it; what is carried is tied to itself, whatever the step.

    Example:
      >>> import jax, numpy as np
      >>> layers = lambda w, x: jax.lax.scan(lambda x, w: (jax.numpy.tanh(x @ w), None), x, w)[0]
      >>> walk, w, x = Propagation(), np.ones((5, 3, 3)), np.ones(3)
      >>> a, b = walk.data(w.shape), walk.data(x.shape)
      >>> _ = walk.run(jax.make_jaxpr(layers)(w, x), [a, b])
      >>> len({walk.factors.expand(axis) for axis in a.axes[1:] + b.axes})
      1
    """
    params, outside = equation.params, propagation.scope
    constants = params["num_consts"]
    sliced = constants + params["num_carry"]
    length = params["length"]
    steps = propagation.axis(length, propagation.reason("axis of a scan")) if length else ()
    carried = _carried(propagation, inputs[constants:sliced])
    for x in inputs[sliced:]:
        propagation.tie(steps, x.axes[0])
        propagation.freeze(x, 0, "axis of a scan")
    propagation.scope = (*outside, steps)
    entering = [_enter(propagation, x) for x in inputs[sliced:]]
    results = propagation.run(_closed(params["jaxpr"]), [*inputs[:constants], *carried, *entering])
    propagation.scope = outside
    for x, target in zip(results, carried):
        _joined(propagation, [x], target)
    return carried + [_leave(propagation, x, steps, length) for x in results[len(carried) :]]


def _enter(propagation: Propagation, x: Traced) -> Traced:
    """One step's slice of a stacked array."""
    inner = propagation.array(x.axes[1:], x.constant)
    groups = [(Place(x, axis + 1), Place(inner, axis)) for axis in range(len(inner.axes))]
    if not isinstance(x.axes[0], Free):
        groups.append((Place(x, 0), Place(inner, -len(propagation.scope))))
    return _move_across(propagation, x, inner, groups)


def _leave(propagation: Propagation, x: Traced, steps, length: int) -> Traced:
    """The stack of all steps' results; in the body the array may be one from outside."""
    varies = len(x.scope) > len(propagation.scope)
    stacked = propagation.array([steps if varies and length else Free(length), *x.axes])
    if length == 1:
        stacked = propagation.array([(), *x.axes])
    groups = [(Place(x, axis), Place(stacked, axis + 1)) for axis in range(len(x.axes))]
    if varies and length > 1:
        groups.append((Place(x, -1 - len(propagation.scope)), Place(stacked, 0)))
    return _move_across(propagation, x, stacked, groups)


def _move_across(propagation: Propagation, x: Traced, output: Traced, groups) -> Traced:
    """Record a move over the border of a loop, where the loop's own axis is linked by hand."""
    inside, propagation.scope = propagation.scope, propagation.scope[: min(len(x.scope), len(output.scope))]
    propagation.move([x], output, *groups)
    propagation.scope = inside
    return output


@rule("while")
def while_loop(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Walk the condition and the body; what is carried is tied to itself.

    Example:
      >>> import jax, numpy as np
      >>> double = lambda x, n: jax.lax.fori_loop(0, n, lambda _, x: 2 * x, x)
      >>> walk, x = Propagation(), np.ones(3)
      >>> walk.run(jax.make_jaxpr(double)(x, 2), [walk.data((3,)), walk.data(())])[0].axes
      ((0,),)
    """
    params = equation.params
    first, second = params["cond_nconsts"], params["cond_nconsts"] + params["body_nconsts"]
    carried = _carried(propagation, inputs[second:])
    propagation.run(_closed(params["cond_jaxpr"]), [*inputs[:first], *carried])
    results = propagation.run(_closed(params["body_jaxpr"]), [*inputs[first:second], *carried])
    for x, target in zip(results, carried, strict=True):
        _joined(propagation, [x], target)
    return carried


@rule("cond")
def cond(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """Walk every branch, and tie what they return.

    Example:
      >>> import jax, numpy as np
      >>> walk, x = Propagation(), np.ones(3)
      >>> either = lambda p, x, y: jax.lax.cond(p, lambda: x, lambda: y)
      >>> a, b = walk.data((3,)), walk.data((3,))
      >>> _ = walk.run(jax.make_jaxpr(either)(True, x, x), [walk.data(()), a, b])
      >>> walk.factors.expand(a.axes[0]) == walk.factors.expand(b.axes[0])
      True
    """
    results = [propagation.run(_closed(branch), inputs[1:]) for branch in equation.params["branches"]]
    outputs = []
    for options in zip(*results, strict=True):
        axes = [propagation.tie(*(x.axes[a] for x in options)) for a in range(len(options[0].axes))]
        outputs.append(_joined(propagation, list(options), propagation.array(axes)))
    return outputs

"""Scales and signs that commute with a network, found from the loop nests of its trace.

If every entry ``i`` along an axis is multiplied by ``s_i`` to some power, the power of each operation's
output follows from those of its inputs: a product adds powers, a contraction needs them to cancel, a sum and
a ReLU need them equal, an exponential needs them zero. The powers of the parameters that satisfy all these
linear equations are the scale symmetries, ``s_i > 0``; the same equations modulo 2, with other rules for the
non-linearities, are the sign symmetries.
"""

from fractions import Fraction
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from equijax.weights.forms import Equations, Form
from equijax.weights.nest import Nest, Traced
from equijax.weights.occurrences import Key, Occurrences, Run

LINEAR = set(
    [
        "move",
        "add",
        "add_any",
        "sub",
        "neg",
        "copy",
        "copy_p",
        "stop_gradient",
        "reduce_sum",
        "reduce_window_sum",
        "cumsum",
        "rev",
        "fft",
        "real",
        "imag",
        "conj",
        "complex",
        "name",
        "device_put",
        "reduce_precision",
        "sharding_constraint",
        "layout_constraint",
        "reshard",
        "pvary",
        "gather",
        "select_n",
        "scatter",
        "scatter-add",
        "scatter-sub",
        "scatter_add",
        "scatter_sub",
        "dynamic_update_slice",
        "convert_element_type",
    ]
)
"""Operations that are linear in their inputs, apart from those that choose (see `CONTROL`)."""

_PRODUCTS = {"mul", "dot_general", "conv_general_dilated"}
CONTROL = {"gather": (1,), "select_n": (0,)} | {
    name: (2,) for name in ("scatter", "scatter-add", "scatter-sub", "scatter_add", "scatter_sub")
}
"""Which inputs choose among the others: they must not change."""

_POSITIVE = set(
    [
        "max",
        "min",
        "abs",
        "reduce_max",
        "reduce_min",
        "reduce_window_max",
        "reduce_window_min",
        "cummax",
        "cummin",
        "scatter-max",
        "scatter-min",
        "scatter_max",
        "scatter_min",
    ]
)
_COMPARISONS = ["eq", "ne", "gt", "ge", "lt", "le", "eq_to", "le_to", "lt_to", "atan2", "argmax", "argmin"]
_ODD = ["tanh", "sin", "tan", "asin", "atan", "sinh", "asinh", "atanh", "erf", "erf_inv", "cbrt", "sign"]
_EVEN = ["cos", "cosh", "abs"]
_POWERS = {"square": Fraction(2), "sqrt": Fraction(1, 2), "rsqrt": Fraction(-1, 2), "cbrt": Fraction(1, 3)}

_SCALE_RULES = {
    **dict.fromkeys(LINEAR | _POSITIVE, "linear"),
    **dict.fromkeys([*_COMPARISONS, "sign", "is_finite"], "compare"),
}
_SIGN_RULES = {
    **dict.fromkeys(LINEAR | set(_ODD), "linear"),
    **dict.fromkeys(["eq", "ne", "is_finite", *_EVEN], "compare"),
}


def is_linear(nest: Nest, target=jnp.floating) -> bool:
    """Whether the parameters of an operation of `LINEAR` let it be linear.

    Args:
      nest: the operation.
      target: the kind of dtype that entries may be converted to.

    Example:
      >>> is_linear(Nest("convert_element_type", (), None, (), {"new_dtype": jnp.dtype(bool)}))
      False
    """
    params = nest.params
    if nest.operation == "convert_element_type":
        return jnp.issubdtype(params["new_dtype"], target)
    if nest.operation == "gather":
        # Entries out of bounds are filled with a number that may be neither zero nor lost anyway.
        fill = params.get("fill_value")
        return fill is None or fill == 0 or not np.isfinite(fill)
    if nest.operation == "scatter":
        # A function of the user's may be applied to the entries that are written to.
        update = params.get("update_jaxpr")
        return update is None or not update.eqns
    return True


class Powers:
    """The powers to which each occurrence carries the scales (or the signs) of its neurons.

    Args:
      occurrences: of the finished walk.
      arrays: the arrays whose powers are unknown: parameters, and inputs that are free.
      signs: whether signs are asked for; else positive scales.

    Example:
      >>> import jax, numpy as np
      >>> from equijax.weights.propagation import Propagation
      >>> relu = lambda w, v, x: jax.nn.relu(x @ w) @ v
      >>> walk, values = Propagation(), (np.ones((2, 3)), np.ones((3, 4)), np.ones(2))
      >>> w, v, x = (walk.data(each.shape) for each in values)
      >>> (y,) = walk.run(jax.make_jaxpr(relu)(*values), [w, v, x])
      >>> walk.freeze_all([x, y], "outside")
      >>> powers = Powers(Occurrences(walk), [w, v], signs=False)
      >>> hidden = powers.exponents(w, (1, 0, 1)), powers.exponents(v, (0, 0, 1))
      >>> [list(each.values()) for each in hidden], powers.exponents(v, (1, 0, 1))
      ([[1], [-1]], {})
    """

    def __init__(self, occurrences: Occurrences, arrays: list[Traced], *, signs: bool):
        self._signs = signs
        self._system = Equations(2 if signs else None)
        self._forms: dict[tuple[int, Key], Form] = {}
        for array in arrays:
            for key in occurrences.of(array):
                self._forms[id(array), key] = {self._system.unknown(): 1}
        for nest in occurrences.nests:
            for run in occurrences.runs(nest):
                self._follow(nest, run)
        self._close(occurrences, arrays)

    def exponents(self, array: Traced, key: Key) -> Form:
        """The powers of an occurrence: a form in unknowns, each of which is a symmetry.

        Example:
          >>> from equijax.weights.propagation import Propagation
          >>> Powers(Occurrences(Propagation()), [], signs=True).exponents(Traced(()), (0, 0, 1))
          {}
        """
        return self._system.reduce(self._forms.get((id(array), key), {}))

    def _close(self, occurrences: Occurrences, arrays: list[Traced]) -> None:
        """Give up the leaves of which some output is not accounted for: a rule left out a loop variable."""
        made = {id(nest.output): nest.output for nest in occurrences.nests if nest.output is not None}
        lost = {
            each.leaf
            for array in made.values()
            for key, each in occurrences.of(array).items()
            if (id(array), key) not in self._forms
        }
        for array in arrays if lost else ():
            for key, each in occurrences.of(array).items():
                if each.leaf in lost:
                    self._system.vanish(self._forms[id(array), key])

    def _follow(self, nest: Nest, run: Run) -> None:
        """The equations of one loop variable."""
        inputs, output = sides(nest, run), None
        for array, key in run.places:
            if array is nest.output:
                output = (id(array), key)
        forms = [(slot, self._forms.get((id(array), key), {})) for slot, array, key in inputs.carriers]
        if run.leaf == -1 or nest.operation in ("opaque", "source"):
            result = self._zero(forms)
        else:
            result = self._result(nest, forms, inputs.lacking, output is not None)
        if output is None:
            self._system.vanish(result)
        elif output in self._forms:
            self._system.equate(self._forms[output], result)
        else:
            self._forms[output] = result

    def _result(self, nest: Nest, forms, lacking: list[Traced], survives: bool) -> Form:
        """The output's power; for a loop variable that is reduced over, what must vanish."""
        name = nest.operation
        combine = self._system.combine
        if name in _PRODUCTS:
            return combine(*((1, form) for _, form in forms))
        if name == "div":
            return combine(*((1 if slot == 0 else -1, form) for slot, form in forms))
        power = self._power(nest)
        if power is not None:
            base = [form for slot, form in forms if slot == 0]
            self._zero([each for each in forms if each[0] != 0])
            return combine((power, base[0])) if base else {}
        rule = (_SIGN_RULES if self._signs else _SCALE_RULES).get(name)
        if not is_linear(nest, jnp.inexact):
            rule = None
        if rule is None:
            return self._zero(forms)
        control = CONTROL.get(name, ())
        self._zero([each for each in forms if each[0] in control])
        data = [form for slot, form in forms if slot not in control]
        for form in data[1:]:
            self._system.equate(data[0], form)
        chooses = [nest.inputs[slot] for slot in control]
        fixed = (0.0,) if self._signs else (0.0, float("inf"), float("-inf"))
        others = [x for x in lacking if x.constant not in fixed and not any(x is each for each in chooses)]
        if data and others:
            self._system.vanish(data[0])
        if rule == "compare":
            return {}
        if not data and not others and lacking and survives:
            return {self._system.unknown(): 1}
        return data[0] if data else {}

    def _power(self, nest: Nest) -> Fraction | int | None:
        """The exponent of a power function; None for other operations, and where the rule must be another."""
        name, exponent = nest.operation, None
        if name == "integer_pow":
            exponent = nest.params["y"]
        elif name in _POWERS:
            exponent = _POWERS[name]
        elif name == "pow" and nest.inputs[1].constant is not None:
            exponent = Fraction(nest.inputs[1].constant).limit_denominator(1000)
            exponent = exponent if float(exponent) == nest.inputs[1].constant else None
        if self._signs and exponent is not None:
            return int(exponent) if exponent == int(exponent) else None
        return exponent

    def _zero(self, forms) -> Form:
        """Let all powers vanish."""
        for _, form in forms:
            self._system.vanish(form)
        return {}


class Sides(NamedTuple):
    """The inputs of a nest that one loop variable runs over, and those that it does not."""

    carriers: list[tuple[int, Traced, Key]]
    lacking: list[Traced]


def sides(nest: Nest, run: Run) -> Sides:
    """Match places with input slots; an array that stands in several slots has several places."""
    waiting = [(array, key) for array, key in run.places if array is not nest.output]
    carriers, lacking = [], []
    for slot, x in enumerate(nest.inputs):
        place = next((i for i, (array, _) in enumerate(waiting) if array is x), None)
        if place is None:
            lacking.append(x)
        else:
            carriers.append((slot, *waiting.pop(place)))
    return Sides(carriers, lacking)

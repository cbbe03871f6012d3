"""Axes carried through a jaxpr, equation by equation.

The walk runs no arithmetic: arrays are `Traced` values, and each primitive's rule says which axes move
together. A primitive without a rule freezes all that it touches, so an unknown operation loses symmetry and
never invents one. Loops and branches are walked once, because ties accumulate. Ainsworth et al., "Git
Re-Basin", ICLR 2023, write these specifications by hand.
"""

import jax.numpy as jnp
import numpy as np
from jax.extend import core

from equijax.weights.factors import Axis, Factors, Free
from equijax.weights.nest import Link, Nest, Place, Stacked, Traced
from equijax.weights.registry import RULES, STACK_RULES

_LARGEST_CONSTANT = 1_000_000
"""Constants with more entries than this are not looked at for axes along which they do not vary."""


class Propagation:
    """The state of a walk: factors, loop nests, and the equation that is being walked.

    Args:
      apart: equations (by ``id``) that split an axis, with the number of the new axis whose entries are to be
        kept apart, as `split_apart` of an earlier walk tells.

    Example:
      >>> import jax
      >>> jaxpr = jax.make_jaxpr(lambda w, x: jax.numpy.tanh(x @ w))(np.ones((3, 4)), np.ones((2, 3)))
      >>> walk = Propagation()
      >>> w, x = (walk.data(aval.shape) for aval in jaxpr.in_avals)
      >>> (y,) = walk.run(jaxpr, [w, x])
      >>> y.axes[1] == w.axes[1], walk.factors.expand(x.axes[1]) == walk.factors.expand(w.axes[0])
      (True, True)
    """

    def __init__(self, apart: dict[int, int] | None = None):
        self.apart = apart or {}
        self.origins: dict[int, tuple[int, int]] = {}
        self.picked: set[int] = set()
        self.factors = Factors()
        self.nests: list[Nest] = []
        self.scope: tuple[Axis, ...] = ()
        self._where = ""
        self._wanted: set = set()

    def data(self, shape: tuple[int, ...], reason: str | None = None) -> Traced:
        """An array that comes from outside, each axis a new leaf (frozen if a reason is given).

        Example:
          >>> Propagation().data((4, 1)).axes
          ((0,), ())
        """
        return self.array([self.axis(size, reason) for size in shape])

    def axis(self, size: int, reason: str | None = None) -> Axis | Free:
        """A new axis; one without entries is `Free`.

        Example:
          >>> Propagation().axis(0)
          Free(size=0)
        """
        return self.factors.new(size, reason) if size else Free(0)

    def array(self, axes, constant=None) -> Traced:
        """An array with given axes, in the loops that are being walked.

        Example:
          >>> Propagation().array([Free(3)]).axes
          (Free(size=3),)
        """
        return Traced(tuple(axes), self.scope, constant)

    def shape(self, array: Traced) -> tuple[int, ...]:
        """The shape of a traced array.

        Example:
          >>> walk = Propagation()
          >>> walk.shape(walk.data((4, 1)))
          (4, 1)
        """
        return tuple(self.factors.size(axis) for axis in array.axes)

    def reason(self, why: str) -> str:
        """A reason with the place in the model where it arises.

        Example:
          >>> Propagation().reason("sorted")
          'sorted'
        """
        return f"{why} in {self._where}" if self._where else why

    def tie(self, *axes: Axis | Free) -> Axis | Free:
        """Make axes move together; returns the first that is not `Free`.

        Example:
          >>> walk = Propagation()
          >>> walk.tie(Free(3), (), walk.axis(3))
          (0,)
        """
        axes = [axis for axis in axes if axis != ()]
        held = [axis for axis in axes if not isinstance(axis, Free)]
        for axis in held[1:]:
            self.factors.unify(held[0], axis, self.reason("axes of different structure meet"))
        return held[0] if held else axes[0] if axes else ()

    def freeze(self, array: Traced, axis: int, why: str) -> None:
        """Freeze one axis of an array.

        Example:
          >>> walk = Propagation()
          >>> walk.freeze(walk.data((3,)), 0, "sorted")
          >>> walk.factors.reason(0)
          'sorted'
        """
        self.factors.freeze(array.axis(axis), self.reason(why))
        self.nests.append(Nest("opaque", (array,), None, self.links(Place(array, axis)), {}))

    def freeze_all(self, arrays: list[Traced], why: str) -> None:
        """Freeze every axis of arrays.

        Example:
          >>> walk = Propagation()
          >>> walk.freeze_all([walk.data((3, 1, 2))], "unknown primitive")
          >>> walk.factors.reason(1)
          'unknown primitive'
        """
        for array in arrays:
            for axis in range(len(array.axes)):
                self.freeze(array, axis, why)

    def links(self, *groups: Place | tuple[Place, ...]) -> tuple[Link, ...]:
        """One link for each group of whole axes that one loop variable runs over; `Free` axes are left out.

        Example:
          >>> walk = Propagation()
          >>> len(walk.links(Place(walk.data((3,)), 0), Place(walk.array([Free(3)]), 0)))
          1
        """
        links = []
        for places in groups:
            places = (places,) if isinstance(places, Place) else places
            held = tuple(p for p in places if not isinstance(p.array.axis(p.axis), Free))
            if held and held[0].array.axis(held[0].axis):
                links.append(Link(held[0].array.axis(held[0].axis), held))
        return tuple(links)

    def record(self, operation: str, inputs, output: Traced, links, params=None) -> Traced:
        """Record a loop nest, the loops around it included, and return its output.

        Example:
          >>> walk = Propagation()
          >>> x = walk.data((3,))
          >>> walk.record("move", [x], x, walk.links(Place(x, 0))) is x
          True
        """
        around = []
        for depth, axis in enumerate(self.scope):
            arrays = [each for each in (*inputs, output) if len(each.scope) > depth]
            if axis and arrays:
                around.append(Link(axis, tuple(Place(each, -1 - depth) for each in arrays)))
        links = (*links, *around)
        output.is_data = output.is_data or all(x.is_data for x in inputs)
        self.nests.append(Nest(operation, tuple(inputs), output, links, params or {}))
        return output

    def move(self, inputs: list[Traced], output: Traced, *groups) -> Traced:
        """Record that entries move from whole axes of inputs to whole axes of the output.

        Example:
          >>> walk = Propagation()
          >>> x, y = walk.data((3,)), walk.data((3,))
          >>> walk.move([x], y, (Place(x, 0), Place(y, 0))) is y
          True
        """
        return self.record("move", inputs, output, self.links(*groups))

    def split_apart(self) -> dict[int, int]:
        """The reshapes that made an axis of which single entries were read later.

        A second walk can keep these entries apart from the beginning, and ties less.

        Example:
          >>> Propagation().split_apart()
          {}
        """
        picked = {self.factors.root(leaf) for leaf in self.picked}
        return {
            equation: axis
            for leaf, (equation, axis) in self.origins.items()
            if self.factors.root(leaf) in picked
        }

    def run(self, closed: core.ClosedJaxpr, inputs: list, *, keep: bool = False) -> list:
        """Walk a jaxpr.

        Args:
          closed: the jaxpr with its constants.
          inputs: one traced array for each of its arguments.
          keep: whether outputs may be `Stacked`.

        Returns:
          The traced outputs.

        Raises:
          ValueError: if an equation that the outputs need draws random numbers.
        """
        jaxpr = closed.jaxpr
        known = dict(zip(jaxpr.invars, inputs, strict=True))
        known |= dict(zip(jaxpr.constvars, map(self._constant, closed.consts), strict=True))
        outside, wanted = self._where, self._wanted
        equations, inside = _needed(jaxpr)
        for equation in equations:
            self._wanted = inside
            scope = str(equation.source_info.name_stack)
            self._where = "/".join(part for part in (outside, scope) if part)
            arguments = [self._read(known, atom) for atom in equation.invars]
            outputs = self._apply(equation, arguments)
            known |= dict(zip(equation.outvars, outputs, strict=True))
        self._where, self._wanted = outside, wanted
        outputs = [self._read(known, atom) for atom in jaxpr.outvars]
        return outputs if keep else [self._whole(x) for x in outputs]

    def _apply(self, equation, inputs: list) -> list:
        """Use the rule of an equation's primitive."""
        name = equation.primitive.name
        if any(isinstance(x, Stacked) for x in inputs):
            outputs = STACK_RULES[name](self, equation, inputs) if name in STACK_RULES else None
            if outputs is not None:
                return outputs
            inputs = [self._whole(x) for x in inputs]
        return RULES.get(name, unknown)(self, equation, inputs)

    def _whole(self, x: Traced | Stacked) -> Traced:
        """An array that may be stacked, as one."""
        from equijax.weights.rules.pieces import join_pieces  # here, because rules are made with this class

        return join_pieces(self, list(x.pieces), x.axis) if isinstance(x, Stacked) else x

    def is_needed(self, variable) -> bool:
        """Whether an output of the equation that is being walked is used.

        Example:
          >>> Propagation().is_needed("a")
          False
        """
        return variable in self._wanted

    def _read(self, known: dict, atom) -> Traced:
        """The traced value of a variable or a literal."""
        return self._constant(atom.val) if isinstance(atom, core.Literal) else known[atom]

    def _constant(self, value) -> Traced:
        """A constant array: frozen along the axes on which it varies."""
        shape = np.shape(value)
        if not shape:
            dtype = getattr(value, "dtype", type(value))
            is_real = any(jnp.issubdtype(dtype, kind) for kind in (jnp.integer, jnp.floating, jnp.bool_))
            return source(self, [], float(value) if is_real else None)
        varies = [True] * len(shape)
        if 0 < np.size(value) <= _LARGEST_CONSTANT and np.issubdtype(value.dtype, np.generic):
            entries = np.asarray(value)
            varies = [bool((entries != entries.take([0], axis)).any()) for axis in range(len(shape))]
        reason = self.reason("constant array")
        axes = [self.axis(n, reason) if held or n == 1 else Free(n) for n, held in zip(shape, varies)]
        constant = None if any(varies) else float(np.real(entries.flat[0]))
        return source(self, axes, constant)


def source(propagation: Propagation, axes, constant=None) -> Traced:
    """An array of data that no symmetry changes.

    Example:
      >>> source(Propagation(), [Free(2)], constant=1.0).constant
      1.0
    """
    array = propagation.array(axes, constant)
    links = propagation.links(*(Place(array, axis) for axis in range(len(array.axes))))
    return propagation.record("source", (), array, links)


def unknown(propagation: Propagation, equation, inputs: list[Traced]) -> list[Traced]:
    """The rule of primitives that have none: every axis is frozen.

    Example:
      >>> import jax
      >>> walk, w = Propagation(), np.eye(2)
      >>> jaxpr = jax.make_jaxpr(jax.numpy.linalg.cholesky)(w)
      >>> _ = unknown(walk, jaxpr.eqns[0], [walk.data((2, 2))])
      >>> walk.factors.reason(0).startswith("used by")
      True
    """
    name = equation.primitive.name
    propagation.freeze_all(inputs, f"used by {name}, which has no rule")
    reason = propagation.reason(f"made by {name}, which has no rule")
    shapes = [getattr(variable.aval, "shape", ()) for variable in equation.outvars]
    return [source(propagation, [propagation.axis(size, reason) for size in shape]) for shape in shapes]


def _needed(jaxpr: core.Jaxpr) -> tuple[list, set]:
    """The equations that the outputs depend on, in order, and the variables that they need."""
    wanted = {atom for atom in jaxpr.outvars if not isinstance(atom, core.Literal)}
    equations = []
    for equation in reversed(jaxpr.eqns):
        if wanted.isdisjoint(equation.outvars):
            continue
        equations.append(equation)
        wanted.update(atom for atom in equation.invars if not isinstance(atom, core.Literal))
    return equations[::-1], wanted

"""`assert_equivariant`: search for a group element and an input at which a function is not equivariant.

Hypothesis draws both, degenerate inputs among them, and shrinks what it finds; the message holds everything
that is needed to look at the counterexample and a line of Python that fails in the same way.
"""

import contextlib
import textwrap

import jax
import jax.numpy as jnp
import numpy as np

from equijax.equivariance import signature
from equijax.groups import Group, Representation, Trivial, act
from equijax.numerics import check
from equijax.testing import shrinking, strategies
from equijax.testing.commuting import Commuting, Violation
from equijax.testing.source import source

_EXTREME_KINDS = ("large", "small")
_SHOWN = 60
"""Arrays with more entries than this are abridged in the message, though never in the line to reproduce."""


class _Counterexample(AssertionError):
    """Carries a failing example out of Hypothesis."""

    def __init__(self, g, leaves: list, found: list[Violation]):
        super().__init__(found[0].place)
        self.g, self.leaves, self.found = g, leaves, found


def assert_equivariant(
    f,
    group: Group,
    in_reps,
    out_reps,
    *,
    shapes=None,
    args: tuple | None = None,
    dtype="float32",
    rtol: float | None = None,
    max_examples: int = 50,
    seed: int | None = None,
    degenerate: bool = True,
    gradient: bool = False,
    redraw: bool = True,
    jit: bool = True,
):
    """Assert that f(g x) = g f(x) for all group elements g and inputs x that Hypothesis can think of.

    Inputs are normal random arrays and, with ``degenerate``, arrays of few small integers, zeros, coincident,
    repeated, collinear and coplanar points, ties, and entries a thousand times larger or smaller (where these
    overflow f, they are passed over). f is compiled once for each shape. The tolerance is ``rtol`` times the
    norm of the output, or of its typical size if that is larger, plus what a few units in the last place of
    the input account for (at most a hundred times as much again).

    Args:
      f: a function of positional arguments.
      group: the group.
      in_reps: signature of the arguments: a tuple with one representation, or pytree of them, for each
        argument.
      out_reps: signature of the output, a prefix of it.
      shapes: a tuple of shapes, one for each representation of ``in_reps`` (nested alike), with any leading
        batch axes. If left out, the shapes that the representations have for the group.
      args: instead of ``shapes``, arguments as they should be: their floating leaves are redrawn at their
        scale, except those under a bare `equijax.groups.Trivial`; all other leaves (species, masks, topology)
        are kept, though the group acts on them. Use it for arguments that are not plain floating arrays.
      dtype: ``float32``, ``float64`` (then double precision is enabled for the duration), or another floating
        dtype.
      rtol: relative tolerance. By default 1e-4 for float32 and 1e-9 for float64 (2e-2 for float16, 1e-1 for
        bfloat16), of the coarser dtype of input and output.
      max_examples: how many examples to try.
      seed: seeds the search; by default it is the same every time.
      degenerate: whether to include degenerate inputs.
      gradient: whether the gradients with respect to the floating arguments must be finite and agree, too.
      redraw: with ``args``, whether to redraw their floating leaves; False varies only the group element.
      jit: whether to compile f.

    Raises:
      AssertionError: at a counterexample, with the element, the input, the output's place, the error, the
        tolerance, the dtype and the line that reproduces it.
      TypeError, ValueError: if a signature, a shape or another argument does not fit.
      ImportError: if Hypothesis is not installed.

    Example:
      >>> from equijax.groups import SO, Vector
      >>> assert_equivariant(lambda x: x * jnp.sum(x**2), SO(3), in_reps=(Vector(),), out_reps=Vector())
      >>> assert_equivariant(jnp.abs, SO(3), in_reps=(Vector(),), out_reps=Vector())
      Traceback (most recent call last):
      AssertionError: abs is not equivariant under SO(3)...
    """
    hypothesis = strategies.import_hypothesis()
    check.function("f", f)
    check_tolerance(rtol)
    if seed is not None:
        check.count("seed", seed, 0)
    dtype = _check_arguments(group, in_reps, shapes, args, dtype, max_examples)
    with _precision(dtype):
        template, drawn = _templates(group, in_reps, shapes, args, dtype, redraw)
        commuting = Commuting(f, group, in_reps, out_reps, rtol=rtol, gradient=gradient, jit=jit)
        commuting.check_output(template)
        leaves, structure = jax.tree.flatten(template)
        inputs = [
            _leaf_strategy(leaf, is_drawn, args is not None, degenerate)
            for leaf, is_drawn in zip(leaves, drawn, strict=True)
        ]

        def example(g, drawn_leaves):
            values = [value for _, value in drawn_leaves]
            found = commuting.violations(g, structure.unflatten(values))
            if found and any(kind in _EXTREME_KINDS for kind, _ in drawn_leaves):
                hypothesis.assume(all(np.isfinite(violation.error) for violation in found))
            if found:
                raise _Counterexample(g, values, found)

        failure = _search(example, strategies.elements(group, dtype), inputs, max_examples, seed)
        if failure is None:
            return
        g, values, found = _simplify(failure, commuting, structure, drawn, degenerate)
        message = _message(f, commuting, g, values, found, dtype, gradient)
    raise AssertionError(message)


def _search(example, elements, inputs: list, max_examples: int, seed: int | None) -> _Counterexample | None:
    """Run Hypothesis, and return the smallest counterexample that it finds."""
    hypothesis = strategies.import_hypothesis()
    test = hypothesis.given(elements, hypothesis.strategies.tuples(*inputs))(example)
    test = hypothesis.settings(
        max_examples=max_examples,
        derandomize=seed is None,
        database=None,
        deadline=None,
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )(test)
    try:
        (test if seed is None else hypothesis.seed(seed)(test))()
    except _Counterexample as counterexample:
        return counterexample
    return None


def _simplify(failure: _Counterexample, commuting: Commuting, structure, drawn: list[bool], zeros: bool):
    """The element, the arguments and the violations, with simpler arguments that fail at the same place."""
    first = failure.found[0]

    def still_fails(leaves):
        found = commuting.violations(failure.g, structure.unflatten(leaves))
        return any(
            violation.place == first.place and np.isfinite(violation.error) == np.isfinite(first.error)
            for violation in found
        )

    leaves = shrinking.simplify(failure.leaves, drawn, still_fails, zeros=zeros)
    values = structure.unflatten(leaves)
    return failure.g, values, commuting.violations(failure.g, values)


def assert_commutes(
    f,
    g,
    in_reps,
    out_reps,
    args: tuple,
    *,
    group: Group,
    dtype="float32",
    rtol: float | None = None,
    gradient=False,
):
    """Assert that f(g x) = g f(x) at one element and one input, with the tolerance of `assert_equivariant`.

    Args:
      f, in_reps, out_reps, group, dtype, rtol, gradient: as for `assert_equivariant`.
      g: the group element.
      args: the arguments x.

    Raises:
      AssertionError: if the two sides differ by more than the tolerance, with the message of
        `assert_equivariant`.
      TypeError, ValueError: if a signature or a shape does not fit.

    Example:
      >>> from equijax.groups import SO, Vector
      >>> assert_commutes(jnp.abs, np.eye(2), (Vector(),), Vector(), (np.ones(2),), group=SO(2))
    """
    signature.check_group(group)
    signature.check_args(args)
    check.function("f", f)
    check_tolerance(rtol)
    dtype = _dtype_name(dtype)
    with _precision(dtype):
        args = jax.tree.map(lambda leaf: _cast(leaf, dtype), args)
        g = jax.tree.map(lambda leaf: _cast(leaf, dtype), g)
        signature.check_tree("args", in_reps, group, args)
        commuting = Commuting(f, group, in_reps, out_reps, rtol=rtol, gradient=gradient)
        commuting.check_output(args)
        found = commuting.violations(g, args)
        message = _message(f, commuting, g, args, found, dtype, gradient) if found else None
    if message is not None:
        raise AssertionError(message)


def _precision(dtype: str):
    """Double precision for the duration, where the dtype asks for it."""
    return jax.enable_x64(True) if dtype == "float64" else contextlib.nullcontext()


def _cast(leaf, dtype: str):
    """A floating leaf in the given dtype; others as they are."""
    leaf = jnp.asarray(leaf)
    return leaf.astype(dtype) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf


def _check_arguments(group, in_reps, shapes, args, dtype, max_examples) -> str:
    """Check what does not depend on the representations, and return the dtype's name."""
    signature.check_group(group)
    check.count("max_examples", max_examples, 1)
    if shapes is not None and args is not None:
        raise ValueError("shapes and args exclude each other, got both")
    if args is not None:
        signature.check_args(args)
    if not isinstance(in_reps, tuple):
        raise TypeError(
            "in_reps must be a tuple with one signature for each argument, as in (Vector(),), "
            f"got {in_reps!r}"
        )
    return _dtype_name(dtype)


def _dtype_name(dtype) -> str:
    """The name of a real floating dtype."""
    try:
        found = jnp.dtype(dtype)
    except TypeError as error:
        raise TypeError(f"dtype must be a real floating-point type, got {dtype!r}") from error
    if not jnp.issubdtype(found, jnp.floating):
        raise TypeError(f"dtype must be a real floating-point type, got {found.name}")
    return found.name


def check_tolerance(rtol) -> None:
    """Require a tolerance: None or a number above 0.

    Raises:
      ValueError: if it is something else.

    Example:
      >>> check_tolerance(-1.0)
      Traceback (most recent call last):
      ValueError: rtol must be a number above 0, got -1.0
    """
    if rtol is not None:
        check.positive("rtol", rtol)


def _templates(group, in_reps, shapes, args, dtype, redraw):
    """Arguments of the right structure and shapes, and for each of their leaves whether it is to be drawn."""
    if args is not None:
        template = jax.tree.map(lambda leaf: _cast(leaf, dtype), args)
        found = signature.check_tree("args", in_reps, group, template)
        drawn = [
            redraw and not isinstance(rep, Trivial) and jnp.issubdtype(leaf.dtype, jnp.floating)
            for _, rep, leaf in found
        ]
        return template, drawn
    reps, structure = jax.tree.flatten(in_reps)
    for rep in reps:
        if not isinstance(rep, Representation):
            raise TypeError(f"in_reps must be a pytree of representations, got {rep!r}")
    if shapes is None:
        parts = [rep.shape(group) for rep in reps]
    else:
        try:
            parts = structure.flatten_up_to(shapes)
        except (ValueError, TypeError) as error:
            raise ValueError(f"shapes must be nested as in_reps {in_reps!r} is, got {shapes!r}") from error
    for part in parts:
        if not isinstance(part, tuple) or not all(isinstance(axis, int) for axis in part):
            raise TypeError(f"shapes must hold a tuple of integers for each representation, got {part!r}")
    random = np.random.default_rng(0)
    template = structure.unflatten([jnp.asarray(random.normal(size=part), dtype) for part in parts])
    signature.check_tree("args", in_reps, group, template)
    return template, [True] * len(parts)


def _leaf_strategy(leaf, is_drawn: bool, is_given: bool, degenerate: bool):
    """A strategy for one leaf of the arguments: pairs of a kind and an array."""
    st = strategies.import_hypothesis().strategies
    given = st.just(("given", leaf))
    if not is_drawn:
        return given
    scale = float(jnp.sqrt(jnp.mean(leaf.astype(jnp.float32) ** 2))) if is_given and leaf.size else 1.0
    drawn = strategies.drawn_arrays(leaf.shape, leaf.dtype.name, degenerate, scale=scale or 1.0)
    return st.one_of(given, drawn) if is_given else drawn


def _message(f, commuting: Commuting, g, args, found: list[Violation], dtype: str, gradient: bool) -> str:
    """Everything about a counterexample."""
    worst = found[0]
    name = getattr(f, "__name__", "f")
    callable_name = name if name.isidentifier() else "f"
    lines = [
        f"{callable_name} is not equivariant under {commuting.group!r}",
        *_judgement(worst),
        f"  dtype      {worst.dtype}" + ("" if worst.dtype == dtype else f" (inputs {dtype})"),
        _entry("element g", g),
    ]
    for place, _, leaf in signature.leaves("x", commuting.in_reps, args):
        lines.append(_entry(f"input {place}", leaf))
    moved = act(commuting.in_reps, g, args)
    for place, _, leaf in signature.leaves("g x", commuting.in_reps, moved):
        lines.append(_entry(place, leaf))
    lines += [_entry("f(g x)", np.asarray(worst.left)), _entry("g f(x)", np.asarray(worst.right))]
    others = ", ".join(violation.place for violation in found[1:])
    if others:
        lines.append(f"  also at    {others}")
    rtol = "" if commuting.rtol is None else f", rtol={commuting.rtol!r}"
    lines += [
        "  reproduce with",
        f"    ej.testing.assert_commutes({callable_name}, {source(g)}, in_reps={source(commuting.in_reps)}, "
        f"out_reps={source(commuting.out_reps)}, args={source(args)}, group={source(commuting.group)}, "
        f"dtype={dtype!r}{rtol}{', gradient=True' if gradient else ''})",
    ]
    return "\n".join(lines)


def _judgement(violation: Violation) -> list[str]:
    """What is wrong, and by how much."""
    if not np.isfinite(violation.error):
        return [
            f"  f(g x) or g f(x) is not finite at {violation.place}",
            "  (if f is not meant for such inputs, pass degenerate=False)",
        ]
    relative = f" = {violation.error / violation.size:.3g} of the size" if violation.size else ""
    return [
        f"  f(g x) differs from g f(x) at {violation.place}",
        f"  error      {violation.error:.6g}{relative}",
        f"  tolerance  {violation.tolerance:.3g}",
    ]


def _entry(name: str, value) -> str:
    """A name and the printed value below it; arrays with many entries are abridged."""

    def show(leaf):
        return np.array2string(np.asarray(leaf), separator=", ", threshold=_SHOWN, precision=8)

    if isinstance(value, jax.Array | np.ndarray):
        text = show(value)
    else:
        parts = jax.tree_util.tree_flatten_with_path(value)[0]
        text = "\n".join(_indented(f"{jax.tree_util.keystr(path)} = ", show(leaf)) for path, leaf in parts)
    if "\n" in text or len(name) > 10:
        return f"  {name}\n{textwrap.indent(text, '    ')}"
    return f"  {name:10} {text}"


def _indented(head: str, text: str) -> str:
    """A head before the first line of a text, the others indented as far."""
    return head + textwrap.indent(text, " " * len(head)).lstrip()

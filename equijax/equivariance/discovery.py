"""Which of several candidate symmetries hold, exactly or nearly: of a function, or of a network's weights."""

import dataclasses
from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from equijax.equivariance import levels, signature
from equijax.equivariance.residuals import LayerReps, check_groups, projection_residuals, rep_for
from equijax.groups import Group
from equijax.numerics import check

EXACT = {8: 1e-9, 4: 1e-4, 2: 5e-2}
"""Levels below which a symmetry counts as exact, by the size of the floating-point type in bytes."""

ABSENT = 0.5
"""Levels from which on a symmetry counts as absent: a quarter of the variance is not symmetric."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """What was found of one group.

    Attributes:
      group: the group.
      verdict: ``"exact"``, ``"approximate"`` or ``"absent"``.
      level: 0 if the symmetry is exact, about 1 if values or weights know nothing of it.
      low, high: the interval of the level; both are the level itself for one set of weights.
      error: of a function, the mean of ``‖f(g x) - g f(x)‖ / (‖f(g x)‖ + ‖g f(x)‖)``; of weights, the root of
        the share of the squared norm that is not equivariant, which is small for large spaces of maps.
      controls: the same error of what knows nothing of the symmetry, by name.
    """

    group: Group
    verdict: str
    level: float
    low: float
    high: float
    error: float
    controls: dict[str, float]


@dataclasses.dataclass(frozen=True)
class Discovery:
    """The result of `discover`; it prints as a table, and ``result[group]`` is the finding of a group.

    Attributes:
      findings: one for each group, in the order of the candidates.
      subject: what was looked at.
      interval: how the intervals were made.
      dtype: the floating-point type that decided what counts as exact.
      exact, absent: the thresholds.
    """

    findings: tuple[Finding, ...]
    subject: str
    interval: str
    dtype: str
    exact: float
    absent: float

    def __getitem__(self, group: Group) -> Finding:
        """The finding of a group."""
        for finding in self.findings:
            if finding.group == group:
                return finding
        raise KeyError(f"no finding of {group!r}; there are {[each.group for each in self.findings]}")

    def __str__(self) -> str:
        names = list(self.findings[0].controls)
        rows = [["group", "verdict", "level", "interval", "error", *names]]
        rows += [
            [
                repr(each.group),
                each.verdict,
                f"{each.level:.2g}",
                f"[{each.low:.2g}, {each.high:.2g}]",
                f"{each.error:.2g}",
                *(f"{each.controls[name]:.2g}" for name in names),
            ]
            for each in self.findings
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [f"symmetry of {self.subject}; {self.interval}"]
        lines.append(f"exact: level below {self.exact:g} ({self.dtype}); absent: from {self.absent:g} on")
        lines += [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        lines.append(f"errors of controls for comparison: {', '.join(names)}")
        return "\n".join(lines)


def discover(
    subject,
    groups: Sequence[Group],
    *,
    in_reps=None,
    out_reps=None,
    args: tuple | None = None,
    layer_reps: LayerReps | None = None,
    key: Array | None = None,
    num_elements: int = 32,
    confidence: float = 0.95,
    exact: float | None = None,
    absent: float = ABSENT,
) -> Discovery:
    """Find out which symmetries a function, or a network's weights, have: exact, approximate or absent.

    A function is judged by its values at ``args`` moved by random elements (`equijax.equivariance.levels`):
    an equivariant function plus ``eps`` times an unrelated one of the same size has a level of about ``eps``.
    Errors of the best constant and the best linear function, and of values that are unrelated to their
    inputs, are given beside it: a model whose error is that of the constant may have learnt no more.
    Weights are judged by their projection residuals, corrected for size; they can be equivariant for other
    hidden representations than the declared ones, so that an absent symmetry of weights says less than one of
    the function. For several functions or sets of weights, such as networks trained from several seeds,
    intervals are Student's over these; for one function, by bootstrap over inputs and elements.

    A symmetry is exact if the upper end of its interval is below ``exact``, absent if the lower end is at
    least ``absent``, and approximate in between. What a function has of every group (a part that is constant
    on orbits) lowers its level: that of ``x_1²`` under rotations is 0.8.

    Args:
      subject: a function, which is called with a batch of inputs as ``subject(*args)``; or nested mappings of
        weights; or a list of functions, or of weights.
      groups: the candidates.
      in_reps: for a function, the signature of the arguments, or a function of the group that gives one.
      out_reps: likewise for the output.
      args: for a function, the inputs, with one leading axis in every array; 64 or more give good intervals.
      layer_reps: for weights, as for `projection_residuals`.
      key: a JAX random key; ``jax.random.key(0)`` if None.
      num_elements: for a function, how many elements of each group.
      confidence: of the intervals.
      exact: what counts as exact; 1e-4 in float32, 1e-9 in float64 and 0.05 in half precision if None.
      absent: what counts as absent.

    Raises:
      TypeError: if an argument is missing, or does not belong to the kind of subject.
      ValueError: if a number is out of range, or shapes do not match.

    Example:
      >>> from equijax.groups import SO, MatrixGroup, Trivial, Vector
      >>> about_z = MatrixGroup("about_z", algebra=[[[0, -1, 0], [1, 0, 0], [0, 0, 0]]])
      >>> x = jax.random.normal(jax.random.key(0), (256, 3))
      >>> def energy(x):  # with a weak field along z
      ...     return jnp.sum(x**2, axis=-1) + 0.1 * x[..., 2]
      >>> found = discover(energy, [SO(3), about_z], in_reps=(Vector(),), out_reps=Trivial(), args=(x,))
      >>> [(finding.verdict, round(finding.level, 2)) for finding in found.findings]
      [('approximate', 0.04), ('exact', 0.0)]
    """
    groups = check_groups(groups)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence!r}")
    for name, value in {"absent": absent, **({} if exact is None else {"exact": exact})}.items():
        check.positive(name, value)
    subjects = list(subject) if isinstance(subject, list | tuple) else [subject]
    if not subjects:
        raise ValueError("subject must be at least one function or mapping of weights, got none")
    limits = {"confidence": confidence, "exact": exact, "absent": absent}
    if all(callable(each) for each in subjects):
        _require("function", {"in_reps": in_reps, "out_reps": out_reps, "args": args}, layer_reps=layer_reps)
        signature.check_args(args)
        check.count("num_elements", num_elements, 1)
        key = jax.random.key(0) if key is None else key
        check.key("key", key)
        return _of_functions(subjects, groups, in_reps, out_reps, args, key, num_elements, **limits)
    if all(isinstance(each, Mapping) for each in subjects):
        others = {"in_reps": in_reps, "out_reps": out_reps, "args": args}
        _require("mapping of weights", {"layer_reps": layer_reps}, **others)
        return _of_weights(subjects, groups, layer_reps, **limits)
    raise TypeError(
        "subject must be a function, a mapping of weights, or a list of one of these, "
        f"got {[type(each).__name__ for each in subjects]}"
    )


def _require(kind: str, needed: dict, **foreign) -> None:
    """Require the arguments that belong to the kind of subject, and no others."""
    for name, value in needed.items():
        if value is None:
            raise TypeError(f"{name} must be given for a {kind}, got None")
    for name, value in foreign.items():
        if value is not None:
            raise TypeError(f"{name} must be None for a {kind}, got {type(value).__name__}")


def _of_functions(
    functions, groups, in_reps, out_reps, args, key, num_elements, *, confidence, exact, absent
):
    """Judge functions by their values."""
    order = np.random.default_rng(0).permutation(jnp.shape(jax.tree.leaves(args)[0])[0])
    # Neighbours may be alike in what they came in; each value is compared with those of others.
    args = jax.tree.map(lambda leaf: jnp.asarray(leaf)[order], args)
    outputs = [f(*args) for f in functions]
    dtype = signature.float_dtype(outputs[0])
    exact = EXACT[dtype.itemsize] if exact is None else exact
    constant, linear = levels.constant_control(outputs[0]), levels.linear_control(args, outputs[0])
    findings = []
    for group in groups:
        reps = rep_for(in_reps, group), rep_for(out_reps, group)
        everything = (*functions, constant, linear)
        *own, of_constant, of_linear = levels.commutations(everything, group, *reps, args, key, num_elements)
        values = np.array([each.level for each in own])
        ends = own[0].interval(confidence) if len(own) == 1 else _students(values, confidence)
        controls = {
            "constant": of_constant.error,
            "linear": of_linear.error,
            "unrelated": float(np.mean([each.unrelated_errors.mean() for each in own])),
        }
        error = float(np.mean([each.error for each in own]))
        findings.append(_finding(group, values, ends, error, controls, exact, absent))
    count = len(functions)
    return Discovery(
        findings=tuple(findings),
        subject=f"{_number(count, 'function')} at {len(order)} inputs, {num_elements} elements of each group",
        interval=f"{confidence:.0%} intervals {'by bootstrap' if count == 1 else 'over functions'}",
        dtype=dtype.name,
        exact=exact,
        absent=absent,
    )


def _of_weights(weights, groups, layer_reps, *, confidence, exact, absent) -> Discovery:
    """Judge weights by their projection residuals."""
    measured = [projection_residuals(each, layer_reps, groups) for each in weights]
    dtype = measured[0].total.dtype
    exact = EXACT[dtype.itemsize] if exact is None else exact
    by_group = np.array([np.asarray(each.levels, np.float64) for each in measured]).T
    errors, random = (
        np.mean([np.asarray(part) for part in parts], axis=0)
        for parts in zip(*((each.errors, each.random_errors) for each in measured), strict=True)
    )
    findings = []
    for place, (group, values) in enumerate(zip(groups, by_group, strict=True)):
        ends = (values[0], values[0]) if len(values) == 1 else _students(values, confidence)
        controls = {"random weights": float(random[place])}
        findings.append(_finding(group, values, ends, float(errors[place]), controls, exact, absent))
    count, arrays = len(weights), len(measured[0].raw)
    return Discovery(
        findings=tuple(findings),
        subject=f"the weights of {_number(count, 'network')}, {_number(arrays, 'array')} each",
        interval="no intervals" if count == 1 else f"{confidence:.0%} intervals over networks",
        dtype=dtype.name,
        exact=exact,
        absent=absent,
    )


def _finding(group, values, ends, error, controls, exact, absent) -> Finding:
    """The verdict by the interval of the level."""
    low, high = (float(end) for end in ends)
    verdict = "exact" if high < exact else "absent" if low >= absent else "approximate"
    return Finding(group, verdict, float(np.mean(values)), low, high, error, controls)


def _students(values: np.ndarray, confidence: float) -> tuple[float, float]:
    """Student's interval of a mean, not below zero."""
    from scipy import stats  # slow to import

    half = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return max(0.0, float(values.mean() - half)), float(values.mean() + half)


def _number(count: int, noun: str) -> str:
    """A number of things."""
    return f"{count} {noun}{'' if count == 1 else 's'}"

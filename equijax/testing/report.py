"""What an audit found, as a value and as a printed tree."""

import dataclasses

SYMMETRIC = ("same", "permuted", "linear", "isometric")
"""Relations with which an output is still symmetric."""

_EXPLANATIONS = {
    "shifted": "it moves with a translation, as positions do: take differences, or allow it with points=True",
    "affine": "a shift is left over: a bias, or another constant, on something that the group moves",
    "mixed": "entries are mixed where the group only permutes them: a fixed matrix across nodes, or an index",
    "none": "no linear map fits: a non-linearity, a normalisation or a constant acts on single components",
    "not finite": "it is not finite",
    "undetermined": "there are too few samples to tell: raise num_samples",
}


@dataclasses.dataclass(frozen=True)
class Call:
    """One output of one call of a module.

    Attributes:
      path: the module, for example ``block_1/dense``; the root is called by its class.
      depth: how deep the module lies below the root.
      module: the class's name.
      method: the method's name.
      number: 0 for the first call of this method, and so on.
      place: which of the call's outputs, for example ``[0]``; empty if there is only one.
      shape: the output's shape.
      dtype: its dtype.
      rank: the rank of the sampled outputs, flattened.
      relations: for each kind of group elements, how the outputs before and after are related (see
        `equijax.testing.relations`).
      residual: the largest residual of these relations on held-out samples.
      ok: whether every relation is symmetric.
    """

    path: str
    depth: int
    module: str
    method: str
    number: int
    place: str
    shape: tuple[int, ...]
    dtype: str
    rank: int
    relations: dict[str, str]
    residual: float
    ok: bool

    @property
    def name(self) -> str:
        """The path, with what tells the call from others: method, number, place."""
        method = "" if self.method == "__call__" else f".{self.method}"
        return f"{self.path}{method}{f' (call {self.number + 1})' if self.number else ''}{self.place}"

    @property
    def is_determined(self) -> bool:
        """Whether the samples sufficed to decide about every kind of elements."""
        return "undetermined" not in self.relations.values()


@dataclasses.dataclass(frozen=True)
class AuditReport:
    """The result of `equijax.testing.audit`; it prints as a tree.

    Attributes:
      group: the group, as printed.
      kinds: names of the kinds of group elements.
      calls: every output of every call, in the order in which the calls ended.
      first_failure: path of the first sub-module whose output stops being related linearly, the root's class
        if the root's own operations do it, or None.
      failure: the failing output itself, or None.
      inside: whether it is operations of that module's own, before it calls the sub-module where they show.
      num_samples: how many inputs were drawn.
      num_elements: how many elements of each kind.
      rtol: what counts as zero.
      perturbed: parameters that were zero and were replaced by random numbers.
      unseen: paths of sub-modules whose outputs a lifted transformation dropped.
    """

    group: str
    kinds: tuple[str, ...]
    calls: tuple[Call, ...]
    first_failure: str | None
    failure: Call | None
    inside: bool
    num_samples: int
    num_elements: int
    rtol: float
    perturbed: tuple[str, ...]
    unseen: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every output was decided and is symmetric."""
        return self.first_failure is None and all(call.is_determined for call in self.calls)

    def __str__(self) -> str:
        lines = [
            f"audit under {self.group}: {self.num_samples} inputs, "
            f"{self.num_elements} elements of each kind, tolerance {self.rtol:g}",
            "",
            *_table(self),
            "",
            _verdict(self),
        ]
        if self.perturbed:
            lines.append(
                f"zero parameters that were drawn at random for the audit: {', '.join(self.perturbed)}"
            )
        if self.unseen:
            lines.append(
                f"not seen: {', '.join(self.unseen)} (a lifted transformation drops their intermediates; "
                'variable_axes={"intermediates": 0} keeps them)'
            )
        return "\n".join(lines)


def _verdict(report: AuditReport) -> str:
    """The closing sentence."""
    if report.failure is None:
        undetermined = [call.name for call in report.calls if not call.is_determined]
        if undetermined:
            return f"undecided: {', '.join(undetermined)}: {_EXPLANATIONS['undetermined']}"
        return "symmetric: every output is a linear function of the output before the inputs moved"
    call = report.failure
    kind, relation = next(
        (kind, relation) for kind, relation in call.relations.items() if relation not in SYMMETRIC
    )
    where = (
        f"in operations of its own, seen at {call.name}" if report.inside else f"at its output {call.name}"
    )
    return f"first failure: {report.first_failure}, {where}, under {kind}:\n  {_EXPLANATIONS[relation]}"


def _table(report: AuditReport) -> list[str]:
    """One line an output, parents above their children."""
    rows = [["module", "class", "output", "rank", *report.kinds, "residual", ""]]
    labels = _tree_labels(report.calls)
    for label, call in labels:
        size = 1
        for axis in call.shape:
            size *= axis
        failed = "" if call.ok else "✗"
        if call is report.failure:
            failed = "✗ ← first"
        relations = [call.relations[kind] for kind in report.kinds]
        rank = f"{call.rank}/{size}" if call.rank < report.num_samples else f"≥{call.rank}/{size}"
        rows.append(
            [
                label,
                call.module,
                f"{call.dtype}{list(call.shape)}",
                rank,
                *relations,
                f"{call.residual:.1e}",
                failed,
            ]
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    right = {3, len(rows[0]) - 2}
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _tree_labels(calls) -> list[tuple[str, Call]]:
    """Calls in tree order with their drawn branches."""
    children: dict[tuple[str, ...], dict[str, list[Call]]] = {}
    root = next(call for call in reversed(calls) if call.depth == 0)
    for call in calls:
        parts = tuple(call.path.split("/")) if call.depth else ()
        for depth in range(len(parts)):
            children.setdefault(parts[:depth], {}).setdefault(parts[depth], [])
        if parts:
            children[parts[:-1]][parts[-1]].append(call)
    rows = [(_own_label(root.path, call), call) for call in calls if call.depth == 0]

    def walk(parts, indent):
        entries = list(children.get(parts, {}).items())
        for index, (name, own) in enumerate(entries):
            last = index == len(entries) - 1
            for position, call in enumerate(own):
                branch = ("└─ " if last else "├─ ") if position == 0 else ("   " if last else "│  ")
                rows.append((f"{indent}{branch}{_own_label(name, call)}", call))
            walk((*parts, name), indent + ("   " if last else "│  "))

    walk((), "")
    return rows


def _own_label(name: str, call: Call) -> str:
    """The last part of a call's name."""
    return name + call.name[len(call.path) :]

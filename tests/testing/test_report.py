import dataclasses

from equijax.testing import AuditReport, Call


def call(path, **changes):
    base = Call(
        path=path,
        depth=path.count("/") + 1,
        module="Dense",
        method="__call__",
        number=0,
        place="",
        shape=(2, 3),
        dtype="float32",
        rank=6,
        relations={"S(4)": "permuted", "E(3) turns": "linear"},
        residual=1e-6,
        ok=True,
    )
    return dataclasses.replace(base, **changes)


BROKEN = call(
    "block/out", number=1, relations={"S(4)": "permuted", "E(3) turns": "affine"}, residual=0.25, ok=False
)
ROOT = call("Net", depth=0, module="Net", shape=(), rank=1)
CALLS = (
    call("embed"),
    call("block/in", place="[0]"),
    call("block/in", place="[1]"),
    BROKEN,
    call("block"),
    ROOT,
)


def report(**changes):
    base = AuditReport(
        group="S(4) * E(3)",
        kinds=("S(4)", "E(3) turns"),
        calls=CALLS,
        first_failure="block/out",
        failure=BROKEN,
        inside=False,
        num_samples=64,
        num_elements=3,
        rtol=2e-3,
        perturbed=(),
    )
    return dataclasses.replace(base, **changes)


def test_prints_a_tree():
    assert str(report()).splitlines() == [
        "audit under S(4) * E(3): 64 inputs, 3 elements of each kind, tolerance 0.002",
        "",
        "module              class  output         rank  S(4)      E(3) turns  residual",
        "Net                 Net    float32[]       1/1  permuted  linear       1.0e-06",
        "├─ embed            Dense  float32[2, 3]   6/6  permuted  linear       1.0e-06",
        "└─ block            Dense  float32[2, 3]   6/6  permuted  linear       1.0e-06",
        "   ├─ in[0]         Dense  float32[2, 3]   6/6  permuted  linear       1.0e-06",
        "   │  in[1]         Dense  float32[2, 3]   6/6  permuted  linear       1.0e-06",
        "   └─ out (call 2)  Dense  float32[2, 3]   6/6  permuted  affine       2.5e-01  ✗ ← first",
        "",
        "first failure: block/out, at its output block/out (call 2), under E(3) turns:",
        "  a shift is left over: a bias, or another constant, on something that the group moves",
    ]


def test_verdicts():
    assert not report().ok
    fine = report(calls=(call("embed"), ROOT), first_failure=None, failure=None)
    assert fine.ok
    assert "symmetric: every output" in str(fine)
    wide = call("embed", relations={"S(4)": "permuted", "E(3) turns": "undetermined"})
    undecided = report(calls=(wide, ROOT), first_failure=None, failure=None)
    assert not undecided.ok
    assert "undecided: embed: there are too few samples" in str(undecided)
    inside = report(first_failure="block", inside=True, perturbed=("embed/bias",))
    assert "first failure: block, in operations of its own, seen at block/out (call 2)" in str(inside)
    assert str(inside).endswith("zero parameters that were drawn at random for the audit: embed/bias")


def test_saturated_ranks_and_methods():
    text = str(report(calls=(call("embed", rank=64, shape=(100,), method="encode"), ROOT)))
    assert "≥64/100" in text
    assert "embed.encode" in text

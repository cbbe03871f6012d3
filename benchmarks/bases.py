"""Solving for bases of equivariant linear maps, against emlp.

    python -m benchmarks bases            # about 10 minutes with emlp installed, half a minute without
    python -m benchmarks bases --quick    # the smallest problem; writes nothing

Every solution is timed in a process of its own, from a cold start: imports are over, JAX has run one trivial
operation, nothing is cached and nothing compiled. emlp is optional: ``pip install emlp==1.0.3 objax
"plum-dispatch<2" six tensorboard``; what is changed of it to run at all stands in `benchmarks.peers.emlp`.

To expect on two cores of a CPU: hundredths to a few tenths of a second for all, of which most is JAX's first
use; for most one to three orders of magnitude less than emlp, which does not do the last two: it runs out of
time (over 300 s) and of memory.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

from benchmarks.framework.cli import RESULTS, ROOT, Program, progress
from benchmarks.framework.report import aligned
from benchmarks.peers import emlp
from benchmarks.peers.contender import Unavailable
from experiments.framework import environment

OURS = "equijax"
TIME_LIMIT = 300
"""Seconds that one solution may take."""


class Problem(NamedTuple):
    """A basis to find.

    Attributes:
      name: for tables.
      group: the group, as Python, in the names of both libraries (``SO13p`` is emlp's for ``Lorentz()``).
      orders: of the tensors of input and output.
      dim: how many maps there are.
      peer: whether emlp is asked, too.
    """

    name: str
    group: tuple[str, str]
    orders: tuple[int, int]
    dim: int
    peer: bool


PROBLEMS = (
    Problem("O(3), T(3) to T(1)", ("O(3)", "O(3)"), (3, 1), 3, True),
    Problem("O(3), T(4) to T(2)", ("O(3)", "O(3)"), (4, 2), 15, True),
    Problem("S(6), T(2) to T(2)", ("S(6)", "S(6)"), (2, 2), 15, True),
    Problem("S(8), T(2) to T(2)", ("S(8)", "S(8)"), (2, 2), 15, True),
    Problem("SO+(1, 3), T(2) to T(2)", ("Lorentz()", "SO13p()"), (2, 2), 4, True),
    Problem("O(3), T(4) to T(4)", ("O(3)", "O(3)"), (4, 4), 91, True),
    Problem("S(50), T(2) to T(2)", ("S(50)", "S(50)"), (2, 2), 15, True),
)


def solve_ours(problem: Problem) -> tuple[float, int]:
    """Seconds, and the number of maps."""
    import jax.numpy as jnp

    from equijax import groups
    from equijax.equivariance import projector

    jnp.zeros(()) + 1
    group = eval(problem.group[0], vars(groups))
    tensors = [_tensor(groups, group, order) for order in problem.orders]
    start = time.perf_counter()
    space = projector(group, *tensors)
    dim = space.dim
    return time.perf_counter() - start, dim


def _tensor(groups, group, order: int):
    """Tensors of an order."""
    if isinstance(group, groups.S):
        return groups.PermutationTensor(order)
    return groups.tensor_product(*[groups.Vector()] * order) if order > 1 else groups.Vector()


def solve_peer(problem: Problem) -> tuple[float, int]:
    """Seconds, and the number of maps, of emlp."""
    import jax.numpy as jnp

    groups, reps, _ = emlp.load()
    jnp.zeros(()) + 1
    group = eval(problem.group[1], vars(groups))
    into, out = (reps.T(order) for order in problem.orders)
    start = time.perf_counter()
    basis = (into(group) >> out(group)).equivariant_basis()
    return time.perf_counter() - start, basis.shape[1]


def solve_apart(method: str, problem: Problem) -> tuple[float, int] | str:
    """Run one of the two functions above in a new process; or why it gave nothing."""
    function = "solve_ours" if method == OURS else "solve_peer"
    program = (
        "import json; from benchmarks import bases; "
        f"print(json.dumps(bases.{function}(bases.PROBLEMS[{PROBLEMS.index(problem)}])))"
    )
    settings = os.environ | {"JAX_ENABLE_COMPILATION_CACHE": "false", "TQDM_DISABLE": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=settings,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"over {TIME_LIMIT} s"
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        return "no solution: " + last[:70]
    seconds, dim = json.loads(done.stdout.strip().splitlines()[-1])
    return seconds, dim


def peer_absence() -> str | None:
    """Why emlp is not asked; None if it is."""
    try:
        emlp.require("emlp", "objax", "plum", "six", "tensorboard")
    except Unavailable:
        return "emlp, or something that it needs, is not installed"
    return None


def run(quick: bool, output: pathlib.Path | None) -> list[dict]:
    """Time every problem, print the table, and write the file; return its rows."""
    absent = peer_absence()
    rows = []
    for problem in PROBLEMS[:1] if quick else PROBLEMS:
        for method in (OURS, emlp.NAME):
            if method == emlp.NAME and (absent or not problem.peer or quick):
                continue
            progress(f"{problem.name}: {method}")
            row = {"problem": problem.name, "method": method, "expected_dim": problem.dim}
            found = [solve_apart(method, problem) for _ in range(1 if quick or method == emlp.NAME else 5)]
            if isinstance(found[0], str):
                rows.append(row | {"why": found[0]})
                continue
            times = [seconds for seconds, _ in found]
            rows.append(row | {"dim": found[0][1], "seconds": statistics.median(times), "samples": times})
    print(table(rows))
    if absent:
        print(f"\nNot timed\n- {emlp.NAME}: {absent}")
    directory = output or (None if quick else RESULTS)
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        content = {
            "benchmark": "bases",
            "title": BENCHMARK.title,
            "command": "python -m benchmarks bases" + (" --quick" if quick else ""),
            "environment": environment.describe(ROOT),
            "rows": rows,
        }
        path = directory / "bases.json"
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(path)
    return rows


def table(rows: list[dict]) -> str:
    """Seconds of both, and how many times less ours are.

    Example:
      >>> print(table([{"problem": "p", "method": "equijax", "dim": 3, "seconds": 0.5}]))
      problem  dim  equijax, s  emlp 1.0.3, s  ratio
      p          3        0.50
    """
    lines = [["problem", "dim", f"{OURS}, s", f"{emlp.NAME}, s", "ratio"]]
    for name in dict.fromkeys(row["problem"] for row in rows):
        by_method = {row["method"]: row for row in rows if row["problem"] == name}
        ours, peer = by_method.get(OURS, {}), by_method.get(emlp.NAME, {})
        ratio = peer["seconds"] / ours["seconds"] if "seconds" in ours and "seconds" in peer else None
        lines.append(
            [
                name,
                str(ours.get("dim", "")),
                *(
                    f"{row['seconds']:.2f}" if "seconds" in row else row.get("why", "")
                    for row in (ours, peer)
                ),
                "" if ratio is None else f"{ratio:.0f}",
            ]
        )
    return "\n".join(line.rstrip() for line in aligned(lines).splitlines())


BENCHMARK = Program(
    "bases", "Cold solution of bases of equivariant linear maps, each in a process of its own", run
)

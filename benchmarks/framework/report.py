"""What a benchmark leaves behind: a table on the terminal, a JSON file, a figure."""

import dataclasses
import json
import pathlib
from collections.abc import Sequence

from benchmarks.framework.timing import DIRECTIONS, Benchmark, Timing, slopes

_COLORS = ("#2a6f97", "#e07a1f", "#4b8b3b", "#a23b72", "#7a6c5d", "#1f9e89")


def table(benchmark: Benchmark, timings: Sequence[Timing]) -> str:
    """Medians in milliseconds, methods against sizes, with the fitted slope."""
    methods = list(dict.fromkeys(timing.method for timing in timings))
    sizes = sorted({timing.size for timing in timings})
    exponents = slopes(benchmark, timings)
    blocks = []
    for direction in DIRECTIONS:
        header = [f"{direction}, ms", *(f"{benchmark.size}={size}" for size in sizes), "slope"]
        lines = [header]
        for method in methods:
            cells = {t.size: t for t in timings if (t.method, t.direction) == (method, direction)}
            exponent = exponents.get((method, direction))
            lines.append(
                [
                    method,
                    *(f"{1e3 * cells[size].median:.3g}" if size in cells else "" for size in sizes),
                    "" if exponent is None else f"{exponent:.2f}",
                ]
            )
        widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
        blocks.append("\n".join(_aligned(line, widths) for line in lines))
    return "\n\n".join(blocks)


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """The first column to the left, the others to the right."""
    first, *rest = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join([cells[0].ljust(len(first)), *rest])


def write(
    benchmark: Benchmark, timings: Sequence[Timing], environment: dict, command: str, directory: pathlib.Path
) -> list[pathlib.Path]:
    """Write ``NAME.json`` and ``NAME.png`` to a directory, and return their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / f"{benchmark.name}{ending}" for ending in (".json", ".png")]
    content = {
        "benchmark": benchmark.name,
        "title": benchmark.title,
        "work": benchmark.work,
        "command": command,
        "environment": environment,
        "rows": [dataclasses.asdict(timing) for timing in timings],
        "slopes": [
            {"method": method, "direction": direction, "in": benchmark.scale_name, "slope": slope}
            for (method, direction), slope in slopes(benchmark, timings).items()
        ],
    }
    paths[0].write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    _draw(benchmark, timings, paths[1])
    return paths


def _draw(benchmark: Benchmark, timings: Sequence[Timing], path: pathlib.Path) -> None:
    """Medians with quartiles against the scale, a panel for each direction and one for compilation."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4), layout="constrained")
    panels = figure.subplots(1, 3)
    for column, color in zip(dict.fromkeys(timing.method for timing in timings), _COLORS * 9):
        for panel, direction in zip(panels, DIRECTIONS):
            points = [t for t in timings if (t.method, t.direction) == (column, direction)]
            scale = [benchmark.scale(t.size) for t in points]
            panel.plot(scale, [1e3 * t.median for t in points], "o-", color=color, label=column, markersize=4)
            panel.fill_between(
                scale,
                [1e3 * t.lower for t in points],
                [1e3 * t.upper for t in points],
                color=color,
                alpha=0.2,
            )
            if direction == DIRECTIONS[-1]:
                panels[2].plot(scale, [t.compilation for t in points], "o-", color=color, markersize=4)
    for panel, title in zip(
        panels, [*(f"{name}, ms" for name in DIRECTIONS), f"compilation, {DIRECTIONS[-1]}, s"]
    ):
        panel.set(xscale="log", yscale="log", xlabel=benchmark.scale_name, title=title)
        ticks = sorted({benchmark.scale(timing.size) for timing in timings})
        panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        panel.minorticks_off()
        panel.grid(which="both", alpha=0.25)
    panels[0].legend(frameon=False)
    figure.suptitle(benchmark.title)
    figure.savefig(path, dpi=130)

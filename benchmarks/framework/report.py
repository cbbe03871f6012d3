"""What a benchmark leaves behind: a table on the terminal, a JSON file, a figure."""

import dataclasses
import json
import pathlib
from collections.abc import Iterator, Sequence

from benchmarks.framework.timing import Benchmark, Conclusion, LeftOut, Measurement, Timing, slopes

_COLORS = ("#2a6f97", "#e07a1f", "#4b8b3b", "#a23b72", "#7a6c5d", "#1f9e89", "#c44536", "#5e548e")
_STYLES = ("o-", "s--", "^:")


def table(benchmark: Benchmark, timings: Sequence[Timing]) -> str:
    """Medians in milliseconds, methods against sizes, with the fitted slope; a block a section and direction.

    After them, for each section, the seconds of compilation and the memory in its last direction.
    """
    exponents = slopes(benchmark, timings)
    blocks = []
    for section, chosen in _sections(timings):
        directions = list(dict.fromkeys(timing.direction for timing in chosen))
        prefix = f"{section}: " if section else ""
        for direction in directions:
            fits = {
                method: exponents[key]
                for method in dict.fromkeys(t.method for t in chosen)
                if (key := (section, method, direction)) in exponents
            }
            header = f"{prefix}{direction}, ms"
            blocks.append(
                _block(benchmark, chosen, direction, header, lambda t: f"{1e3 * t.median:.3g}", fits)
            )
        header = f"{prefix}compilation, {directions[-1]}, s"
        blocks.append(_block(benchmark, chosen, directions[-1], header, lambda t: f"{t.compilation:.2g}"))
        if any(timing.megabyte for timing in chosen):
            header = f"{prefix}memory, {directions[-1]}, MB"
            blocks.append(
                _block(benchmark, chosen, directions[-1], header, lambda t: f"{t.megabyte or 0:.3g}")
            )
    return "\n\n".join(blocks)


def _sections(timings: Sequence[Timing]) -> Iterator[tuple[str, list[Timing]]]:
    """The timings of each section, in order."""
    for section in dict.fromkeys(timing.section for timing in timings):
        yield section, [timing for timing in timings if timing.section == section]


def _block(benchmark: Benchmark, timings, direction: str, header: str, cell, fits=None) -> str:
    """One table: methods against sizes."""
    chosen = [timing for timing in timings if timing.direction == direction]
    sizes = sorted({timing.size for timing in chosen})
    lines = [[header, *(f"{benchmark.size}={size}" for size in sizes)]]
    if fits is not None:
        lines[0].append("slope")
    for method in dict.fromkeys(timing.method for timing in chosen):
        cells = {timing.size: cell(timing) for timing in chosen if timing.method == method}
        lines.append([method, *(cells.get(size, "") for size in sizes)])
        if fits is not None:
            lines[-1].append(f"{fits[method]:.2f}" if method in fits else "")
    return aligned(lines)


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Rows of cells as text: the first column to the left, the others to the right.

    Example:
      >>> print(aligned([["a", "n"], ["long", "12"]]))
      a      n
      long  12
    """
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))]
        )
        for line in lines
    )


def absences(left_out: Sequence[LeftOut], size: str) -> str:
    """Which methods were not timed, and why; one line a reason."""
    if not left_out:
        return ""
    grouped: dict[tuple, list[LeftOut]] = {}
    for one in left_out:
        whole = one.size is None or one.direction is None
        grouped.setdefault((one.section, one.method, one.direction, one.why if whole else ""), []).append(one)
    lines = []
    for (section, method, direction, _), ones in grouped.items():
        sizes = ", ".join(str(one.size) for one in ones if one.size is not None)
        where = "; ".join(part for part in (section, direction, f"{size}={sizes}" if sizes else "") if part)
        lines.append(f"- {method}{f' ({where})' if where else ''}: {ones[0].why}")
    return "Not timed\n" + "\n".join(lines)


def write(
    benchmark: Benchmark,
    measurement: Measurement,
    conclusions: Sequence[Conclusion],
    environment: dict,
    command: str,
    directory: pathlib.Path,
) -> list[pathlib.Path]:
    """Write ``NAME.json`` and ``NAME.png`` to a directory, and return their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / f"{benchmark.name}{ending}" for ending in (".json", ".png")]
    timings = measurement.timings
    content = {
        "benchmark": benchmark.name,
        "title": benchmark.title,
        "work": benchmark.work,
        "command": command,
        "environment": environment,
        "rows": [dataclasses.asdict(timing) for timing in timings],
        "slopes": [
            {
                "section": section,
                "method": method,
                "direction": direction,
                "in": benchmark.scale_name,
                "slope": slope,
            }
            for (section, method, direction), slope in slopes(benchmark, timings).items()
        ],
        "left_out": [one._asdict() for one in measurement.left_out],
        "conclusions": {conclusion.title: conclusion.data for conclusion in conclusions},
    }
    paths[0].write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    _draw(benchmark, timings, paths[1])
    return paths


def _draw(benchmark: Benchmark, timings: Sequence[Timing], path: pathlib.Path) -> None:
    """Medians with quartiles against the scale: a row a section, a panel a direction, one for compilation."""
    from matplotlib.figure import Figure

    sections = list(_sections(timings))
    directions = list(dict.fromkeys(timing.direction for timing in timings))
    columns = len(directions) + 1
    figure = Figure(figsize=(4.3 * columns, 0.6 + 3.6 * max(len(sections), 1)), layout="constrained")
    rows = figure.subplots(max(len(sections), 1), columns, squeeze=False)
    methods = list(dict.fromkeys(timing.method for timing in timings))
    styles = {
        method: (_COLORS[i % len(_COLORS)], _STYLES[i // len(_COLORS) % len(_STYLES)])
        for i, method in enumerate(methods)
    }
    for (section, chosen), panels in zip(sections, rows):
        for panel, direction in zip(panels, directions):
            _curves(panel, benchmark, [t for t in chosen if t.direction == direction], styles)
            if panel.axison:
                panel.set_title(f"{section}\n{direction}, ms" if section else f"{direction}, ms", fontsize=9)
        last = [t for t in chosen if t.direction == chosen[-1].direction]
        _curves(panels[-1], benchmark, last, styles, compilation=True)
        panels[-1].set_title(f"compilation, {chosen[-1].direction}, s", fontsize=9)
        handles = panels[0].get_legend_handles_labels()
        panels[-1].legend(*handles, frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.suptitle(benchmark.title)
    figure.savefig(path, dpi=110)


def _curves(panel, benchmark: Benchmark, timings, styles, *, compilation: bool = False) -> None:
    """The curves of one panel: a line a method, with the quartiles as a band; nothing without timings."""
    if not timings:
        panel.set_axis_off()
        return
    for method in dict.fromkeys(timing.method for timing in timings):
        color, style = styles[method]
        points = [timing for timing in timings if timing.method == method]
        scale = [benchmark.scale(timing.size) for timing in points]
        values = [t.compilation if compilation else 1e3 * t.median for t in points]
        panel.plot(scale, values, style, color=color, label=method, markersize=3, linewidth=1.2)
        if not compilation:
            lower, upper = [1e3 * t.lower for t in points], [1e3 * t.upper for t in points]
            panel.fill_between(scale, lower, upper, color=color, alpha=0.2)
    panel.set(xscale="log", yscale="log", xlabel=benchmark.scale_name)
    ticks = sorted({benchmark.scale(timing.size) for timing in timings})
    panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    panel.minorticks_off()
    panel.grid(which="both", alpha=0.25)

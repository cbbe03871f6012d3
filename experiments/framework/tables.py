"""Reports as tables: for the terminal with rich, for files in Markdown."""

from collections.abc import Sequence

from experiments.framework.report import Claim, Report, Row

_COLORS = {"holds": "green", "holds if": "yellow", "does not hold here": "red", "not measured": "dim"}


def grid(report: Report) -> tuple[list[str], list[list[str]]]:
    """Header and rows of text: methods against metrics, whichever way takes fewer columns."""
    methods = list(dict.fromkeys(row.method for row in report.rows))
    metrics = list(dict.fromkeys(_title(row) for row in report.rows))
    cells = {(row.method, _title(row)): _cell(row) for row in report.rows}
    for name, unit in (("parameters", ""), ("seconds", "s")):
        title = "training, s" if unit else name
        for method in methods:
            values = [getattr(row, name) for row in report.rows if row.method == method]
            known = [value for value in values if value is not None]
            if known:
                cells[method, title] = number(max(known))
                metrics = list(dict.fromkeys([*metrics, title]))
    if len(metrics) <= len(methods):
        lines = [[method, *(cells.get((method, metric), "") for metric in metrics)] for method in methods]
        return ["method", *metrics], lines
    lines = [[metric, *(cells.get((method, metric), "") for method in methods)] for metric in metrics]
    return ["metric", *methods], lines


def number(value: float | None) -> str:
    """A number with three significant digits or so, as people write it."""
    if value is None:
        return "–"
    size = abs(value)
    if float(value).is_integer() and size < 1e15:
        return f"{value:,.0f}"
    if size >= 1000:
        return f"{value:,.0f}"
    for bound, digits in ((100, 0), (10, 1), (1, 2)):
        if size >= bound:
            return f"{value:.{digits}f}"
    return f"{value:.3g}" if size >= 1e-3 else f"{value:.1e}"


def markdown(report: Report) -> str:
    """The table and the claims of a report in Markdown."""
    header, lines = grid(report)
    rule = [":--", *["--:"] * (len(header) - 1)]
    table = "\n".join("| " + " | ".join(map(escaped, line)) + " |" for line in [header, rule, *lines])
    claims = "\n".join(f"- **{claim.verdict}**: {claim.text}{_evidence(claim)}" for claim in report.claims)
    return table + (f"\n\n{claims}" if claims else "")


def show(report: Report, console) -> None:
    """Print a report to a rich console."""
    from rich.markup import escape
    from rich.table import Table

    header, lines = grid(report)
    table = Table(title=f"{report.experiment} · {report.preset}", title_justify="left", header_style="bold")
    for index, title in enumerate(header):
        table.add_column(escape(title), justify="right" if index else "left")
    for line in lines:
        table.add_row(*map(escape, line))
    console.print(table)
    for claim in report.claims:
        color = _COLORS["holds if" if claim.verdict.startswith("holds if") else claim.verdict]
        console.print(
            f"  [{color}]{escape(claim.verdict)}[/{color}]  {escape(claim.text + _evidence(claim))}"
        )
    for note in report.notes:
        console.print(escape(note))


def tally(claims: Sequence[Claim]) -> str:
    """How many claims have which verdict, in words."""
    counts: dict[str, int] = {}
    for claim in claims:
        kind = "holds if" if claim.verdict.startswith("holds if") else claim.verdict
        counts[kind] = counts.get(kind, 0) + 1
    return ", ".join(f"{kind}: {count}" for kind, count in counts.items()) or "none"


def _title(row: Row) -> str:
    """A metric with its unit."""
    return f"{row.metric}, {row.unit}" if row.unit else row.metric


def _cell(row: Row) -> str:
    """A value with its spread and the paper's value."""
    text = number(row.value)
    if row.spread is not None:
        text += f" ± {number(row.spread)}"
    if row.paper is None:
        return text
    return f"paper {number(row.paper)}" if row.value is None else f"{text} (paper {number(row.paper)})"


def _evidence(claim: Claim) -> str:
    """The numbers of a claim in parentheses."""
    if not claim.numbers:
        return ""
    return f" ({', '.join(f'{name} {number(value)}' for name, value in claim.numbers.items())})"


def escaped(text: str) -> str:
    """A cell's text for a Markdown table."""
    return text.replace("|", "\\|")

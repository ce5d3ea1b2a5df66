"""A report, or another document with a page, as one HTML file that opens offline: tables and charts.

Needs the extra `lowlat[html]`: Jinja2 for the page. Charts are SVG and need no script; one adds the tooltips. All text
from a document is escaped, its control characters too. The page's content security policy (CSP) blocks all fetches, and
all scripts and styles except those listed by hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from lowlat import units
from lowlat.errors import UsageError
from lowlat.reports.compare import history
from lowlat.reports.compare.history import History
from lowlat.reports.histogram import percentile_curve
from lowlat.reports.histogram.histogram import FEW_BEYOND
from lowlat.reports.model import series, sweep
from lowlat.reports.model.ablation import Ablation
from lowlat.reports.model.comparison import Comparison
from lowlat.reports.model.cores import Cores
from lowlat.reports.model.fleet import Fleet
from lowlat.reports.model.jitter import Jitter
from lowlat.reports.model.league import League
from lowlat.reports.model.report import Report
from lowlat.reports.model.sweep import Sweep
from lowlat.reports.page import ablation_chart, charts, comparison_chart, history_charts, jitter_charts, league_chart
from lowlat.reports.page.chart import Chart
from lowlat.reports.terminal import (
    ablation_lines,
    collector_lines,
    comparison_lines,
    cores_lines,
    counter_lines,
    fleet_lines,
    foreign_lines,
    headline,
    history_lines,
    jitter_lines,
    league_lines,
    recording_lines,
    sweep_lines,
    text_lines,
)
from lowlat.text import printable_lines, printable_values

if TYPE_CHECKING:
    from jinja2 import Environment


ROWS_MAX: Final = 400
"""CPUs and causes in the tables of jitter."""
_TEMPLATES: Final = (
    "page",
    "parts",
    "chart",
    "report",
    "sweep",
    "comparison",
    "history",
    "jitter",
    "cores",
    "league",
    "ablation",
    "fleet",
)

Pageable: TypeAlias = Report | Sweep | Comparison | History | Jitter | Cores | League | Ablation | Fleet


def to_html(document: Pageable, *, verbose: bool = False) -> str:
    """The page of a document: a whole HTML document. `verbose` adds the kernel command line, which may name hosts and
    disks.

    Raises `UsageError` without the extra `lowlat[html]`, `FormatError` for a damaged histogram.
    """
    check_available()
    name, found = _page(document)
    drawn = {place: chart for place, chart in found.items() if chart}
    script, style = _text("tooltips.js"), _style(drawn.values())
    return (
        _environment()
        .get_template(name)
        .render(
            report=document,
            verbose=verbose,
            charts=drawn,
            tooltips=_in_script({place: chart.tooltips() for place, chart in drawn.items()}),
            script=script,
            script_hash=_hash(script),
            style=style,
            style_hash=_hash(style),
        )
    )


def _page(document: Pageable) -> tuple[str, dict[str, Chart | None]]:
    """The template, and the charts by their name in the page."""
    if isinstance(document, Sweep):
        return "sweep.html", _sweep_charts(document)
    if isinstance(document, Comparison):
        return "comparison.html", {"ratios": comparison_chart.ratios(comparison_lines.shown(document, every=False))}
    if isinstance(document, History):
        return "history.html", history_charts.over_time(document)
    if isinstance(document, Jitter):
        return "jitter.html", jitter_charts.of_cpus(document)
    if isinstance(document, Cores):
        return "cores.html", {}
    if isinstance(document, League):
        return "league.html", {"cpu-times": league_chart.cpu_times(document)}
    if isinstance(document, Ablation):
        return "ablation.html", {"ratios": ablation_chart.ratios(document)}
    if isinstance(document, Fleet):
        return "fleet.html", {}
    return "report.html", _report_charts(document)


def check_available() -> None:
    """Check before a long run that `to_html` can work. Raises `UsageError`."""
    from importlib.util import find_spec

    if find_spec("jinja2") is None:
        raise UsageError("HTML needs jinja2, which is not installed: pip install 'lowlat[html]'")


def _report_charts(report: Report) -> dict[str, Chart | None]:
    by_operation, by_measure = percentile_curve.by_operation(report), percentile_curve.by_measure(report)
    return {
        "by-operation": charts.spectra(by_operation) if by_operation else None,
        "by-measure": charts.spectra(by_measure) if by_measure else None,
        "over-runs": charts.over_runs(report),
    }


def _sweep_charts(swept: Sweep) -> dict[str, Chart | None]:
    by_rate = percentile_curve.by_rate(swept)
    return {"over-rates": charts.over_rates(swept), "by-rate": charts.spectra(by_rate) if by_rate else None}


_LINES: Final[dict[str, Any]] = {
    "lines": text_lines,
    "ablation_lines": ablation_lines,
    "collector_lines": collector_lines,
    "compare_lines": comparison_lines,
    "cores_lines": cores_lines,
    "counter_lines": counter_lines,
    "fleet_lines": fleet_lines,
    "foreign_lines": foreign_lines,
    "headline": headline,
    "history_lines": history_lines,
    "jitter_lines": jitter_lines,
    "league_lines": league_lines,
    "recording_lines": recording_lines,
    "sweep_lines": sweep_lines,
}
"""Modules that say things in words, by their name in templates."""


def _environment() -> Environment:
    from jinja2 import DictLoader, Environment, StrictUndefined

    environment = Environment(
        loader=DictLoader({f"{name}.html": _text(f"{name}.html") for name in _TEMPLATES}),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= _LINES | {
        "history_percents": history.PERCENTS,
        "units": units,
        "rows_max": ROWS_MAX,
        "timelines_max": jitter_charts.TIMELINES_MAX,
        "whole": series.whole,
        "outcome": sweep.outcome,
        "response": sweep.response,
        "typical": sweep.typical,
        "verdict": sweep.verdict,
        "few_beyond": FEW_BEYOND,
        "percents": series.PERCENTS[:-1],
    }
    return environment


def _shown(value: Any) -> Any:
    """What an expression of a template shows: text without control characters, unless it is markup already."""
    return value if hasattr(value, "__html__") else printable_lines(str(value))


def _text(name: str) -> str:
    return (files("lowlat.reports.page") / "templates" / name).read_text(encoding="utf-8")


def _style(drawn: Iterable[Chart]) -> str:
    """The page's style: the part for all pages, the switches of the series, and the sizes of a chart with rows."""
    shown = list(drawn)
    switches = (
        f".chart:has(.key-{index}:not(:checked)) .series-{index} {{ display: none; }}\n"
        for index in range(max((len(chart.series) for chart in shown), default=0))
    )
    sizes = (
        f".rows {{ --rows: {chart.rows}; --names: {max(len(name) for _, name in chart.y.ticks)}; }}\n"
        for chart in shown
        if chart.rows
    )
    return "".join([_text("page.css"), *switches, *sizes])


def _in_script(value: Any) -> str:
    """JSON that cannot end the HTML script element that contains it."""
    text = json.dumps(printable_values(value), allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(element: str) -> str:
    """The source expression with which a content security policy allows an inline script or style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(element.encode()).digest()).decode()}"

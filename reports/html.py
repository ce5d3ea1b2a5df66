"""A report or a sweep as one HTML file that opens offline: tables first, then charts for browsers with scripts.

Needs the extra `lowlat[html]`: Jinja2 for the page, plotly for its plotly.js, which stands in the file. plotly ships no
smaller bundle, so a page has some 5 MB. All text from a document is escaped, and the page's own policy (CSP) lets
nothing be fetched and no script run but those that it names by hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from reports import charts, lines, series, spectrum, sweep, units
from reports.errors import MissingExtraError
from reports.histogram import FEW_BEYOND
from reports.model import Report
from reports.sweep import Sweep

if TYPE_CHECKING:
    from jinja2 import Environment


def to_html(report: Report | Sweep) -> str:
    """The page of a report or a sweep: a whole HTML document.

    Raises `MissingExtraError` without the extra `lowlat[html]`, `HistogramFormatError` for a damaged histogram.
    """
    check_available()
    is_sweep = isinstance(report, Sweep)
    template = _environment().get_template("sweep.html" if is_sweep else "report.html")
    pictures = _sweep_charts(report) if isinstance(report, Sweep) else _report_charts(report)
    drawn = {name: chart for name, chart in pictures.items() if chart}
    scripts = (_plotly(), _text("charts.js"))
    return template.render(
        report=report,
        charts=drawn,
        charts_json=_in_script(drawn),
        scripts=scripts,
        script_hashes=[_hash(script) for script in scripts],
        style=_text("page.css"),
    )


def check_available() -> None:
    """Find out before a long run whether `to_html` can work. Raises `MissingExtraError`."""
    from importlib.util import find_spec

    missing = [name for name in ("jinja2", "plotly") if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"HTML needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed: "
            "pip install 'lowlat[html]'"
        )


def _report_charts(report: Report) -> dict[str, charts.Chart | None]:
    """Charts by the name of their place in the page."""
    by_operation, by_measure = spectrum.by_operation(report), spectrum.by_measure(report)
    return {
        "by-operation": charts.spectra(by_operation) if by_operation else None,
        "by-measure": charts.spectra(by_measure) if by_measure else None,
        "over-runs": charts.over_runs(report),
    }


def _sweep_charts(swept: Sweep) -> dict[str, charts.Chart | None]:
    by_rate = spectrum.by_rate(swept)
    return {"over-rates": charts.over_rates(swept), "by-rate": charts.spectra(by_rate) if by_rate else None}


def _environment() -> Environment:
    from jinja2 import DictLoader, Environment, StrictUndefined

    names = ("page.html", "parts.html", "report.html", "sweep.html")
    environment = Environment(
        loader=DictLoader({name: _text(name) for name in names}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {
        "lines": lines,
        "units": units,
        "whole": series.whole,
        "missed": sweep.missed,
        "response": sweep.response,
        "few_beyond": FEW_BEYOND,
        "percents": series.PERCENTS[:-1],
    }
    return environment


def _text(name: str) -> str:
    return (files("reports") / "templates" / name).read_text(encoding="utf-8")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script


def _in_script(value: Any) -> str:
    """JSON that no HTML parser takes for the end of the script that it stands in."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(script: str) -> str:
    """The source expression by which a content security policy admits an inline script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"

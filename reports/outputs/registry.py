"""Every output by name. One more is a module beside this one and a line in `OUTPUTS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lowlat.reports.errors import ConversionError
from lowlat.reports.histogram.hlog_reader import RecordedLog
from lowlat.reports.io.json_codec import to_text
from lowlat.reports.io.loader import Document
from lowlat.reports.model.report import Report
from lowlat.reports.model.sweep import Sweep
from lowlat.reports.outputs import bmf, csv, github, gobench, hgrm, hlog, junit, markdown, openmetrics
from lowlat.reports.page.html import to_html


@dataclass(frozen=True, slots=True)
class Output:
    """How each kind of document becomes text; None where it cannot."""

    of_report: Callable[[Report], str]
    of_sweep: Callable[[Sweep], str] | None = None
    of_log: Callable[[RecordedLog], str] | None = None


def _of_points(
    convert: Callable[[Sequence[Report]], str], of_log: Callable[[RecordedLog], str] | None = None
) -> Output:
    """An output in which several reports can stand: a sweep's points, told apart by their rate."""
    return Output(lambda report: convert([report]), lambda sweep: convert(sweep.points), of_log)


OUTPUTS: Final[Mapping[str, Output]] = {
    "json": Output(to_text, to_text),
    "md": Output(markdown.of_report, markdown.of_sweep),
    "html": Output(to_html, to_html),
    "hgrm": Output(hgrm.of_report, of_log=hgrm.of_log),
    "hlog": Output(hlog.of_report),
    "csv": _of_points(csv.of_reports, csv.of_log),
    "openmetrics": _of_points(openmetrics.of_reports, openmetrics.of_log),
    "junit": Output(junit.of_report),
    "github": _of_points(github.latencies),
    "github-throughput": _of_points(github.throughputs),
    "bmf": _of_points(bmf.of_reports),
    "gobench": _of_points(gobench.of_reports),
}
"""By the name that `lowlat report --to` takes; `table` is not among them, since it is drawn on a console."""


def convert(document: Document, name: str) -> str:
    """The document as the output of this name. Raises `ConversionError` when it cannot be that."""
    output = OUTPUTS[name]
    if isinstance(document, Report):
        return output.of_report(document)
    if isinstance(document, Sweep):
        if output.of_sweep is None:
            raise _refused("a sweep", name, [name for name, other in OUTPUTS.items() if other.of_sweep])
        return output.of_sweep(document)
    if output.of_log is None:
        raise _refused("an interval log", name, [name for name, other in OUTPUTS.items() if other.of_log])
    return output.of_log(document)


def _refused(kind: str, name: str, possible: Sequence[str]) -> ConversionError:
    return ConversionError(f"{kind} cannot become {name}; it can become {', '.join(('table', *possible))}")

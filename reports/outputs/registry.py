"""All outputs by name. To add one, write a module in this folder, and add a function and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from lowlat.errors import UsageError
from lowlat.text import printable_lines

if TYPE_CHECKING:
    from lowlat.reports.histogram.hlog_reader import RecordedLog
    from lowlat.reports.io.loader import Document
    from lowlat.reports.model.cores import Cores
    from lowlat.reports.model.jitter import Jitter
    from lowlat.reports.model.memory import Memory
    from lowlat.reports.model.report import Report
    from lowlat.reports.model.sweep import Sweep


Kind: TypeAlias = Literal["report", "sweep", "log", "jitter", "cores", "memory"]
"""A kind of document, as `Converters` names them."""
Convertible: TypeAlias = "Document | Jitter | Cores | Memory"

_CALLED: Final[Mapping[Kind, str]] = {
    "report": "a report",
    "sweep": "a sweep",
    "log": "an interval log",
    "jitter": "jitter",
    "cores": "transfers between CPUs",
    "memory": "memory latencies",
}


@dataclass(frozen=True, slots=True)
class Converters:
    """The conversion of each kind of document to text; None if not supported."""

    of_report: Callable[[Report], str]
    of_sweep: Callable[[Sweep], str] | None = None
    of_log: Callable[[RecordedLog], str] | None = None
    of_jitter: Callable[[Jitter], str] | None = None
    of_cores: Callable[[Cores], str] | None = None
    of_memory: Callable[[Memory], str] | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """An output: a short description, and its converter, which is imported on first use."""

    sentence: str
    converters: Callable[[], Converters]


def _of_points(
    convert: Callable[[Sequence[Report]], str],
    of_log: Callable[[RecordedLog], str] | None = None,
    of_jitter: Callable[[Jitter], str] | None = None,
    of_cores: Callable[[Cores], str] | None = None,
    of_memory: Callable[[Memory], str] | None = None,
) -> Converters:
    """An output that can contain several reports: a sweep's points, distinguished by their rate."""
    of_report, of_sweep = (lambda report: convert([report])), (lambda sweep: convert(sweep.points))
    return Converters(of_report, of_sweep, of_log, of_jitter, of_cores, of_memory)


def _json() -> Converters:
    from lowlat.reports.io.json_codec import to_text

    return Converters(to_text, to_text)


def _md() -> Converters:
    from lowlat.reports.outputs import markdown

    return Converters(
        markdown.of_report,
        markdown.of_sweep,
        of_jitter=markdown.of_jitter,
        of_cores=markdown.of_cores,
        of_memory=markdown.of_memory,
    )


def _html() -> Converters:
    from lowlat.reports.page.html import to_html

    return Converters(to_html, to_html, of_jitter=to_html, of_cores=to_html)


def _hgrm() -> Converters:
    from lowlat.reports.outputs import hgrm

    return Converters(hgrm.of_report, of_log=hgrm.of_log, of_jitter=hgrm.of_jitter)


def _hlog() -> Converters:
    from lowlat.reports.outputs import hlog

    return Converters(hlog.of_report, of_jitter=hlog.of_jitter)


def _csv() -> Converters:
    from lowlat.reports.outputs import csv

    return _of_points(csv.of_reports, csv.of_log, csv.of_jitter, csv.of_cores, csv.of_memory)


def _openmetrics() -> Converters:
    from lowlat.reports.outputs import openmetrics

    return _of_points(openmetrics.of_reports, openmetrics.of_log)


def _junit() -> Converters:
    from lowlat.reports.outputs import junit

    return Converters(junit.of_report)


def _github() -> Converters:
    from lowlat.reports.outputs import github

    return _of_points(github.latencies)


def _github_throughput() -> Converters:
    from lowlat.reports.outputs import github

    return _of_points(github.throughputs)


def _bmf() -> Converters:
    from lowlat.reports.outputs import bmf

    return _of_points(bmf.of_reports)


def _gobench() -> Converters:
    from lowlat.reports.outputs import gobench

    return _of_points(gobench.of_reports)


OUTPUTS: Final[Mapping[str, Output]] = {
    "json": Output("the document", _json),
    "md": Output("a summary for a pull request", _md),
    "html": Output("a page with charts, one offline file (`pip install 'lowlat[html]'`)", _html),
    "hgrm": Output("HdrHistogram's percentile distribution (`--series` picks one)", _hgrm),
    "hlog": Output("HdrHistogram's interval log", _hlog),
    "csv": Output("a row for each series of each run", _csv),
    "openmetrics": Output("histograms in seconds, for Prometheus", _openmetrics),
    "junit": Output("a test case for each thing that makes a report invalid", _junit),
    "github": Output("entries for github-action-benchmark: `customSmallerIsBetter`", _github),
    "github-throughput": Output("the same: `customBiggerIsBetter`", _github_throughput),
    "bmf": Output("Bencher Metric Format", _bmf),
    "gobench": Output("Go's benchmark text, a line a run, for benchstat", _gobench),
}
"""By the name that `lowlat report --to` takes; `table` is not among them, since it is drawn on a console."""


def convert(document: Convertible, name: str) -> str:
    """The document in the format of this name, without control characters. Raises `UsageError` if the format does not
    support it.
    """
    kind = _kind_of(document)
    converter = getattr(OUTPUTS[name].converters(), f"of_{kind}")
    if converter is None:
        possible = ", ".join(["table", *(other for other in OUTPUTS if _supports(other, kind))])
        raise UsageError(f"{_CALLED[kind]} cannot be converted to {name}; choose from {possible}")
    text: str = converter(document)
    return text if name == "html" else printable_lines(text)  # a page has its own, and scripts that must not change


def texts_of(document: Convertible) -> Mapping[str, Callable[[], str]]:
    """By name, what makes the text of each output that supports the document; json aside."""
    return {name: partial(convert, document, name) for name in outputs_of(_kind_of(document))}


def _kind_of(document: Convertible) -> Kind:
    from lowlat.reports.model.cores import Cores
    from lowlat.reports.model.jitter import Jitter
    from lowlat.reports.model.memory import Memory
    from lowlat.reports.model.report import Report
    from lowlat.reports.model.sweep import Sweep

    kinds: Mapping[type, Kind] = {
        Report: "report",
        Sweep: "sweep",
        Jitter: "jitter",
        Cores: "cores",
        Memory: "memory",
    }
    return kinds.get(type(document), "log")


def outputs_of(kind: Kind) -> tuple[str, ...]:
    """The names of the outputs that support a kind of document; json aside."""
    names = tuple(name for name in OUTPUTS if name != "json")
    if kind == "report":  # all, and the modules need not be imported
        return names
    return tuple(name for name in names if _supports(name, kind))


def _supports(name: str, kind: Kind) -> bool:
    return getattr(OUTPUTS[name].converters(), f"of_{kind}") is not None

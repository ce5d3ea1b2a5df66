"""All outputs by name. To add one, write a module in this folder, and add a function and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeVar

from lowlat.errors import UsageError
from lowlat.text import printable_lines

if TYPE_CHECKING:
    from lowlat.reports.histogram.hlog_reader import RecordedLog
    from lowlat.reports.io.loader import Document
    from lowlat.reports.model.jitter import Jitter
    from lowlat.reports.model.memory import Memory
    from lowlat.reports.model.report import Report
    from lowlat.reports.model.sweep import Sweep


_Model = TypeVar("_Model")

Kind: TypeAlias = Literal["report", "sweep", "log", "jitter", "memory"]
"""A kind of document, as `Converters` names them."""


@dataclass(frozen=True, slots=True)
class Converters:
    """The conversion of each kind of document to text; None if not supported."""

    of_report: Callable[[Report], str]
    of_sweep: Callable[[Sweep], str] | None = None
    of_log: Callable[[RecordedLog], str] | None = None
    of_jitter: Callable[[Jitter], str] | None = None
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
    of_memory: Callable[[Memory], str] | None = None,
) -> Converters:
    """An output that can contain several reports: a sweep's points, distinguished by their rate."""
    return Converters(
        lambda report: convert([report]), lambda sweep: convert(sweep.points), of_log, of_jitter, of_memory
    )


def _json() -> Converters:
    from lowlat.reports.io.json_codec import to_text

    return Converters(to_text, to_text)


def _md() -> Converters:
    from lowlat.reports.outputs import markdown

    return Converters(markdown.of_report, markdown.of_sweep, of_jitter=markdown.of_jitter, of_memory=markdown.of_memory)


def _html() -> Converters:
    from lowlat.reports.page.html import to_html

    return Converters(to_html, to_html)


def _hgrm() -> Converters:
    from lowlat.reports.outputs import hgrm

    return Converters(hgrm.of_report, of_log=hgrm.of_log, of_jitter=hgrm.of_jitter)


def _hlog() -> Converters:
    from lowlat.reports.outputs import hlog

    return Converters(hlog.of_report, of_jitter=hlog.of_jitter)


def _csv() -> Converters:
    from lowlat.reports.outputs import csv

    return _of_points(csv.of_reports, csv.of_log, csv.of_jitter, csv.of_memory)


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


def convert(document: Document, name: str) -> str:
    """The document in the format of this name, without control characters. Raises `UsageError` if the format does not
    support it.
    """
    text = _converted(document, name)
    return text if name == "html" else printable_lines(text)  # a page has its own, and scripts that must not change


def _converted(document: Document, name: str) -> str:
    from lowlat.reports.model.report import Report
    from lowlat.reports.model.sweep import Sweep

    made = OUTPUTS[name].converters()
    if isinstance(document, Report):
        return made.of_report(document)
    if isinstance(document, Sweep):
        if made.of_sweep is None:
            raise _refused("a sweep", name, lambda other: other.of_sweep is not None)
        return made.of_sweep(document)
    if made.of_log is None:
        raise _refused("an interval log", name, lambda other: other.of_log is not None)
    return made.of_log(document)


def jitter_texts(found: Jitter) -> Mapping[str, Callable[[], str]]:
    """By name, what makes the text of each output that supports jitter."""
    made = {name: OUTPUTS[name].converters().of_jitter for name in outputs_of("jitter")}
    return {name: partial(_printable, of_jitter, found) for name, of_jitter in made.items() if of_jitter}


def memory_texts(found: Memory) -> Mapping[str, Callable[[], str]]:
    """The same for memory."""
    made = {name: OUTPUTS[name].converters().of_memory for name in outputs_of("memory")}
    return {name: partial(_printable, of_memory, found) for name, of_memory in made.items() if of_memory}


def _printable(convert_one: Callable[[_Model], str], found: _Model) -> str:
    return printable_lines(convert_one(found))


def texts_of(document: Document) -> Mapping[str, Callable[[], str]]:
    """By name, what makes the text of each output that supports the document; json aside."""
    from lowlat.reports.model.report import Report
    from lowlat.reports.model.sweep import Sweep

    kind: Kind = "report" if isinstance(document, Report) else "sweep" if isinstance(document, Sweep) else "log"
    return {name: partial(convert, document, name) for name in outputs_of(kind)}


def outputs_of(kind: Kind) -> tuple[str, ...]:
    """The names of the outputs that support a kind of document; json aside."""
    names = tuple(name for name in OUTPUTS if name != "json")
    if kind == "report":  # all, and the modules need not be imported
        return names
    return tuple(name for name in names if getattr(OUTPUTS[name].converters(), f"of_{kind}") is not None)


def _refused(kind: str, name: str, can: Callable[[Converters], bool]) -> UsageError:
    possible = ", ".join(["table", *(other for other, output in OUTPUTS.items() if can(output.converters()))])
    return UsageError(f"{kind} cannot be converted to {name}; choose from {possible}")

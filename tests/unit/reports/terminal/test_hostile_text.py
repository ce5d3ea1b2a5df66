"""Reports come from other people's hosts and flows: no text in a document can control the reader's terminal."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from lowlat.documents import text as book_text
from lowlat.errors import FormatError
from lowlat.reports.compare.compare import compare_reports, samples_of
from lowlat.reports.compare.gate import parse_rule
from lowlat.reports.compare.history import history_of
from lowlat.reports.histogram.hlog_reader import read_log
from lowlat.reports.histogram.hlog_writer import head, interval
from lowlat.reports.io.json_codec import to_text
from lowlat.reports.model.book import BookDocument, BookLine, BooksDocument, LadderLevel
from lowlat.reports.model.comparison import Comparison
from lowlat.reports.model.report import Report
from lowlat.reports.model.sweep import Sweep, check
from lowlat.reports.outputs import markdown
from lowlat.reports.outputs.comparison_markdown import to_markdown
from lowlat.reports.profiler.profiler import Profiler
from lowlat.reports.terminal.comparison_table import render_comparison
from lowlat.reports.terminal.history_table import render_history
from lowlat.reports.terminal.hlog_table import render_log
from lowlat.reports.terminal.ladder import ladder, listing
from lowlat.reports.terminal.plot import render_plot
from lowlat.reports.terminal.report_table import render
from lowlat.reports.terminal.sweep_table import render_sweep
from tests.hostile import HOSTILE, SHOWN, assert_harmless, hostile_documents

WIDE = 2_000


def printed(draw: Callable[[Console], None]) -> str:
    stream = io.StringIO()
    draw(Console(file=stream, width=WIDE, color_system=None))
    return stream.getvalue()


@pytest.fixture
def comparison(report: Report) -> Comparison:
    sides = samples_of([report], "base.json", ["base.json"]), samples_of([report], "head.json", ["head.json"])
    return compare_reports(*sides, [parse_rule("p99=10%")], ["lowlat"])


def harmless_everywhere(document: Any, draw: Callable[[Any, Console], None]) -> set[str]:
    """Put hostile text in each place of the document in turn; return the places where it appears, harmless."""
    tried = set()
    for where, hostile in hostile_documents(document):
        text = printed(lambda on, hostile=hostile: draw(hostile, on))  # type: ignore[misc]
        assert_harmless(text)
        assert "x:" not in text and "💀" not in text, f"{where}: markup was obeyed"
        if SHOWN in text:
            tried.add(where)
    return tried


def test_no_text_of_a_report_reaches_the_terminal(report: Report) -> None:
    shown = harmless_everywhere(report, partial(render, verbose=True))
    assert harmless_everywhere(report, render) >= {"workload.profile", "host.cpu", "clock.source", "summary.0.op"}
    assert shown >= {
        "workload.profile",
        "host.cpu",
        "host.kernel",
        "clock.source",
        "tool.version",
        "summary.0.op",
        "budget.0.stage",
        "budget.0.basis",
    }


def test_reasons_and_notes_do_not_either(report: Report) -> None:
    bad = dataclasses.replace(
        report,
        status="invalid",
        status_reasons=(HOSTILE,),
        workload=dataclasses.replace(report.workload, notes=(HOSTILE,)),
    )
    text = printed(lambda on: render(bad, on, verbose=True))
    assert_harmless(text)
    assert text.count(SHOWN) == 2


def test_a_sweep(swept: Sweep) -> None:
    def drawn_if_loaded(hostile: Sweep, on: Console) -> None:
        """The loader refuses a sweep whose answer is not that of its runs."""
        try:
            check(hostile)
        except FormatError:
            return
        render_sweep(hostile, on)

    shown = harmless_everywhere(swept, drawn_if_loaded)
    assert shown >= {"points.0.workload.profile", "points.0.host.cpu", "objective_rule"}


def test_a_comparison_and_its_markdown(comparison: Comparison) -> None:
    shown = harmless_everywhere(comparison, lambda of, on: render_comparison(of, on, every=True))
    assert shown >= {"base.label", "head.label", "base.host.cpu", "gate.rules.0", "metrics.0.name"}
    for _, hostile in hostile_documents(comparison):
        assert_harmless(to_markdown(hostile))


def test_markdown_of_a_report(report: Report) -> None:
    for _, hostile in hostile_documents(report):
        assert_harmless(markdown.of_report(hostile))


def test_a_plot_names_its_series_harmlessly(report: Report) -> None:
    for where, hostile in hostile_documents(report):
        if not where.endswith(".hdr"):  # which is refused before anything is drawn
            assert_harmless(printed(lambda on, hostile=hostile: render_plot(hostile, on)))  # type: ignore[misc]


def test_a_history(report: Report, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(to_text(report))
    shown = harmless_everywhere(history_of(tmp_path), render_history)
    assert shown >= {"trends.0.profile", "trends.0.engine", "trends.0.measure"}


def test_tags_of_an_interval_log(report: Report) -> None:
    from lowlat.reports.model.series import histogram_of

    tag = HOSTILE.translate({ord(c): None for c in " ,\n\r\u2028"})
    line = interval(0, 10**6, [("T", histogram_of(report.summary[0]))]).replace("Tag=T,", f"Tag={tag},")
    text = printed(lambda on: render_log(read_log((head(0) + line).encode()), on))
    assert_harmless(text)
    assert r"\x1b[2J\x9b31m\x07\u202eb" in text and "[bold]" in text


def test_names_of_a_profile() -> None:
    profiler = Profiler()
    with profiler.span(HOSTILE):
        pass
    text = printed(lambda on: on.print(profiler.table()))
    assert_harmless(text)
    assert SHOWN in text


def test_books_of_a_folder() -> None:
    books = BooksDocument(folder=HOSTILE, books=(BookLine(symbol=HOSTILE, live=False, trouble=HOSTILE),))
    text = printed(lambda on: on.print(listing(books)))
    assert_harmless(text)
    assert text.count(SHOWN) == 2
    assert_harmless(printed(lambda on: on.print(listing(BooksDocument(folder=HOSTILE, books=())))))
    assert msgspec.json.decode(book_text(books), type=BooksDocument) == books, "JSON keeps the exact text"


def test_a_ladder_and_what_is_said_below_it() -> None:
    book = BookDocument(
        symbol=HOSTILE,
        unit="1",
        tick=1,
        depth=2,
        live=True,
        writer_pid=1,
        writer_state="running",
        age_s=0.5,
        generation=1,
        sequence=2,
        command=1,
        bids=(LadderLevel(1, 1, 1),),
        asks=(),
    )
    text = printed(lambda on: on.print(ladder(book, HOSTILE)))
    assert_harmless(text)
    assert text.count(SHOWN) == 2

"""A history finds drifts too slow for any one comparison: ratios use the right base, and work is never mixed."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from rich.console import Console

from lowlat.documents import published
from lowlat.documents import text as text_of
from lowlat.errors import InputError
from lowlat.reports._core import Histogram as Recorder
from lowlat.reports.compare import history
from lowlat.reports.compare.history import History, history_of
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.io.json_codec import to_text
from lowlat.reports.model.report import Report
from lowlat.reports.model.series import series_of, summarize
from lowlat.reports.terminal.history_table import render_history


class Folder:
    """Saves reports of one run with 99 latencies of `p50_ns` and two of `p99_ns`, to the nanosecond."""

    def __init__(self, path: Path, report: Report) -> None:
        self.path = path
        self.report = report

    def save(self, name: str, day: int, p50_ns: int, p99_ns: int, **changes: Any) -> None:
        recorder = Recorder()
        recorder.record_many(np.array([p50_ns] * 98 + [p99_ns] * 2))
        series = (series_of("all", "service", Histogram.from_native(recorder)),)
        run = dataclasses.replace(self.report.runs[0], started=f"2026-11-{day:02}T10:00:00Z", series=series)
        made = dataclasses.replace(self.report, runs=(run,), summary=summarize([run]), **changes)
        (self.path / name).write_text(to_text(made))


@pytest.fixture
def folder(tmp_path: Path, report: Report) -> Folder:
    return Folder(tmp_path, report)


def ratios(found: History, percent: str) -> list[tuple[int, float | None, float | None]]:
    (trend,) = found.trends
    figures = [entry.figures[percent] for entry in trend.entries]
    return [(figure.value_ns, figure.to_first, figure.to_median) for figure in figures]


def test_ratios_are_to_the_first_by_start_and_to_the_median(folder: Folder) -> None:
    """The newest is first by name; medians are 50 and 200."""
    folder.save("a.json", 3, 60, 400)
    folder.save("b.json", 1, 40, 100)
    folder.save("c.json", 2, 50, 200)
    found = history_of(folder.path)
    assert [entry.file for entry in found.trends[0].entries] == ["b.json", "c.json", "a.json"]
    assert ratios(found, "50") == [(40, 1, 0.8), (50, 1.25, 1), (60, 1.5, 1.2)]
    assert ratios(found, "99") == [(100, 1, 0.5), (200, 2, 1), (400, 4, 2)]


def test_a_report_that_is_not_valid_is_shown_and_no_base(folder: Folder) -> None:
    folder.save("a.json", 1, 10, 10, status="invalid", status_reasons=("lost",))
    folder.save("b.json", 2, 40, 100)
    found = history_of(folder.path)
    assert ratios(found, "50") == [(10, 0.25, 0.25), (40, 1, 1)]
    folder.save("b.json", 2, 40, 100, status="invalid", status_reasons=("lost",))
    assert ratios(history_of(folder.path), "50") == [(10, None, None), (40, None, None)]


def test_other_work_is_another_trend(folder: Folder, report: Report) -> None:
    folder.save("a.json", 2, 40, 100)
    folder.save("b.json", 1, 80, 100, workload=dataclasses.replace(report.workload, seed=7))
    folder.save("c.json", 3, 90, 100, engine=dataclasses.replace(report.engine, settings={"order_pool": 1}))
    found = history_of(folder.path)
    assert [[entry.file for entry in trend.entries] for trend in found.trends] == [["b.json"], ["a.json"], ["c.json"]]


def test_what_is_no_report_is_named_and_skipped(folder: Folder) -> None:
    folder.save("a.json", 1, 40, 100)
    (folder.path / "broken.json").write_text("{")
    (folder.path / "notes.txt").write_text("hello")
    (folder.path / ".hidden").write_text("")
    (folder.path / "sub").mkdir()
    found = history_of(folder.path)
    assert [entry.file for entry in found.trends[0].entries] == ["a.json"]
    assert [each.file for each in found.skipped] == ["broken.json", "notes.txt"]
    assert all("not a JSON document" in each.reason and str(folder.path) not in each.reason for each in found.skipped)


def test_another_series_can_be_followed(folder: Folder, report: Report) -> None:
    (folder.path / "a.json").write_text(to_text(report))
    folder.save("b.json", 1, 40, 100)
    found = history_of(folder.path, "cancel")
    assert found.trends[0].op == "cancel"
    assert found.trends[0].entries[0].figures["99"].value_ns == report.summary[2].percentiles["99"].value
    assert [(each.file, each.reason) for each in found.skipped] == [("b.json", "a report without series cancel")]


def test_a_folder_that_is_none_and_one_that_is_too_full_are_refused(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="cannot be read as a directory: No such file"):
        history_of(folder.path / "none")
    folder.save("a.json", 1, 40, 100)
    with pytest.raises(InputError, match="cannot be read as a directory: Not a directory"):
        history_of(folder.path / "a.json")
    monkeypatch.setattr(history, "HISTORY_FILES_MAX", 0)
    with pytest.raises(InputError, match="it has more than 0 entries, the limit"):
        history_of(folder.path)


def test_the_document_satisfies_its_schema(folder: Folder) -> None:
    folder.save("a.json", 1, 40, 100)
    (folder.path / "notes.txt").write_text("hello")
    text = text_of(history_of(folder.path), ascii_only=False)
    jsonschema.Draft202012Validator(published("lowlat.history/1", closed=True)).validate(json.loads(text))


def shown(found: History, width: int = 80) -> str:
    stream = io.StringIO()
    render_history(found, Console(file=stream, width=width, force_terminal=True, color_system=None))
    return stream.getvalue()


def test_a_report_is_a_row_that_80_columns_hold(folder: Folder, report: Report) -> None:
    folder.save("a.json", 1, 40, 100)
    folder.save("b.json", 2, 1_999, 250_000, status="invalid", status_reasons=("lost",))
    folder.save("c.json", 3, 44, 100, host=dataclasses.replace(report.host, cpu="Other"))
    text = shown(history_of(folder.path))
    rows = [" ".join(line.split()) for line in text.splitlines()]
    assert "2026-11-01 10:00 abc1234 1 40 ns 1.00x 0.95x 100 ns 1.00x 1.00x" in rows
    assert "2026-11-02 10:00 abc1234 1 2.00 µs 49.98x 47.60x 250 µs 2500x 2500x not" in rows
    assert rows[rows.index("2026-11-02 10:00 abc1234 1 2.00 µs 49.98x 47.60x 250 µs 2500x 2500x not") + 1] == "valid"
    assert "2026-11-03 10:00 abc1234 1 44 ns 1.10x 1.05x 100 ns 1.00x 1.00x" in rows
    assert "measured on 2 kinds of processors: AMD EPYC 7763 64-Core Processor, Other" in " ".join(rows)
    assert max(map(len, text.splitlines())) <= 80 and "…" not in text


def test_an_empty_folder_says_so(folder: Folder) -> None:
    assert shown(history_of(folder.path)) == "no reports\n"

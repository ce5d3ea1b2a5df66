"""`lowlat replay --mode rebuild`, as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from lowlat.documents import published
from lowlat.engine import JournaledEngine
from tests.dbn_files import dbn, record
from tests.integration.conftest import Run
from tests.recorded_day import recorded_day


@pytest.fixture
def day(tmp_path: Path) -> tuple[Path, Path]:
    """A day of 2,000 messages, and the venue's own books after each of them."""
    messages, books = recorded_day()
    files = tmp_path / "day_message.csv", tmp_path / "day_orderbook.csv"
    for path, content in zip(files, (messages, books), strict=True):
        path.write_text(content, encoding="ascii")
    return files


def test_the_books_are_the_venues(lowlat: Run, day: tuple[Path, Path]) -> None:
    run = lowlat("replay", day[0], "--mode", "rebuild", "--expect", day[1])
    assert run.returncode == 0, run.stderr
    assert "2,000: add 1,560, cancel 400, execute 40" in run.stdout
    assert "2,000 of 2,000 rows equal at 1 level" in run.stdout
    assert "contradictions  none" in run.stdout


def test_the_document(lowlat: Run, day: tuple[Path, Path]) -> None:
    run = lowlat("replay", day[0], "--mode", "rebuild", "--json")
    document = json.loads(run.stdout)
    jsonschema.Draft202012Validator(published("lowlat.rebuild/1", closed=True)).validate(document)
    assert (document["status"], document["events"], document["expected"]) == ("ok", 2_000, None)
    assert [series["op"] for series in document["latencies"]] == ["all", "add", "cancel", "execute"]


def test_other_books_are_invalid(lowlat: Run, day: tuple[Path, Path]) -> None:
    rows = day[1].read_text(encoding="ascii").splitlines()
    rows[99] = "1,1,1,1"
    day[1].write_text("\n".join([*rows, ""]), encoding="ascii")
    run = lowlat("replay", day[0], "--mode", "rebuild", "--expect", day[1])
    assert run.returncode == 3
    assert "invalid run: 1 row of 2,000 differ from the expected books; row 100: ask 1 is" in run.stderr


def test_nothing_to_rebuild(lowlat: Run, tmp_path: Path) -> None:
    (tmp_path / "none.dbn").write_bytes(dbn([record("N")]))
    run = lowlat("replay", "none.dbn", "--mode", "rebuild")
    assert (run.returncode, run.stderr) == (2, "lowlat: error: none.dbn: nothing to rebuild: 1 none\n")


def test_options_of_an_engine_are_refused(lowlat: Run, day: tuple[Path, Path]) -> None:
    run = lowlat("replay", day[0], "--mode", "rebuild", "--rate", "1k", "--runs", "2")
    assert run.returncode == 2
    assert "--mode rebuild applies the whole file, without an engine; remove --rate and --runs" in run.stderr


def test_a_journal_is_no_feed(lowlat: Run, tmp_path: Path) -> None:
    journal = tmp_path / "a.journal"
    JournaledEngine.create(journal).close()
    run = lowlat("replay", journal, "--mode", "rebuild")
    assert run.returncode == 2
    assert "is a journal; remove --mode" in run.stderr

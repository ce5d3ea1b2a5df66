"""Several replayed recordings on the terminal: what they gave together, and what to look at first."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from lowlat.engine.bench import report_context
from lowlat.reports.model.replays import (
    FailedPartition,
    PartitionResult,
    PartitionRun,
    Replays,
    ReplaysMeasured,
    ReplaysResult,
)
from lowlat_cli.destination import tell_status
from lowlat_cli.views.replays import replays_view


def result(number: int) -> PartitionResult:
    return PartitionResult(
        number=number,
        file=f"/days/day{number}.itch",
        file_bytes=1,
        file_sha256="a" * 64,
        format="itch",
        symbols=("AAPL",),
        digest="sha256:b",
        counts={"events": 1_000 * number, "bursts": 10, "bursts matched": 9},
        fills={},
        differences=(),
    )


def run(number: int, attempts: int) -> PartitionRun:
    return PartitionRun(
        number=number,
        host="node1",
        cpu=0,
        attempts=attempts,
        wall_s=1.0,
        memory_max_bytes=100 << 20,
        p50_ns=40,
        p99_ns=None,
        status_reasons=(),
    )


def document(partitions: int) -> Replays:
    numbers = range(1, partitions + 1)
    lost = FailedPartition(file="/days/day0.itch", symbols=("AAPL",), attempts=3, error="its worker was lost")
    return Replays(
        status="invalid",
        status_reasons=(),
        tool=report_context.tool(),
        command=(),
        started="2026-11-23T06:00:00.250000Z",
        result=ReplaysResult(
            mode="match",
            engine="native",
            by="symbol",
            digest=None,
            counts={"bursts": 20, "bursts matched": 18},
            fills={},
            partitions=tuple(map(result, numbers)),
        ),
        measured=ReplaysMeasured(
            workers=2,
            wall_s=61.0,
            memory_need_bytes=128 << 20,
            series=(),
            partitions=tuple(run(number, attempts=number) for number in numbers),
        ),
        failed=(lost,),
    )


def drawn(found: Replays, *, verbose: bool = False) -> str:
    on = Console(file=io.StringIO(), width=120)
    for part in replays_view(found, verbose=verbose):
        on.print(part)
    return str(on.file.getvalue())  # type: ignore[attr-defined]


def test_each_partition_with_its_host_and_what_failed() -> None:
    shown = [" ".join(line.split()) for line in drawn(document(2)).splitlines()]
    assert "verified 18 of 20 recorded bursts filled as on the venue" in shown
    assert "digest none, because partitions are missing" in shown
    assert "day1.itch AAPL 1,000 1 40 ns node1" in shown
    assert "day2.itch AAPL 2,000 1 40 ns node1, attempt 2" in shown
    assert "failed day0.itch AAPL: its worker was lost" in shown


def test_many_are_listed_on_request() -> None:
    assert "and 10 more: -v" in drawn(document(40))
    assert "day40.itch" not in drawn(document(40))
    assert "day40.itch" in drawn(document(40), verbose=True)


def test_without_a_result_only_what_failed() -> None:
    found = document(2)
    nothing = replace(found.result, partitions=(), counts={})
    empty = replace(found, result=nothing, measured=replace(found.measured, partitions=()))
    assert "replayed" in drawn(empty) and "its worker was lost" in drawn(empty)


def test_files_that_cannot_be_replayed_leave_room_for_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """A folder may be full of them, and each takes several lines."""
    failed = tuple(
        FailedPartition(file=f"/days/{at}.txt", symbols=(), attempts=1, error="no format") for at in range(9)
    )
    found = replace(document(1), failed=failed, status_reasons=tuple(each.file for each in failed))
    shown = drawn(found)
    assert "4.txt: no format" in shown and "5.txt" not in shown and "and 4 more: -v" in shown
    assert "8.txt: no format" in drawn(found, verbose=True)
    tell_status(found)
    assert (
        capsys.readouterr().err
        == f"lowlat: invalid run: {'; '.join(f'/days/{at}.txt' for at in range(5))}; and 4 more\n"
    )

"""Memory in other formats: a row for each size, and a summary for a pull request."""

from __future__ import annotations

import csv

from lowlat.reports.model.memory import Bandwidth, Memory
from lowlat.reports.model.memory_ladder import LadderPoint, LatencyLadder, ReportedCache
from lowlat.reports.outputs.registry import texts_of

KIB = 1 << 10


def ladder(pages: str, page_bytes: int, *times_ns: float) -> LatencyLadder:
    return LatencyLadder(
        node=None,
        cpu=3,
        pages=pages,  # type: ignore[arg-type]
        page_bytes=page_bytes,
        reserved=False,
        status="ok",
        reason=None,
        points=tuple(
            LadderPoint(size_bytes=(at + 1) * KIB, samples=5, min_ns=time_ns, median_ns=2 * time_ns)
            for at, time_ns in enumerate(times_ns)
        ),
    )


FOUND = Memory(
    status="interrupted",
    platform="a|b",
    guest=False,
    clock_hz=1e9,
    duration_s=1.0,
    limit_bytes=2 * KIB,
    limit_reason="as asked for",
    cpus=(3,),
    caches=(ReportedCache(name="L1d", size_bytes=32 * KIB),),
    ladders=(ladder("huge", 2048 * KIB, 1.5, 2.0), ladder("base", 4 * KIB, 1.5, 3.0)),
    bandwidth=(
        Bandwidth(cpus=(3,), bytes_of_thread=1, read_bytes_per_s=2e10, write_bytes_per_s=1e10, copy_bytes_per_s=3e9),
    ),
    nodes=(),
)


def test_each_size_is_a_row() -> None:
    rows = list(csv.reader(texts_of(FOUND)["csv"]().splitlines()))
    assert rows == [
        ["status", "node", "cpu", "pages", "page_bytes", "size_bytes", "samples", "min_ns", "median_ns"],
        ["ok", "", "3", "huge", "2097152", "1024", "5", "1.5", "3.0"],
        ["ok", "", "3", "huge", "2097152", "2048", "5", "2.0", "4.0"],
        ["ok", "", "3", "base", "4096", "1024", "5", "1.5", "3.0"],
        ["ok", "", "3", "base", "4096", "2048", "5", "3.0", "6.0"],
    ]


def test_the_summary_has_all_tables_and_escapes_names() -> None:
    text = texts_of(FOUND)["md"]()
    assert "INTERRUPTED: partial results" in text
    assert "| L1d | 32 KiB | - | beyond the limit | 2 ns | 4 ns |" in text or "| L1d | 32 KiB |" in text
    assert "| 2 KiB | 3 ns | 2 ns | 1.50 |" in text
    assert "| 1 | 20.0 GB/s | 10.0 GB/s | 3.00 GB/s |" in text
    assert "- platform: a\\|b" in text


def test_there_are_these_outputs() -> None:
    assert sorted(texts_of(FOUND)) == ["csv", "md"]

"""What `lowlat memory` makes of its probes, and its screen."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from rich.console import Console

from lowlat.errors import UsageError
from lowlat.probes.clock.counter import calibrate_quick
from lowlat.probes.cpu.affinity import allowed_cpus
from lowlat.probes.memory import ladder as ladders
from lowlat.probes.memory.chase import LoadTime, ladder_sizes
from lowlat.probes.memory.node_access import AccessTimes
from lowlat.probes.memory.sites import Limit
from lowlat.probes.reading import unknown
from lowlat.probes.topology import read_topology
from lowlat.reports.model.memory import Bandwidth, Memory, NodeAccess
from lowlat.reports.model.memory_ladder import LadderPoint, LatencyLadder, ReportedCache
from lowlat_cli import memory
from lowlat_cli.memory import MemoryPlan, measured
from lowlat_cli.views.memory import memory_view

KIB, MIB = 1 << 10, 1 << 20
CACHES = (("L1d", 32 * KIB, 2.0), ("L2", 1 * MIB, 6.0), ("L3", 32 * MIB, 30.0))


def plan(topology: Any = None, cpus: Sequence[int] = ()) -> MemoryPlan:
    chosen = tuple(cpus or allowed_cpus())
    return MemoryPlan(
        topology or read_topology(), chosen, Limit(MIB, "as asked for"), 0.1, calibrate_quick().frequency_hz
    )


def test_everything_is_measured_and_progress_only_grows() -> None:
    told: list[float] = []
    cpus = allowed_cpus()
    found = measured(plan(), lambda _, share: told.append(share))
    assert found.status == "ok"
    assert [ladder.pages for ladder in found.ladders][:2] == ["huge", "base"]
    base = found.ladders[1]
    assert [point.size_bytes for point in base.points] == list(ladder_sizes(MIB))
    assert base.cpu == max(cpus)
    assert len(found.bandwidth) == len(cpus) or len(cpus) > 8
    assert found.levels[0].min_ns
    assert told == sorted(told)
    assert told[0] >= 0
    assert told[-1] < 1


def test_one_cpu_is_enough() -> None:
    found = measured(plan(cpus=allowed_cpus()[:1]), lambda *_: None)
    assert [rates.cpus for rates in found.bandwidth] == [allowed_cpus()[:1]]


def test_without_huge_pages_the_base_ladder_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    real = ladders.open_region

    def opened(size_bytes: int, pages: Any, node: int | None) -> Any:
        return unknown("x", "all are taken") if pages == "huge" else real(size_bytes, pages, node)

    monkeypatch.setattr(ladders, "open_region", opened)
    found = measured(plan(), lambda *_: None)
    huge = found.ladders[0]
    assert (huge.status, huge.reason, huge.page_bytes, huge.points) == ("not measured", "all are taken", None, ())
    assert found.main is found.ladders[1]
    assert found.page_effects == ()
    assert "huge: not available here, because all are taken" in drawn(found, verbose=False)


def test_without_any_memory_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladders, "open_region", lambda *_: unknown("x", "all is taken"))
    with pytest.raises(UsageError, match="no memory could be measured: all is taken; try a smaller --limit"):
        measured(plan(), lambda *_: None)


@pytest.mark.parametrize(
    ("when", "ladders_so_far", "rates_so_far"), [("huge", 1, 0), ("base", 2, 0), ("bandwidth: 1", 2, 0)]
)
def test_ctrl_c_keeps_what_there_is(when: str, ladders_so_far: int, rates_so_far: int) -> None:
    """Also within a ladder, after its first size."""
    calls = 0

    def progress(text: str, _share: float) -> None:
        nonlocal calls
        calls += when in text
        if calls == (1 if "bandwidth" in when else 4):
            raise KeyboardInterrupt

    found = measured(plan(), progress)
    assert found.status == "interrupted"
    assert (len(found.ladders), len(found.bandwidth)) == (ladders_so_far, rates_so_far)
    assert "interrupted: the rest was not measured" in drawn(found, verbose=False)


def test_nodes_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def nodes(*_: object) -> Iterator[AccessTimes]:
        yield AccessTimes(0, 1, (2, 3), LoadTime(MIB, 5, 140.0, 150.0), 8e9)

    monkeypatch.setattr(memory, "measure_nodes", nodes)
    (found,) = measured(plan(), lambda *_: None).nodes
    assert (found.cpu_node, found.memory_node, found.cpus) == (0, 1, (2, 3))
    assert (found.min_ns, found.median_ns, found.read_bytes_per_s) == (140.0, 150.0, 8e9)


def points(factor: float, limit_bytes: int) -> Iterator[LadderPoint]:
    for size in ladder_sizes(limit_bytes):
        time_ns = next((time_ns for _, held, time_ns in CACHES if size <= held), 110.0)
        slowed = time_ns * (factor if size > MIB else 1.0)
        yield LadderPoint(size_bytes=size, samples=5, min_ns=slowed, median_ns=slowed * 1.01)


def a_host(
    nodes: int, threads: int, limit_bytes: int = 128 * MIB, l3_bytes: int = 32 * MIB, status: Any = "ok"
) -> Memory:
    """A host as large as given, under a hypervisor."""
    names = [ReportedCache(name=name, size_bytes=size) for name, size, _ in CACHES[:2]]
    kinds = (("huge", 2 * MIB, 1.0), ("base", 4 * KIB, 1.5))
    return Memory(
        status=status,
        platform="KVM guest, Docker container",
        guest=True,
        clock_hz=2.1e9,
        duration_s=6.0,
        limit_bytes=limit_bytes,
        limit_reason="4 times the L3 as reported",
        cpus=tuple(range(threads)),
        caches=(*names, ReportedCache(name="L3", size_bytes=l3_bytes)),
        ladders=tuple(
            LatencyLadder(
                node=node,
                cpu=threads - 1,
                pages=pages,  # type: ignore[arg-type]
                page_bytes=page_bytes,
                reserved=False,
                status="ok",
                reason=None,
                points=tuple(points(factor, limit_bytes)),
            )
            for node in range(nodes)
            for pages, page_bytes, factor in kinds
        ),
        bandwidth=tuple(
            Bandwidth(
                cpus=tuple(range(count + 1)),
                bytes_of_thread=MIB,
                read_bytes_per_s=2e10 * (count + 1),
                write_bytes_per_s=1e10 * (count + 1),
                copy_bytes_per_s=1.5e10 * (count + 1),
            )
            for count in range(threads)
        ),
        nodes=tuple(
            NodeAccess(
                cpu_node=cpu,
                memory_node=node,
                cpus=(cpu,),
                min_ns=90.0 + 60 * (cpu != node),
                median_ns=100.0,
                read_bytes_per_s=4e10 / (1 + (cpu != node)),
            )
            for cpu in range(nodes)
            for node in range(nodes)
            if nodes > 1
        ),
    )


def drawn(found: Memory, *, verbose: bool, columns: int = 100) -> str:
    on = Console(file=io.StringIO(), width=columns, color_system=None)
    on.print(*memory_view(found, verbose=verbose), sep="\n", highlight=False)
    text: str = on.file.getvalue()  # type: ignore[attr-defined]
    return text


@pytest.mark.parametrize(("nodes", "threads"), [(1, 1), (1, 2), (1, 64), (2, 128), (8, 16)])
@pytest.mark.parametrize("l3_bytes", [32 * MIB, 300 * MIB])
@pytest.mark.parametrize("status", ["ok", "interrupted"])
def test_any_host_fits_one_screen(nodes: int, threads: int, l3_bytes: int, status: str) -> None:
    lines = drawn(a_host(nodes, threads, l3_bytes=l3_bytes, status=status), verbose=False).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100


def test_eighty_columns_cut_nothing() -> None:
    for verbose in (False, True):
        lines = drawn(a_host(2, 128), verbose=verbose, columns=80).splitlines()
        assert max(len(line.rstrip()) for line in lines) <= 80
        assert not any("…" in line for line in lines)


def test_the_screen_answers_first() -> None:
    lines = drawn(a_host(1, 4, l3_bytes=300 * MIB), verbose=False).splitlines()
    rows = {words[0]: words[1:] for line in lines if (words := re.split(r" {2,}", line.strip()))}
    assert rows["L2"] == ["1 MiB", "1 MiB", "as reported", "6 ns", "6.06 ns"]
    assert rows["L3"] == ["300 MiB", "32 MiB", "differs", "30 ns", "30.3 ns"]
    assert rows["memory"] == ["-", "-", "110 ns", "111 ns"]
    assert rows["128 MiB"] == ["165 ns", "110 ns", "1.50"]
    assert rows["4"] == ["80.0 GB/s", "40.0 GB/s", "60.0 GB/s"]


def test_nodes_are_a_line_and_with_v_a_matrix() -> None:
    found = a_host(2, 4)
    short, whole = (drawn(found, verbose=verbose) for verbose in (False, True))
    line = next(line for line in short.splitlines() if line.startswith("nodes"))
    assert line.split(None, 1)[1].strip() == "local 90 ns, 40.0 GB/s · remote 150 ns, 20.0 GB/s"
    assert re.search(r"CPUs of node +memory of 0 +memory of 1", whole)
    assert re.search(r"^1 +150 ns 20\.0 GB/s +90 ns 40\.0 GB/s", whole, re.MULTILINE)
    assert "48 KiB" in whole
    assert "48 KiB" not in short


def test_a_limit_that_may_hide_the_memory_is_said() -> None:
    found = a_host(1, 2, limit_bytes=24 * MIB)
    assert "the limit is below 4 times the L3" in drawn(found, verbose=False)
    assert "the limit is below" not in drawn(a_host(1, 2), verbose=False)

"""Documents that other programs parse: an example of each, compared byte for byte, and the installed schemas.

The examples in the folder `documents` represent files that users keep and their programs read. Fields may be added to
them; existing ones stay.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime
import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from lowlat.documents import file_of, published, text
from lowlat.engine import (
    CommandType,
    ExecInst,
    SelfTradePrevention,
    Side,
    command,
    commands,
    extended_command,
    load_profile,
)
from lowlat.engine.flow.profile_document import ListedProfile, ProfilesDocument
from lowlat.engine.flow.statistics.check import CheckedFigure, ProfileCheck
from lowlat.engine.journal.compaction import Compacted
from lowlat.engine.journal.compaction_document import CompactionDocument
from lowlat.engine.journal.document import JournalDocument
from lowlat.engine.journal.dump import Listing
from lowlat.engine.journal.engine import JournaledEngine
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.journal.names import snapshot_path
from lowlat.engine.journal.records import SyncPolicy
from lowlat.engine.journal.verify import check_journal
from lowlat.engine.matching.commands import extended_commands
from lowlat.fleet.analysis import fleet_of
from lowlat.fleet.gate import parse_fleet_rule
from lowlat.probes.cache_line import CacheLine, Prefetch, ReportedLine
from lowlat.probes.clock.counter import Calibration, CounterSkew, NtpSlew
from lowlat.probes.clock.read_costs import ReadCosts
from lowlat.probes.clock.scale import TickScale
from lowlat.probes.clock.sources import Candidate, CounterFlags
from lowlat.probes.cpu.cpu_sets import CpuSets
from lowlat.probes.cpu.placement import Assignment, Plan
from lowlat.probes.cpu.threads import ThreadAffinity, ThreadsDocument
from lowlat.probes.doctor.examination import Examination
from lowlat.probes.doctor.finding import Finding, Fix, MeasuredFigure
from lowlat.probes.host.cgroup import CpuQuota
from lowlat.probes.host.virtualization import Virtualization
from lowlat.probes.memory.level_latency import LevelLatency
from lowlat.probes.reading import known, not_applicable, unknown
from lowlat.probes.topology import (
    Cache,
    Cluster,
    Core,
    CoreKind,
    Device,
    Die,
    FrequencyPolicy,
    HugePages,
    Interrupt,
    MemoryAccess,
    MemorySideCache,
    Node,
    Package,
    Topology,
    Vulnerability,
)
from lowlat.probes.topology.document import TopologyDocument
from lowlat.reports.compare.history import history_of
from lowlat.reports.model.book import BookDocument, BookLine, BooksDocument, LadderLevel
from lowlat.reports.model.capture import Capture, CapturedPart
from lowlat.reports.model.conformance import Conformance, ConformanceSuite, Counterexample
from lowlat.reports.model.context import Build, Tool
from lowlat.reports.model.cores import CorePair, Cores
from lowlat.reports.model.jitter import CpuJitter, Jitter, JitterCause, LongGap
from lowlat.reports.model.memory import Bandwidth, Memory, NodeAccess
from lowlat.reports.model.memory_ladder import LadderPoint, LatencyLadder, ReportedCache
from lowlat.reports.model.rebuild import ExpectedBook, Rebuild, Spent
from lowlat.reports.model.replays import (
    FailedPartition,
    PartitionResult,
    PartitionRun,
    Replays,
    ReplaysMeasured,
    ReplaysResult,
)
from lowlat_cli.documents import DOCUMENTS
from tests.ablations import an_ablation
from tests.fleet_by_hand import jitter_bytes, kept

HERE = Path(__file__).parent / "documents"
REPORT = next(Path(__file__).parents[1].rglob("report-1.json"))
IN_THEIR_OWN_TESTS = {"lowlat.report/1", "lowlat.sweep/1", "lowlat.comparison/1", "lowlat.league/1"}
"""`tests/unit/reports` makes these, and holds them to their schemas."""

SETS = CpuSets(
    possible=known((0, 1, 2, 3), "read from /possible"),
    present=known((0, 1, 3), "read from /present"),
    online=known((0, 1), "read from /online"),
    isolated=known((1,), "read from /isolated"),
    nohz_full=unknown("read from /nohz_full", "permission denied: é"),
    affinity=known((0,), "sched_getaffinity"),
    cpuset=not_applicable("/proc/self/cgroup", "there is no control group"),
)
LINE = CacheLine(
    reported=(
        ReportedLine("sysfs", known(64, "sysfs")),
        ReportedLine("ctr_el0", not_applicable("CTR_EL0", "this is no aarch64 Linux")),
        ReportedLine("getconf", known(128, "getconf")),
    ),
    flush_granule_bytes=known(64, "flush"),
    flush_times_ns={32: 150.0, 64: 20.5},
    sharing_granule_bytes=unknown("sharing", "too busy"),
    sharing_times_ns={},
    sharing_cpus=(1, 0),
    sharing_slices_dropped=2,
    prefetch=known(Prefetch(True, False, False, 0.0, 1.0, 0.9, 0.1), "measured"),
)


def a_topology() -> str:
    """One package of two cores, one of them offline; every optional part appears once."""
    core = Core(0, (0, 1))
    host = Topology(
        root="/",
        machine=known("x86_64", "uname"),
        cpu_brand=known("A processor", "read from /proc/cpuinfo"),
        kernel_release=known("6.1.0", "uname"),
        virtualization=Virtualization(known("KVM", "CPUID"), not_applicable("/.dockerenv", "nothing announces one")),
        cpu_sets=SETS,
        cpu_quota=known(CpuQuota(1.5, 150_000, 100_000), "read from /cpu.max"),
        smt=known("on", "read from /smt/control"),
        packages=(Package(0, (0, 1), (Die(None, (0, 1), (Cluster(65535, (0, 1), (core,)),)),)),),
        core_kinds=(CoreKind("performance", (0, 1), "read from /types"),),
        frequencies=known(
            (FrequencyPolicy((0,), "intel_pstate", "performance", "balance_power", *[2_000_000_000] * 4),), "cpufreq"
        ),
        microcode=known("0x2b000590", "read from /proc/cpuinfo"),
        vulnerabilities=known((Vulnerability("mds", "mitigated", "Mitigation: Clear CPU buffers"),), "sysfs"),
        caches=known(
            (Cache(1, "Data", 32768, 64, 8, 64, ((0, 1),)), Cache(4, "Unknown", *[None] * 4, ((0,),))), "sysfs"
        ),
        nodes=known(
            (
                Node(
                    *(0, "cpus and memory", (0, 1), 1 << 30, None, {0: 10, 1: 255}, ()),
                    memory_side_caches=(MemorySideCache(1, 1 << 30, 64, True, None),),
                    memory_access=MemoryAccess((0,), 90, None, 1 << 37, None),
                ),
            ),
            "sysfs",
        ),
        memory_nodes=known((0,), "read from /has_memory"),
        memory_total_bytes=known(1 << 30, "read from /proc/meminfo"),
        huge_pages=(HugePages(2 << 20, 4, None),),
        interrupts=known((Interrupt(24, "nvme0q1", (1,)), Interrupt(25, None, (0, 1))), "read from /proc/irq"),
        devices=(
            Device("eth1", "network card", "0000:3b:00.1", 0, (0, 1), (40, 41), (1,)),
            Device("nvme0", "NVMe drive", None, None, (), (), ()),
        ),
        warnings=("cpu1 lies",),
    )
    latency = LevelLatency("L1d", 32 << 10, 16 << 10, 1, "huge", 1.5, 1.625)
    return text(TopologyDocument.of(host, LINE, known((latency,), "measured")))


def a_calibration() -> str:
    return text(
        Calibration(
            frequency_hz=2.5e9,
            uncertainty_ppm=0.0123456789,
            source="measured against CLOCK_MONOTONIC_RAW",
            clock_source="rdtsc",
            scale=TickScale(15372286728091293014, 65),
            frequency_monotonic_hz=2500000000.125,
            window_s=0.1,
            points=611,
            bracket_ns=24.75,
            cpu=None,
            candidates=(
                Candidate("measured", known(2.5e9, "measured")),
                Candidate("kernel-log", unknown("log", "gone")),
            ),
            flags=CounterFlags(known(True, "CPUID"), known(False, "x"), not_applicable("x", "y"), unknown("x", "y")),
            costs=ReadCosts(9.5, 1e-07, known(20.25, "rdtscp"), 1e17, not_applicable("syscall", "only Linux has it")),
            step_ticks=2.0,
            step_ns=0.75,
            smallest_difference_ticks=26,
            backward_reads=0,
            skews=known((CounterSkew(0, 1, -1.5, 30.25, 400, 0),), "measured by ping-pong"),
            slew=known(NtpSlew(-3.25, 10_000, True), "adjtimex"),
            kernel_clocksource=known("tsc", "read from /current_clocksource"),
            steps_ns=(-200.5,),
            warnings=("the clock stepped",),
            notes=("a counter → a clock",),
        )
    )


def threads() -> str:
    listed = (ThreadAffinity(7, "maïn (x)", (0, 1), 0, "other", 0, (0,)), ThreadAffinity(8, "w", (), *[None] * 3, ()))
    return text(ThreadsDocument.of(7, listed, SETS))


def a_plan() -> str:
    first = Assignment("matcher", -1, 1, 0, ("isolated",), ())
    return text(Plan((first, Assignment("producer", 1, 0, None, (), ("CPU 0",))), None, ("one core",)))


def a_book() -> str:
    facts = {"symbol": "AAPL", "unit": "0.01", "tick": 1, "depth": 64, "live": True, "writer_pid": 7, "generation": 1}
    facts |= {"writer_state": "stopped", "age_s": 12.25}
    bids = (LadderLevel(58533, 100, 2), LadderLevel(58532, 101, 2))
    return text(BookDocument(**facts, sequence=4, command=42, bids=bids, asks=()), ascii_only=False)  # type: ignore[arg-type]


def books() -> str:
    whole = BookLine(symbol="AAPL", live=True, unit="0.01", writer_pid=7, generation=1, sequence=4, bid=58533)
    broken = BookLine(symbol="XX", live=False, trouble="does not begin as a book does")
    return text(BooksDocument(folder="/tmp/bücher", books=(whole, broken)), ascii_only=False)


def a_history(folder: Path) -> str:
    (folder / "a.json").write_bytes(REPORT.read_bytes())
    (folder / "notes.txt").write_text("not a report")
    return text(history_of(folder), ascii_only=False)


def a_journal(folder: Path) -> Path:
    """Four blocks: two plain commands, two extended ones, a drain, one plain command."""
    path = folder / "day.journal"
    with JournaledEngine.create(path, orders=100, trades=10, sync=SyncPolicy.NONE) as day:
        sell = command(CommandType.LIMIT, 1, side=Side.SELL, price=100, quantity=5)
        day.process(commands(sell, command(CommandType.LIMIT, 2, side=Side.BUY, price=101, quantity=3)))
        iceberg = {
            "price": 99,
            "quantity": 50,
            "display_quantity": 10,
            "participant_id": 7,
            "flags": ExecInst.POST_ONLY,
        }
        strange = extended_command(99, 4, side=7, quantity=-1, flags=0x44)  # type: ignore[arg-type]
        own = extended_command(CommandType.LIMIT, 3, self_trade=SelfTradePrevention.DECREMENT, **iceberg)  # type: ignore[arg-type]
        day.process(extended_commands(own, strange))
        day.drain_trades()
        day.process(commands(command(CommandType.CANCEL, 3)))
    return path


def a_check(folder: Path) -> str:
    """Values that vary between journals are made equal: identity, date, path, and duration."""
    check = check_journal(a_journal(folder))
    created = datetime.datetime(2026, 11, 23, 10, tzinfo=datetime.UTC)
    head = msgspec.structs.replace(check.head, identity="0" * 32, created=created)
    path = Path("day.journal")
    segments = tuple(dataclasses.replace(each, path=path) for each in check.segments)
    same = dataclasses.replace(check, path=path, head=head, segments=segments, replay_ns=1000)
    return text(JournalDocument.of(same))


def a_compaction(folder: Path) -> str:
    path = Path("day.journal")
    with JournaledEngine.recover(a_journal(folder)) as day:
        done = day.compact()
    saved = dataclasses.replace(done.snapshot, path=snapshot_path(path))
    removed = tuple(dataclasses.replace(each, path=Path(each.path.name)) for each in done.removed)
    return text(CompactionDocument.of(path, Compacted(saved, removed)))


def a_dump(folder: Path) -> str:
    with JournalFile(a_journal(folder)) as file:
        found = "".join(Listing(file).document())
        head = file.head
    for varying, same in (
        (f"{folder}/", ""),
        (head.identity, "0" * 32),
        (f"{head.created:%Y-%m-%dT%H:%M:%S.%fZ}", "2026-11-23T10:00:00.000000Z"),
    ):
        found = found.replace(varying, same)
    return found


def profiles() -> str:
    return text(ProfilesDocument(profiles=(ListedProfile.of(load_profile("burst")),)))


def a_profile_check() -> str:
    figures = (
        CheckedFigure(figure="adds inside the spread", measure="share", flow=0.2, profile=0.04, distance=0.16),
        CheckedFigure(figure="spread, ticks", measure="distribution", flow=19, profile=18, distance=0.05),
        CheckedFigure(figure="price levels, mean", measure="ratio", flow=189.03, profile=None, distance=None),
        CheckedFigure(figure="share that a reduce takes", measure="share", flow=None, profile=None, distance=None),
    )
    return text(
        ProfileCheck(
            profile="mine",
            flow="day.csv",
            flow_commands=89_085,
            profile_commands=89_085,
            seed=1,
            figures=figures,
            notes=("arrivals are not compared: the flow has no arrival times",),
        )
    )


def a_conformance() -> str:
    return text(
        Conformance(
            status="differs",
            engine="mine",
            version="1.0",
            file="/home/me/libmine.so",
            capabilities=("IOC", "MARKET"),
            not_compared=("reason", "trade_id"),
            seed=1,
            suites=(
                ConformanceSuite(
                    name="worked examples", cases=3, of=106, skipped=84, lacking=("STOPS",), commands=10, events=24
                ),
            ),
            counterexample=Counterexample(
                suite="worked examples",
                case="the older order trades first",
                case_commands=4,
                rules="2 symbols",
                commands=({"kind": "LIMIT", "order_id": 1, "side": "SELL", "price": 100, "quantity": 1},),
                how="in batches",
                command=0,
                difference="from event 1 on: quantity 2 instead of 1 in #0 ACCEPTED order 1 1@100 left 1",
                expected=("#0 ACCEPTED order 1 1@100 left 1",),
                given=("#0 ACCEPTED order 1 2@100 left 1",),
            ),
        )
    )


def a_cores() -> str:
    return text(
        Cores(
            status="ok",
            platform="KVM guest",
            guest=True,
            clock_hz=2.5e9,
            cpus_chosen=3,
            cpus=(0, 1, 2),
            pairs=(
                CorePair(first=0, second=1, status="ok", blocks=200, min_ns=41.5, median_ns=44.0),
                CorePair(first=0, second=2, status="not measured", blocks=0, min_ns=None, median_ns=None),
                CorePair(first=1, second=2, status="ok", blocks=200, min_ns=98.0, median_ns=101.25),
            ),
        )
    )


def a_memory() -> str:
    """A cache whose knee shows, one beyond the limit, huge pages of the first node, and none on the second."""
    points = tuple(
        LadderPoint(size_bytes=size << 10, samples=9, min_ns=1.5 if size <= 32 else 4.5, median_ns=5.0)
        for size in (8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128)
    )
    known_ladder = {"node": 0, "cpu": 3, "status": "ok", "reason": None}
    nothing = {"page_bytes": None, "status": "not measured", "reason": "all are taken", "points": ()}
    return text(
        Memory(
            status="ok",
            platform="bare metal",
            guest=False,
            clock_hz=2.5e9,
            duration_s=6.0,
            limit_bytes=128 << 10,
            limit_reason="as asked for",
            cpus=(2, 3),
            caches=(ReportedCache(name="L1d", size_bytes=32 << 10), ReportedCache(name="L2", size_bytes=1 << 20)),
            ladders=(
                LatencyLadder(**known_ladder, pages="huge", page_bytes=2 << 20, reserved=True, points=points),
                LatencyLadder(**known_ladder, pages="base", page_bytes=4096, reserved=False, points=points[:1]),
                LatencyLadder(**{**known_ladder, **nothing, "node": 1}, pages="huge", reserved=False),
            ),
            bandwidth=(
                Bandwidth(
                    cpus=(2, 3),
                    bytes_of_thread=64 << 10,
                    read_bytes_per_s=2e10,
                    write_bytes_per_s=1e10,
                    copy_bytes_per_s=1.5e10,
                ),
            ),
            nodes=(
                NodeAccess(cpu_node=0, memory_node=1, cpus=(2,), min_ns=140.0, median_ns=150.5, read_bytes_per_s=8e9),
            ),
        )
    )


def a_rebuild() -> str:
    spent = Spent(cpu_ns=1_500, wall_ns=2_000, cpu_ns_per_event=500.0, wall_ns_per_event=666.67)
    return text(
        Rebuild(
            status="invalid",
            status_reasons=("1 row of 3 differ from the expected books",),
            tool=Tool(version="0.1.0", git="abc1234", build=Build(compiler="GCC 12.2.0", flags="-O3", isa="x86-64-v2")),
            started="2026-11-23T06:00:00.250000Z",
            file="day_message_10.csv",
            noun="LOBSTER file",
            symbols=1,
            displayed_levels=10,
            events=3,
            actions={"add": 2, "execute": 1},
            messages={"add": 2, "execution": 1},
            left_out={"a line before the first row": 1},
            faults={},
            contradictions={"execute of an unknown order": 1},
            decode=spent,
            apply=spent,
            books="sha256:" + "b" * 64,
            live_orders=2,
            live_orders_max=2,
            levels_max=1,
            memory_max_bytes=1 << 27,
            latencies=(),
            latency_events=0,
            expected=ExpectedBook(
                file="day_orderbook_10.csv", levels=10, rows=3, equal=2, missing=0, first_difference="row 2: none"
            ),
        )
    )


def replays() -> str:
    result = PartitionResult(
        number=1,
        file="/days/day1.itch",
        file_bytes=4096,
        file_sha256="a" * 64,
        format="itch",
        symbols=("AAPL",),
        digest="sha256:" + "b" * 64,
        counts={"commands": 3, "events": 4, "bursts": 1, "bursts matched": 0},
        fills={"2": 1},
        differences=("row 3: buy order 9 filled nothing; the venue filled 5@100 of 1",),
    )
    run = PartitionRun(
        number=1,
        host="node1",
        cpu=3,
        attempts=2,
        wall_s=1.5,
        memory_max_bytes=1 << 27,
        p50_ns=None,
        p99_ns=None,
        status_reasons=(),
    )
    why = "/days/day2.itch: no such file (on tcp://10.0.0.1:4000)"
    tool = Tool(version="0.1.0", git="abc1234", build=Build(compiler="GCC 12.2.0", flags="-O3", isa="x86-64-v2"))
    return text(
        Replays(
            status="invalid",
            status_reasons=(why,),
            tool=tool,
            command=("lowlat", "replay", "/days"),
            started="2026-11-23T06:00:00.250000Z",
            result=ReplaysResult(
                mode="match",
                engine="native",
                by="symbol",
                digest=None,
                counts=result.counts,
                fills=result.fills,
                partitions=(result,),
            ),
            measured=ReplaysMeasured(workers=2, wall_s=2.5, memory_need_bytes=1 << 28, series=(), partitions=(run,)),
            failed=(FailedPartition(file="/days/day2.itch", symbols=("AAPL",), attempts=3, error=why),),
        )
    )


def a_fleet() -> str:
    """Three hosts, of which the last is slow, and another thread had its CPUs."""
    runs = [kept(f"node-{number}", jitter_bytes(lost_us), "jitter") for number, lost_us in enumerate((0, 10, 40_000))]
    runs.append(kept("node-3", None, "jitter", outcome="busy", reason="lowlat bench (process 7)", facts={}))
    found = fleet_of(runs, [parse_fleet_rule("longest gap=50%")], ("lowlat", "fleet", "report", "fleet"))
    return text(dataclasses.replace(found, version="0.1.0"))


def a_jitter() -> str:
    return text(
        Jitter(
            status="ok",
            mode="gaps",
            platform="KVM guest",
            started="2026-11-23T06:00:00.250000Z",
            duration_s=5.0,
            interval_ns=None,
            fifo=1,
            clock_hz=2e9,
            sources=("/proc/interrupts",),
            missing=("/proc/softirqs: Permission denied",),
            cpus=(
                CpuJitter(
                    cpu=3,
                    complete=True,
                    series=None,
                    watched_ns=4_990_000_000,
                    reading_ns=10_000_000,
                    threshold_ns=104.0,
                    typical_ns=13.0,
                    read_ns=20.5,
                    lost_ns=27_000,
                    lost_share=27_000 / 4_990_000_000,
                    unexplained=3,
                    causes=(
                        JitterCause(
                            cause="unexplained, every 1.00 ms",
                            gaps=2,
                            lost_ns=18_000,
                            p50_ns=9_000,
                            max_ns=9_000,
                            period_ns=999_998.1,
                        ),
                        JitterCause(cause="timer interrupt", gaps=2, lost_ns=8_500, p50_ns=4_000, max_ns=4_500),
                        JitterCause(cause="unexplained", gaps=1, lost_ns=500, p50_ns=500, max_ns=500),
                    ),
                    longest=(LongGap(at_ns=1_000, length_ns=4_500, cause="timer interrupt", moved=("LOC", "RCU x2")),),
                ),
                CpuJitter(cpu=4, complete=False, series=None, missed=7),
            ),
        )
    )


def a_capture() -> str:
    """A part of one file, one of several, and one that failed."""
    return text(
        Capture(
            version="0.1.0",
            started="2026-11-23T10:00:00Z",
            with_identity=False,
            parts=(
                CapturedPart(name="host", status="ok", reason=None, files=("lowlat/facts.json", "proc/cmdline")),
                CapturedPart(name="topology", status="ok", reason=None, files=("topology.json",)),
                CapturedPart(name="jitter", status="failed", reason="no memory", files=()),
            ),
        )
    )


def an_examination() -> str:
    """A check of each status: one that failed, with its fix and what was measured, and one that stands for others."""
    at = {"group": "processor", "threshold": "0", "consequence": "stalls", "stands_for": ()}
    nothing = {"measured": (), "fix": None, "reason": None, "owner": None, "observed": None}
    fix = Fix("echo 0 > /sys/x", ("echo 0 > /sys/x",), ("echo 1 > /sys/x",))
    measured = (MeasuredFigure(250.0, "timer interrupts a second on CPU 1"),)
    told = (
        {"id": "x", "title": "X", "status": "fail", "observed": "1", "source": "/x", "measured": measured, "fix": fix},
        {
            "id": "y",
            "title": "Y",
            "status": "not applicable",
            "source": "/y",
            "reason": "absent",
            "owner": "the kernel",
        },
        {"id": "z", "title": "Z", "status": "unknown", "source": "/z", "reason": "permission denied: é"},
        {"id": "v", "title": "V", "status": "info", "observed": "none", "source": "/v", "stands_for": ("u", "w")},
        {"id": "t", "title": "T", "status": "pass", "observed": "0", "source": "/t"},
    )
    return text(
        Examination(
            virtualization=Virtualization(
                known("KVM", "CPUID"), not_applicable("/.dockerenv", "nothing announces one")
            ),
            processor=known("A processor", "read from /proc/cpuinfo"),
            kernel_release=known("6.1.0", "uname"),
            profile="latency",
            live=True,
            isolated=(1, 3),
            window_s=1.25,
            findings=tuple(Finding(**{**at, **nothing, **each}) for each in told),
        )
    )


EXAMPLES: dict[str, Callable[[Path], str]] = {
    "lowlat.topology/1": lambda _: a_topology(),
    "lowlat.doctor/1": lambda _: an_examination(),
    "lowlat.jitter/1": lambda _: a_jitter(),
    "lowlat.fleet/1": lambda _: a_fleet(),
    "lowlat.capture/1": lambda _: a_capture(),
    "lowlat.rebuild/1": lambda _: a_rebuild(),
    "lowlat.replays/1": lambda _: replays(),
    "lowlat.memory/1": lambda _: a_memory(),
    "lowlat.cores/1": lambda _: a_cores(),
    "lowlat.ablation/1": lambda _: text(an_ablation()),
    "lowlat.conformance/1": lambda _: a_conformance(),
    "lowlat.calibration/1": lambda _: a_calibration(),
    "lowlat.affinity/1": lambda _: threads(),
    "lowlat.placement/1": lambda _: a_plan(),
    "lowlat.book/1": lambda _: a_book(),
    "lowlat.books/1": lambda _: books(),
    "lowlat.history/1": a_history,
    "lowlat.profiles/1": lambda _: profiles(),
    "lowlat.profile-check/1": lambda _: a_profile_check(),
    "lowlat.journal/1": a_check,
    "lowlat.journal-commands/1": a_dump,
    "lowlat.journal-compaction/1": a_compaction,
}


def example_of(name: str) -> Path:
    return HERE / file_of(name).replace(".schema", "")


def test_every_document_has_an_example() -> None:
    assert {document.name for document in DOCUMENTS} == EXAMPLES.keys() | IN_THEIR_OWN_TESTS


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_document_keeps_its_bytes(name: str, tmp_path: Path) -> None:
    assert EXAMPLES[name](tmp_path) == example_of(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_satisfies_its_schema_to_the_letter(name: str) -> None:
    document = json.loads(example_of(name).read_text(encoding="utf-8"))
    assert document["schema"] == name
    jsonschema.Draft202012Validator(published(name, closed=True)).validate(document)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_the_installed_schema_is_the_model_s(document: Any) -> None:
    """Run `make stubs` to publish a changed model."""
    assert files("lowlat").joinpath("schema", document.file).read_text(encoding="utf-8") == document.text


def test_nothing_else_is_installed() -> None:
    # An editable install shows the clone's folder `schema` here, too, which has no schema of a document.
    found = (each.name for each in files("lowlat").joinpath("schema").iterdir())
    installed = {name for name in found if name.endswith(".json")}
    assert installed == {document.file for document in DOCUMENTS}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_a_schema_is_valid_and_describes_every_field(document: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(document.schema)
    for name, definition in document.schema["$defs"].items():
        assert definition["description"], name
        for field, value in definition["properties"].items():
            described = "description" in value or "$ref" in value or "$ref" in value.get("items", {})
            assert described, f"{name}.{field} has no description"


READING = {"status": "known", "value": 1, "source": "x"}


@pytest.mark.parametrize(
    ("name", "value", "path"),
    [
        ("topology", "x", ("later",)),
        ("topology", {"status": "not applicable", "value": [], "source": "x", "reason": "y"}, ("nodes",)),
        ("topology", {"status": "unknown", "value": None, "source": "x"}, ("machine",)),
        ("topology", {"status": "odd", "value": "a", "source": "x"}, ("machine",)),
        ("topology", READING, ("machine",)),
        ("topology", [0, 0], ("cpu_sets", "offline")),
        ("topology", [-1], ("cpu_sets", "allowed")),
        ("topology", [], ("packages", 0, "dies")),
        ("topology", "Trace", ("caches", "value", 0, "type")),
        ("topology", 0, ("caches", "value", 0, "ways")),
        ("topology", {"x": 10}, ("nodes", "value", 0, "distances")),
        ("topology", "odd", ("nodes", "value", 0, "kind")),
        ("topology", 1.5, ("cache_line", "prefetch", "value", "upper_half_next_rate")),
        ("doctor", "ok", ("findings", 0, "status")),
        ("doctor", None, ("findings", 0, "observed")),
        ("doctor", "the kernel", ("findings", 0, "owner")),
        ("doctor", None, ("findings", 2, "reason")),
        ("doctor", "speed", ("profile",)),
        ("doctor", "250", ("findings", 0, "measured", 0, "value")),
        ("capture", "lost", ("parts", 0, "status")),
        ("capture", "memory", ("parts", 0, "name")),
        ("capture", "proc/cmdline", ("parts", 0, "files")),
        ("calibration", 999.0, ("frequency_hz",)),
        ("calibration", 128, ("scale", "shift")),
        ("calibration", 0, ("window_s",)),
        ("calibration", 2, ("points",)),
        ("calibration", [], ("candidates",)),
        ("affinity", 0, ("pid",)),
        ("affinity", READING, ("cpu_sets", "online")),
        ("placement", [], ("assignments",)),
        ("placement", -2, ("assignments", 0, "index")),
        ("book", 5, ("sequence",)),
        ("book", -1, ("bids", 0, "quantity")),
        ("books", None, ("books", 0, "unit")),
        ("profile-check", "bad", ("figures", 0, "verdict")),
        ("profile-check", -1, ("figures", 0, "distance")),
        ("profiles", "weekly", ("profiles", 0, "arrivals")),
        ("journal", "lifo", ("settings", "symbols", 0, "algorithm")),
        ("journal", "recycle", ("settings", "when_orders_dry")),
        ("journal", "sha256:0", ("recovered", "state")),
        ("journal", 1, ("version",)),
        ("journal", "whole", ("end", "state")),
        ("journal-commands", "lost", ("end", "state")),
        ("journal-commands", "AMEND", ("commands", 0, "kind")),
        ("journal-commands", ["HIDDEN"], ("commands", 0, "flags")),
        ("journal-commands", 7, ("commands", 0, "owner")),
    ],
)
def test_a_schema_refuses_what_the_document_cannot_hold(name: str, value: object, path: tuple[Any, ...]) -> None:
    document = json.loads(example_of(f"lowlat.{name}/1").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(published(f"lowlat.{name}/1"))
    validator.validate(document)
    changed = part = copy.deepcopy(document)
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(changed)


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_field_may_be_missing(name: str) -> None:
    document = json.loads(example_of(name).read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(published(name))
    for field in document.keys() - {"cache_line", "level_latencies"}:
        with pytest.raises(jsonschema.ValidationError):
            validator.validate({key: value for key, value in document.items() if key != field})

"""Output for unusual hosts: disagreements are visible, missing values have a reason, and nothing is omitted."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterable

import pytest
from rich.console import Console, RenderableType

from lowlat.probes.cache_line import CacheLine, Prefetch, ReportedLine
from lowlat.probes.clock.counter import Calibration, CounterSkew, NtpSlew, calibrate_quick
from lowlat.probes.cpu.cpu_sets import cpu_sets
from lowlat.probes.cpu.placement import Assignment, Plan
from lowlat.probes.cpu.threads import ThreadAffinity
from lowlat.probes.host.cgroup import CpuQuota
from lowlat.probes.host.virtualization import Virtualization
from lowlat.probes.memory.level_latency import LevelLatency
from lowlat.probes.reading import known, not_applicable, unknown
from lowlat.probes.topology import Cache, CoreKind, HugePages, Interrupt, Node, Topology, read_topology
from lowlat_cli.views import layout
from lowlat_cli.views.affinity import plan_view, threads_view
from lowlat_cli.views.cache_line import cache_line_view
from lowlat_cli.views.calibration import calibration_view
from lowlat_cli.views.interrupts import interrupts_view
from lowlat_cli.views.level_latency import level_latency_view
from lowlat_cli.views.numa_nodes import numa_view
from lowlat_cli.views.topology import topology_view
from tests.hostile import HOSTILE, SHOWN, assert_harmless, hostile_copy


def text(view: Iterable[RenderableType]) -> str:
    """The output of a view, with repeated blanks collapsed: columns are as wide as this host's values."""
    console = Console(file=io.StringIO(), width=200, color_system=None)
    console.print(*view, sep="\n", highlight=False)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(" ".join(line.split()) for line in console.file.getvalue().splitlines())


def shown(view: Iterable[RenderableType]) -> str:
    """The unchanged output of a view, on a wide console."""
    console = Console(file=io.StringIO(), width=20_000, color_system=None)
    console.print(*view, sep="\n", highlight=False)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


HOST = read_topology()
CLOCK = calibrate_quick()
UNKNOWN = unknown(HOSTILE, HOSTILE)
LINE = CacheLine(
    reported=(
        ReportedLine("sysfs", known(64, "sysfs")),
        ReportedLine("ctr_el0", not_applicable("CTR_EL0", "this is not aarch64 Linux")),
        ReportedLine("getconf", unknown("getconf", "it prints 0")),
    ),
    flush_granule_bytes=known(64, "flush"),
    flush_times_ns={32: 150.0, 64: 20.0, 128: 20.5},
    sharing_granule_bytes=known(64, "sharing"),
    sharing_times_ns={32: 9.0, 64: 2.0, 128: 2.0},
    sharing_cpus=(3, 1),
    sharing_slices_dropped=1,
    prefetch=known(Prefetch(True, False, False, 0.0, 1.0, 0.9, 0.1), "measured"),
)


PLAN = Plan(
    (Assignment("matcher", 0, 2, 0, ("a core of its own",), ("it takes interrupts",)),), 0, ("the host is busy",)
)
CPU = ThreadAffinity(7, "matcher", (2,), 2, "fifo", 5, (0,))


@pytest.mark.parametrize(
    "view",
    [
        topology_view(hostile_copy(HOST)),
        topology_view(hostile_copy(dataclasses.replace(HOST, core_kinds=(CoreKind("big", (0,), "capacity 1024"),)))),
        topology_view(
            dataclasses.replace(
                HOST, cpu_quota=UNKNOWN, cpu_brand=UNKNOWN, caches=UNKNOWN, nodes=UNKNOWN, memory_total_bytes=UNKNOWN
            )
        ),
        cache_line_view(hostile_copy(LINE)),
        cache_line_view(dataclasses.replace(LINE, prefetch=UNKNOWN)),
        level_latency_view(UNKNOWN),
        calibration_view(hostile_copy(dataclasses.replace(CLOCK, notes=("steered",), slew=UNKNOWN, skews=UNKNOWN))),
        plan_view(hostile_copy(PLAN), dataclasses.replace(HOST, nodes=UNKNOWN)),
        threads_view(7, [hostile_copy(CPU)], dataclasses.replace(HOST.cpu_sets, isolated=UNKNOWN, cpuset=UNKNOWN)),
    ],
)
def test_what_a_host_says_does_nothing_to_the_terminal(view: Iterable[RenderableType]) -> None:
    seen = shown(view)
    assert SHOWN in seen
    assert_harmless(seen)


def topology(**changes: object) -> Topology:
    return dataclasses.replace(HOST, **changes)  # type: ignore[arg-type]


def calibration(**changes: object) -> Calibration:
    return dataclasses.replace(CLOCK, **changes)  # type: ignore[arg-type]


# --- cache line ---


def test_sources_stand_side_by_side() -> None:
    shown = text(cache_line_view(LINE))
    assert "sysfs 64 reported: sysfs" in shown
    assert "getconf - not available here, because it prints 0" in shown
    assert "ctr_el0" not in shown  # another processor's register
    assert "a load takes 150 ns at 32 bytes, 20-20.5 ns at 64-128 bytes from the flushed word" in shown
    assert "(CPUs 3 and 1; 1 interrupted slice dropped)" in shown
    assert "verdict 64 bytes: 1 reported source and 2 measurements agree" in shown
    assert "adjacent line yes: keep data that two threads write 128 bytes apart" in shown
    assert "next line no" in shown


def test_disagreement_is_the_verdict() -> None:
    other = dataclasses.replace(LINE, reported=(ReportedLine("sysfs", known(128, "sysfs")),))
    assert "verdict 64 bytes, BUT sysfs says 128 bytes, not 64" in text(cache_line_view(other))


def test_nothing_known_is_said() -> None:
    nothing = CacheLine((), unknown("a", "b"), {}, unknown("c", "d"), {}, (), 0, not_applicable("e", "no flush"))
    shown = text(cache_line_view(nothing))
    assert "verdict unknown" in shown
    assert "prefetch not available here, because no flush" in shown


def test_levels_have_their_latency_beside_their_size() -> None:
    levels = (
        LevelLatency("L1d", 48 << 10, 24 << 10, 3, "huge", 1.5, 1.75),
        LevelLatency("memory", None, 128 << 20, 3, "base", 90.0, 95.0),
    )
    shown = text(level_latency_view(known(levels, "measured")))
    assert "L1d 48 KiB 24 KiB 1.50 ns 1.75 ns CPU 3, huge pages" in shown
    assert "memory - 128 MiB 90 ns 95 ns CPU 3, base pages" in shown
    assert "latency not available here, because no" in text(level_latency_view(unknown("a", "no memory")))


# --- topology ---


def test_hypervisor_is_named_in_the_first_line_with_what_that_means() -> None:
    guest = topology(virtualization=Virtualization(known("KVM", "x"), known("Docker", "x")))
    first, second = text(topology_view(guest)).splitlines()[:2]
    assert first == "platform KVM guest, Docker container"
    assert "guest view" in second
    bare = topology(virtualization=Virtualization(not_applicable("x", "y"), not_applicable("x", "y")))
    assert "guest view" not in text(topology_view(bare))


@pytest.mark.parametrize(
    ("quota", "words"),
    [
        (CpuQuota(1.5, 150_000, 100_000), "1.5 CPUs: 150 ms in every 100 ms, then throttled until the next"),
        (CpuQuota(None, None, 100_000), "no limit"),
    ],
)
def test_quota_in_words(quota: CpuQuota, words: str) -> None:
    assert f"quota {words}" in text(topology_view(topology(cpu_quota=known(quota, "x"))))


def nodes(count: int) -> tuple[Node, ...]:
    """Node 0 has CPU 0, the others have memory only, and no node can reach another."""
    pages = (HugePages(2 << 20, 4, 1),)

    def node(number: int) -> Node:
        distances = {other: 10 if other == number else 255 for other in range(count)}
        return Node(
            number, "memory only" if number else "cpus and memory", (0,)[number:], 1 << 30, None, distances, pages
        )

    return tuple(map(node, range(count)))


def test_distances_are_a_matrix_or_grouped() -> None:
    few = text(topology_view(topology(nodes=known(nodes(2), "x"))))
    assert "1 none 1 GiB ? memory only, 4 huge pages of 2 MiB (1 free)" in few
    assert "distance to 0 1\nfrom 0 10 none\nfrom 1 none 10" in few
    many = text(topology_view(topology(nodes=known(nodes(12), "x"))))
    assert "from 0-11 10: itself · no path: each other" in many
    assert "1-11 none 1 GiB ? memory only" in many


def blades(count: int) -> tuple[Node, ...]:
    """Nodes of eight CPUs each, in blades of four."""

    def distance(one: int, other: int) -> int:
        return 10 if one == other else 13 if one // 4 == other // 4 else 40

    return tuple(
        Node(
            number,
            "cpus and memory",
            tuple(range(8 * number, 8 * number + 8)),
            64 << 30,
            21 << 30,
            {other: distance(number, other) for other in range(count)},
            (),
        )
        for number in range(count)
    )


def narrow(view: Iterable[RenderableType]) -> list[str]:
    console = Console(file=io.StringIO(), width=80, color_system=None)
    console.print(*view, sep="\n", highlight=False)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_eight_nodes_keep_all_columns_at_80_columns() -> None:
    lines = narrow(topology_view(topology(nodes=known(blades(8), "x"))))
    assert "7             56-63  64 GiB  21 GiB" in lines
    assert "distance to    0   1   2   3   4   5   6   7" in lines
    assert "from 7        40  40  40  40  13  13  13  10" in lines
    assert max(map(len, lines)) <= 80 and not any("…" in line for line in lines)


def test_36_nodes_take_a_line_each_and_a_line_for_each_blade() -> None:
    lines = narrow(numa_view(known(blades(36), "x")))
    assert "from 4-7      10: itself · 13: each other · 40: 0-3,8-35" in lines
    assert len(lines) == (1 + 36) + (1 + 9)


def test_nodes_with_distances_of_their_own_are_not_merged() -> None:
    odd = list(blades(12))
    odd[5] = dataclasses.replace(odd[5], distances={**odd[5].distances, 5: 11})
    odd[6] = dataclasses.replace(odd[6], distances={**odd[6].distances, 0: 41})
    lines = narrow(numa_view(known(tuple(odd), "x")))
    assert "from 4,7      10: itself · 13: each other, 5-6 · 40: 0-3,8-11" in lines
    assert "from 5        11: itself · 13: 4,6-7 · 40: 0-3,8-11" in lines
    assert "from 6        10: itself · 13: 4-5,7 · 40: 1-3,8-11 · 41: 0" in lines


def test_nodes_that_do_not_know_their_distances() -> None:
    dark = tuple(dataclasses.replace(node, distances={}) for node in blades(12))
    assert "from 0-11     ?" in narrow(numa_view(known(dark, "x")))


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([(0,), (1,), (2,), (3,)], "0 to 3"),
        ([(0, 4), (1, 5), (2, 6)], "0,4 to 2,6"),
        ([(0, 1), (2, 3), (4, 5)], "0-1 to 4-5"),
        ([(0, 1), (2, 3)], "0-1 | 2-3"),
        ([(0, 4), (2, 6), (4, 8)], "0,4 | 2,6 | 4,8"),  # steps that leave CPUs out
        ([(0,), (1,), (2,), (8, 9), (10, 11), (12, 13), (20,)], "0 to 2 | 8-9 to 12-13 | 20"),
        ([], ""),
    ],
)
def test_groups_that_go_on_are_short(groups: list[tuple[int, ...]], words: str) -> None:
    assert layout.groups(groups) == words


def test_groups_of_a_shared_cache_are_listed_in_full() -> None:
    """Of each core's own, the first and the last say all; of a shared one, the groups are what one looks for."""
    instances = tuple((2 * at, 2 * at + 1) for at in range(8))
    shared = (Cache(3, "Unified", 1 << 20, 64, 16, 1024, instances),)
    alone = dataclasses.replace(HOST, packages=())  # each CPU is a core
    assert "8 0-1 | 2-3 | 4-5 | 6-7 | 8-9 | 10-11 | 12-13 | 14-15" in text(
        topology_view(dataclasses.replace(alone, caches=known(shared, "x")))
    )


def test_a_row_for_each_device_shows_where_all_its_interrupts_go() -> None:
    queues = [Interrupt(30 + at, f"nvme0q{at}", (at,)) for at in range(4)]
    pairs = [Interrupt(40 + at, f"eth0-TxRx-{at}", (at % 2,)) for at in range(3)]
    comp = [Interrupt(50 + at, f"mlx5_comp{at}@pci:0000:01:00.0", (0, 1)) for at in range(2)]
    found = text([interrupts_view(known((Interrupt(9, "acpi", (0, 1)), *queues, *pairs, *comp), "x"))])
    assert found.splitlines()[1:] == ["acpi 1 0-1", "nvme0 4 0 to 3", "eth0 3 0 | 1 | 0", "mlx5_comp 2 0-1"]
    keys = (Interrupt(1, "i8042", (0,)), Interrupt(12, "i8042", (1,)), Interrupt(4, "ttyS0", (0,)))
    assert "i8042 2 0 | 1\nttyS0 1 0" in text([interrupts_view(known(keys, "x"))])
    assert "unused 1 3" in text([interrupts_view(known((Interrupt(9, None, (3,)),), "x"))])
    assert "because denied" in text([interrupts_view(unknown("x", "denied"))])


def test_unknown_cache_size_is_a_question_mark() -> None:
    caches = (Cache(2, "Unified", None, None, None, None, tuple((cpu,) for cpu in range(6))),)
    shown = text(topology_view(topology(caches=known(caches, "x"))))
    assert "L2 unified ? ? ? ? 6 0 to 5" in shown


def test_kinds_of_cores_huge_pages_and_warnings_are_shown() -> None:
    odd = topology(
        core_kinds=(CoreKind("performance", (0,), "read from x"), CoreKind("efficiency", (1,), "read from y")),
        huge_pages=(HugePages(2 << 20, 8, 3), HugePages(1 << 30, 0, 0)),
        warnings=("masks disagree (here)", "rows are short"),
    )
    shown = text(topology_view(odd))
    assert "CPU 0 (performance" in shown or len(HOST.cores) > 16
    assert "performance CPU 0, read from x" in shown
    assert "huge pages 8 of 2 MiB (3 free), no 1 GiB pages reserved" in shown
    assert "warning masks disagree (here)\nrows are short" in shown


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (None, "?"),
        (0, "0 B"),
        (32 << 10, "32 KiB"),
        (1280 << 10, "1280 KiB"),
        (25 << 30, "25 GiB"),
        (25_276_514_304, "23.5 GiB"),
    ],
)
def test_sizes_are_whole_where_they_are(count: int | None, words: str) -> None:
    assert layout.size(count) == words


# --- calibration ---


def test_skew_beyond_its_bound_and_warps_are_told() -> None:
    skews = (CounterSkew(0, 1, 500.0, 40.0, 200, 3), CounterSkew(0, 2, 5.0, 40.0, 200, 0))
    shown = text(calibration_view(calibration(skews=known(skews, "x"))))
    assert "skew 1 of 2 pairs outside the error bound · 3 warps" in shown
    assert "CPU 1 minus CPU 0: +500.0 ns, error bound ± 40.0 ns from 200 round trips" in shown


def test_of_many_pairs_the_worst_are_shown() -> None:
    skews = tuple(CounterSkew(0, cpu, float(cpu), 100.0, 200, 0) for cpu in range(1, 32))
    shown = text(calibration_view(calibration(skews=known(skews, "x"))))
    assert "CPU 31 minus CPU 0" in shown and "CPU 1 less" not in shown
    assert "and 23 more pairs with smaller skew; --json has all" in shown


def test_what_the_platform_lacks_says_why() -> None:
    lacking = calibration(
        costs=dataclasses.replace(CLOCK.costs, rdtscp_ns=not_applicable("x", "this processor is not x86-64")),
        flags=dataclasses.replace(CLOCK.flags, constant=not_applicable("x", "no line of flags")),
        slew=not_applicable("adjtimex", "Function not implemented"),
        backward_reads=2,
    )
    shown = text(calibration_view(lacking))
    assert "rdtscp - not available here, because this processor is not x86-64" in shown
    assert "constant ?" in shown and "constant: not available here, because no line of flags" in shown
    assert "NTP slew not available here, because Function not implemented" in shown
    assert "2 reads WENT BACKWARD" in shown


def test_steered_clock_shows_its_slew() -> None:
    shown = text(calibration_view(calibration(slew=known(NtpSlew(-12.5, 10_001, True), "adjtimex"))))
    assert "NTP slew -12.500 ppm, a tick of 10001 µs, synchronized" in shown


# --- plan ---


def test_plan_tells_for_and_against() -> None:
    proposal = Plan(
        (
            Assignment("matcher", -1, 0, None, ("no SMT sibling in use",), ()),
            Assignment("io", 1, 0, None, (), ("shared with matcher: 1 CPU available",)),
        ),
        None,
        ("no available CPU is isolated",),
    )
    host = topology(nodes=not_applicable("x", "the kernel shows no NUMA nodes"))
    shown = text(plan_view(proposal, host))
    assert "no SMT sibling in use" in shown
    assert "io[1]" in shown and "but shared with matcher" in shown
    assert "memory not available here, because the kernel shows no NUMA nodes" in shown
    assert "warning no available CPU is isolated" in shown


# --- the sets that a choice is among ---


def test_inherited_affinity_binds_neither_us_nor_others() -> None:
    sets = dataclasses.replace(
        cpu_sets(),
        online=known((0, 1, 2), "x"),
        affinity=known((0,), "x"),
        cpuset=known((0, 1), "x"),
        isolated=known((), "x"),
    )
    assert sets.allowed == (0,)
    assert sets.beyond_affinity.allowed == (0, 1)
    assert sets.of_another_process.allowed == (0, 1, 2)

"""The processor's events in passes: counted here by the kernel's own events, which every Linux has."""

from __future__ import annotations

import dataclasses
import errno
import os
from types import SimpleNamespace
from typing import Any

import pytest

from lowlat.engine import Engine, _core, load_profile, synthetic_flow
from lowlat.engine.bench.pass_counters import BUSY, PassCounters, per_command
from lowlat.engine.bench.passes import Pass
from lowlat.probes.cpu import hardware_events as hardware_events_module
from lowlat.probes.cpu.hardware_events import HARDWARE_EVENTS, HARDWARE_GROUPS, hardware_events, why_not_counted
from lowlat.probes.host.host_tree import ArchiveTree
from lowlat.reports.model.results import HARDWARE_COUNTERS, HardwareCounters
from tests.faults.rights import Denied, without_calls

KERNEL_EVENTS = {"cycles": (1, 1), "instructions": (1, 2), "branch_misses": (1, 3)}
"""Task clock, page faults, context switches in place of the processor's."""
KERNEL_GROUPS = (("cycles", "instructions"), ("cycles", "branch_misses"))
NO_EVENT = (1, 1 << 40)


def counters(**others: tuple[int, int]) -> PassCounters:
    made = PassCounters(KERNEL_EVENTS | others, KERNEL_GROUPS)
    if errno.EACCES in made.errors or errno.EPERM in made.errors:
        pytest.skip("perf_event_open is forbidden here")
    return made


def measured_pass() -> _core.Pass:
    flow = synthetic_flow(load_profile("steady"), 20_000, 1)
    engine = Engine(orders=flow.orders)
    return _core.run_batched(engine.matcher, flow.commands)


def test_each_repeat_counts_its_group_and_only_inside_the_pass() -> None:
    made = counters()
    for repeat, (_, other) in enumerate(KERNEL_GROUPS * 2):
        made.choose(repeat)
        native, counts = made.count(measured_pass)
        assert set(counts) == {"cycles", other}
        assert 0 < counts["cycles"] <= native.perf.enabled_ns + 1_000_000
        assert native.cpu_ns * 0.5 < counts["cycles"] < native.cpu_ns * 2  # the task clock is its CPU time
    assert measured_pass().perf.error == errno.ENODATA


def test_an_event_that_the_processor_lacks_is_left_out_and_the_others_are_counted() -> None:
    made = counters(cycles=NO_EVENT)
    _, counts = made.count(measured_pass)
    assert set(counts) == {"instructions"}


def test_without_any_event_the_reason_is_told() -> None:
    made = counters(cycles=NO_EVENT, instructions=NO_EVENT, branch_misses=NO_EVENT)
    _, counts = made.count(measured_pass)
    assert not counts
    assert "no counters for programs" in made.why_absent


@pytest.mark.parametrize("reading", [{"error": errno.EIO}, {"running_ns": 9}, {"running_ns": 0, "enabled_ns": 0}])
def test_a_pass_that_was_counted_in_part_has_no_counts(reading: dict[str, int]) -> None:
    """Ratios scaled up from a part of a pass would look as good as counted ones."""
    whole: dict[str, Any] = {"error": 0, "enabled_ns": 10, "running_ns": 10, "counts": [500, 700] + [0] * 6}
    made = counters()
    given: Any = SimpleNamespace(perf=SimpleNamespace(**whole))
    assert made.count(lambda: given)[1] == {"cycles": 500, "instructions": 700}
    given = SimpleNamespace(perf=SimpleNamespace(**whole | reading))
    assert made.count(lambda: given)[1] == {}
    assert made.why_absent == BUSY


def test_figures_are_medians_over_the_passes_that_counted_them() -> None:
    blank = Pass(
        commands=10,
        events=10,
        wall_ns=1,
        cpu_ns=1,
        off_cpu_ns=0,
        allocations=0,
        minor_faults=0,
        major_faults=0,
        voluntary_switches=0,
        involuntary_switches=0,
    )
    counted = [{"cycles": 100, "l1d_misses": 5}, {"cycles": 900}, {"cycles": 110, "l1d_misses": 15}, {}]
    found = per_command([dataclasses.replace(blank, counts=counts) for counts in counted])
    assert found == HardwareCounters(**dict.fromkeys(HARDWARE_COUNTERS) | {"cycles": 11.0, "l1d_misses": 1.0})
    assert per_command([blank, blank]) is None


def test_two_names_of_one_event_share_a_counter() -> None:
    made = PassCounters(KERNEL_EVENTS | {"page_walks": KERNEL_EVENTS["cycles"]}, (("cycles", "page_walks"),))
    if any(made.errors):
        pytest.skip("perf_event_open is forbidden here")
    _, counts = made.count(measured_pass)
    assert len(made.errors) == 1 and counts["cycles"] == counts["page_walks"] > 0


def test_every_figure_of_a_report_has_an_event_and_a_group() -> None:
    names = {*HARDWARE_EVENTS, "page_walks"}
    assert names == set(HARDWARE_COUNTERS) == {name for group in HARDWARE_GROUPS for name in group}


def processor(cpuinfo: str, *events: str) -> ArchiveTree:
    named = {f"sys/bus/event_source/devices/armv8_pmuv3_0/events/{event}": b"event=0x0034\n" for event in events}
    return ArchiveTree("", {"proc/cpuinfo": cpuinfo.encode(), **named}, {}, ["sys/bus/event_source/devices"])


@pytest.mark.parametrize(
    ("tree", "walks"),
    [
        (processor("processor\t: 0\nvendor_id\t: GenuineIntel\n"), HARDWARE_EVENTS["dtlb_misses"]),
        (processor("processor\t: 0\nvendor_id\t: AuthenticAMD\n"), HARDWARE_EVENTS["dtlb_misses"]),
        (processor("CPU implementer\t: 0x41\n", "cpu_cycles", "dtlb_walk"), (4, 0x34)),
        (processor("CPU implementer\t: 0x41\n", "cpu_cycles"), None),
        (processor("processor\t: 0\nvendor_id\t: CentaurHauls\n"), None),
        (processor(""), None),
    ],
    ids=["Intel", "AMD", "Arm", "Arm without walks", "another", "unknown"],
)
def test_page_walks_are_counted_where_the_event_is_known(tree: ArchiveTree, walks: tuple[int, int] | None) -> None:
    assert hardware_events(tree).get("page_walks") == walks


@pytest.mark.parametrize(("error", "why"), [(errno.EPERM, "forbid"), (errno.ENOSYS, "a sandbox hides them")])
def test_a_sandbox_that_forbids_counters_is_named(error: int, why: str) -> None:
    """By a seccomp filter, in a process of its own: a filter stays."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        without_calls(Denied("perf_event_open", error))()
        os.write(write_end, PassCounters().why_absent.encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as told:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        said = told.read()
    assert said.startswith("not available here, because ") and why in said


@pytest.mark.parametrize(
    ("level", "advice"), [("2", "--cap-add PERFMON"), ("-1", "PERFMON"), ("3", "sysctl -w"), (None, "sysctl -w")]
)
def test_advice_fits_what_forbids(level: str | None, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {} if level is None else {"proc/sys/kernel/perf_event_paranoid": level.encode()}
    monkeypatch.setattr(hardware_events_module, "LIVE", ArchiveTree("", files, {}))
    assert advice in why_not_counted([errno.EACCES])


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (errno.ENOENT, "no PMU"),
        (errno.ENOSYS, "the kernel has no performance events"),
        (errno.EMFILE, "Too many open files"),
    ],
)
def test_why_nothing_is_counted(error: int, why: str) -> None:
    assert why_not_counted([0, error]).startswith("not available here, because ")
    assert why in why_not_counted([0, error])

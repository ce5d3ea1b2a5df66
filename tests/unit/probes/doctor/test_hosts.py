"""Whole hosts: each of the checks on tuned and untuned bare metal, in a guest and in a container."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lowlat.probes.doctor.examination import examine_tree
from lowlat.probes.doctor.finding import STATUSES
from lowlat.probes.doctor.registry import all_checks
from tests.unit.probes.doctor.hosts import (
    CONTAINER,
    GUEST,
    TUNED,
    UNTUNED,
    UNTUNED_ANSWERS,
    UNTUNED_LATER,
    examined,
    tree_of,
)

EXPECTED_TUNED = {
    "info": "idle-parameters mitigations threaded-irqs huge-pages cache-partitioning timer-slack nic-rings "
    "process-limits hypervisor",
    "not applicable": "guest-halt-polling smi steal ballooning guest-topology paravirtual-helpers",
    "pass": "frequency-governor energy-preference energy-bias minimum-frequency turbo thermal-throttling "
    "real-frequency platform-profile c-states latency-request cpu-latency-request smt isolated-cpus nohz-full "
    "rcu-callbacks workqueues other-tasks cpu-quota allowed-cpus cpu-pressure rt-throttling preemption "
    "watchdogs timer-migration vmstat-interval autogroup tick-parameters tracing debug-kernel irqbalance "
    "default-irq-affinity irq-affinity interrupts machine-check-polling packet-steering "
    "transparent-huge-pages thp-defrag ksm numa-balancing swap memory-lock-limit zone-reclaim compaction "
    "memory-stalls dirty-writeback node-locality clock-source tsc-flags clock-read-cost tsc-synchronization "
    "kernel-clock-verdict time-synchronization interrupt-coalescing receive-offload busy-polling "
    "nic-interrupts pcie-power tcp-idle-restart real-time-priority affinity-right measuring-rights "
    "processor-identity",
}
EXPECTED_UNTUNED = {
    "fail": "frequency-governor thermal-throttling c-states latency-request transparent-huge-pages ksm numa-balancing "
    "swap memory-lock-limit clock-read-cost",
    "warn": "energy-preference energy-bias minimum-frequency real-frequency smt cpu-pressure rt-throttling preemption "
    "watchdogs vmstat-interval tracing irqbalance thp-defrag zone-reclaim compaction memory-stalls "
    "dirty-writeback tsc-synchronization kernel-clock-verdict time-synchronization timer-slack "
    "interrupt-coalescing receive-offload busy-polling pcie-power real-time-priority",
    "info": "turbo platform-profile cpu-latency-request idle-parameters mitigations isolated-cpus autogroup "
    "tick-parameters debug-kernel huge-pages nic-interrupts nic-rings tcp-idle-restart measuring-rights "
    "process-limits hypervisor processor-identity",
    "not applicable": "guest-halt-polling smi steal ballooning cache-partitioning guest-topology paravirtual-helpers",
    "pass": "cpu-quota allowed-cpus node-locality clock-source tsc-flags affinity-right",
}
EXPECTED_GUEST = {
    "warn": "guest-halt-polling",
    "info": "idle-parameters isolated-cpus tick-parameters huge-pages ballooning timer-slack nic-rings "
    "measuring-rights process-limits hypervisor guest-topology paravirtual-helpers",
    "unknown": "c-states smt cpu-pressure preemption tracing debug-kernel",
    "not applicable": "frequency-governor energy-preference energy-bias minimum-frequency turbo thermal-throttling "
    "platform-profile cpu-latency-request smi mitigations rt-throttling watchdogs vmstat-interval autogroup "
    "thp-defrag ksm numa-balancing zone-reclaim compaction dirty-writeback node-locality cache-partitioning "
    "busy-polling nic-interrupts pcie-power tcp-idle-restart",
    "pass": "real-frequency latency-request cpu-quota allowed-cpus steal irqbalance transparent-huge-pages swap "
    "memory-lock-limit memory-stalls clock-source tsc-flags clock-read-cost tsc-synchronization "
    "kernel-clock-verdict time-synchronization interrupt-coalescing receive-offload real-time-priority "
    "affinity-right processor-identity",
}
EXPECTED_CONTAINER = {
    "fail": "frequency-governor cpu-quota transparent-huge-pages ksm numa-balancing swap",
    "warn": "energy-preference energy-bias minimum-frequency smt rt-throttling watchdogs vmstat-interval tracing "
    "thp-defrag zone-reclaim compaction dirty-writeback busy-polling pcie-power",
    "info": "turbo platform-profile cpu-latency-request idle-parameters mitigations isolated-cpus autogroup "
    "tick-parameters debug-kernel huge-pages timer-slack nic-interrupts nic-rings tcp-idle-restart "
    "measuring-rights process-limits hypervisor",
    "unknown": "preemption irqbalance",
    "not applicable": "guest-halt-polling smi steal ballooning cache-partitioning guest-topology paravirtual-helpers",
    "pass": "thermal-throttling real-frequency c-states latency-request allowed-cpus cpu-pressure memory-lock-limit "
    "memory-stalls node-locality clock-source tsc-flags clock-read-cost tsc-synchronization "
    "kernel-clock-verdict time-synchronization interrupt-coalescing receive-offload real-time-priority "
    "affinity-right processor-identity",
}


def statuses(found: Any) -> dict[str, str]:
    return {
        status: " ".join(finding.id for finding in found.findings if finding.status == status)
        for status in STATUSES
        if found.count(status)
    }


@pytest.mark.parametrize(
    ("files", "expected", "live"),
    [
        (TUNED, EXPECTED_TUNED, {}),
        (UNTUNED, EXPECTED_UNTUNED, {"later": dict(UNTUNED_LATER), **UNTUNED_ANSWERS}),
        (GUEST, EXPECTED_GUEST, {}),
        (CONTAINER, EXPECTED_CONTAINER, {}),
    ],
    ids=["tuned", "untuned", "guest", "container"],
)
def test_every_check(tmp_path: Path, files: Any, expected: dict[str, str], live: dict[str, Any]) -> None:
    assert statuses(examined(tree_of(tmp_path, files), **live)) == expected


def test_a_capture_of_the_tuned_host_passes_what_files_tell_and_nothing_else(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, TUNED)
    captured = {finding.id: finding for finding in examine_tree(tree).findings}
    differing = {
        name: captured[name] for name, finding in by_id(tree).items() if captured[name].status != finding.status
    }
    assert {finding.status for finding in differing.values()} == {"unknown"}
    assert {finding.reason for finding in differing.values()} == {"not available in a capture; run it on the host"}
    assert {
        "steal",
        "real-frequency",
        "memory-lock-limit",
        "real-time-priority",
        "tsc-synchronization",
    } & captured.keys() - differing.keys() == {
        "steal"  # not applicable on bare metal
    }
    assert captured["frequency-governor"].status == "pass"


def by_id(tree: Any) -> dict[str, Any]:
    return {finding.id: finding for finding in examined(tree).findings}


def test_there_are_77_checks_with_ids_for_anchors() -> None:
    """The 76 of the list, and that of the sources about the processor."""
    ids = [check.id for checks in all_checks().values() for check in checks]
    assert len(ids) == len(set(ids)) == 77
    assert all(name == name.lower() and name.replace("-", "").isalnum() for name in ids)


def test_every_wrong_value_has_its_path_threshold_consequence_and_fix(tmp_path: Path) -> None:
    found = examined(tree_of(tmp_path, UNTUNED), later=dict(UNTUNED_LATER), **UNTUNED_ANSWERS)
    wrong = [finding for finding in found.findings if finding.status in ("warn", "fail")]
    assert len(wrong) > 30
    for finding in wrong:
        assert finding.observed and finding.source and finding.threshold and finding.consequence, finding
        assert finding.fix is not None and finding.fix.summary, finding
        assert len(finding.fix.commands) == len(finding.fix.undo), finding


def test_what_is_absent_has_an_owner_and_what_is_unknown_a_reason(tmp_path: Path) -> None:
    for number, files in enumerate((TUNED, UNTUNED, GUEST, CONTAINER)):
        for finding in examined(tree_of(tmp_path / str(number), files)).findings:
            assert (finding.owner is not None) == (finding.status == "not applicable"), finding
            assert finding.reason or finding.status not in ("not applicable", "unknown"), finding


def test_the_hypervisor_owns_what_a_guest_does_not_have(tmp_path: Path) -> None:
    found = {finding.id: finding.owner for finding in examined(tree_of(tmp_path, GUEST)).findings}
    assert found["frequency-governor"] == "the hypervisor (KVM): ask who runs the host"
    assert found["vmstat-interval"] == "the kernel, which is built or booted without it"


def test_without_isolated_cpus_one_info_stands_for_all_checks_of_them(tmp_path: Path) -> None:
    found = examined(tree_of(tmp_path, UNTUNED), later=dict(UNTUNED_LATER)).findings
    one = next(finding for finding in found if finding.stands_for)
    assert (one.id, one.status, one.observed) == ("isolated-cpus", "info", "no CPU is isolated")
    assert one.stands_for == (
        *("nohz-full", "rcu-callbacks", "workqueues", "other-tasks", "timer-migration"),
        *(
            "default-irq-affinity",
            "irq-affinity",
            "interrupts",
            "machine-check-polling",
            "threaded-irqs",
            "packet-steering",
        ),
    )
    assert [measurement.text for measurement in one.measured] == ["250 timer interrupts a second on CPU 0"]
    assert not set(one.stands_for) & {finding.id for finding in found}


def test_cpus_of_the_user_are_judged_as_isolated_ones(tmp_path: Path) -> None:
    found = {each.id: each for each in examined(tree_of(tmp_path, UNTUNED), chosen=(2, 3)).findings}
    assert found["isolated-cpus"].status == "fail"
    assert found["nohz-full"].observed == "nohz_full is empty"
    assert found["default-irq-affinity"].fix is not None
    assert found["default-irq-affinity"].fix.commands == ("echo 3 > /proc/irq/default_smp_affinity",)
    assert found["other-tasks"].observed == "irqbalance (30) on CPU 3"

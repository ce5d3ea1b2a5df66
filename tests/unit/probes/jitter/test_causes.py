"""The cause of a gap is the counter that explains the others; a ranking that takes the first one is rejected."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowlat.probes.jitter import gaps
from lowlat.probes.jitter.causes import CounterKind, KernelCounter

THREAD, INTERRUPT, SOFTIRQ, STEAL = CounterKind.THREAD, CounterKind.INTERRUPT, CounterKind.SOFTIRQ, CounterKind.STEAL
COUNTERS = (
    KernelCounter(THREAD, "voluntary switches", ""),
    KernelCounter(THREAD, "involuntary switches", ""),
    KernelCounter(THREAD, "minor faults", ""),
    KernelCounter(THREAD, "major faults", ""),
    KernelCounter(STEAL, "steal", ""),
    KernelCounter(INTERRUPT, "36", "PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0"),
    KernelCounter(INTERRUPT, "LOC", "Local timer interrupts"),
    KernelCounter(INTERRUPT, "CAL", "Function call interrupts"),
    KernelCounter(INTERRUPT, "TLB", "TLB shootdowns"),
    KernelCounter(INTERRUPT, "27", "GICv3  27 Level     arch_timer"),
    KernelCounter(INTERRUPT, "40", ""),
    KernelCounter(SOFTIRQ, "SCHED", ""),
)
BY_LABEL = {counter.label: at for at, counter in enumerate(COUNTERS)}

EXPECTED = [
    ((), None),
    (("SCHED", "LOC"), "timer interrupt"),
    (("SCHED", "27"), "timer interrupt"),
    (("LOC", "SCHED", "involuntary switches"), "another thread"),
    (("LOC", "36"), "interrupt 36 (virtio1-req.0)"),
    (("40",), "interrupt 40 (no name)"),
    (("LOC", "TLB"), "TLB shootdown"),
    (("CAL", "TLB"), "TLB shootdown"),
    (("CAL", "LOC"), "function call interrupt"),
    (("SCHED",), "softirq SCHED"),
    (("minor faults", "SCHED"), "softirq SCHED"),
    (("minor faults",), "page fault"),
    (("major faults", "36"), "page fault from disk"),
    (("voluntary switches", "involuntary switches"), "stopped or blocked"),
]


def causes(moved: list[tuple[str, ...]], length_ns: int = 1_000, by: int = 1) -> list[str | None]:
    rows = [(BY_LABEL[label], by) for labels in moved for label in labels]
    ends = np.cumsum([len(labels) for labels in moved], dtype=np.int64)
    found = gaps._causes(
        np.full(len(moved), length_ns, np.int64), np.array(rows, np.uint32).reshape(-1, 2), ends, COUNTERS
    )
    return [None if at < 0 else COUNTERS[at].cause for at in found.tolist()]


def test_the_cause_explains_the_other_counters() -> None:
    assert causes([moved for moved, _ in EXPECTED]) == [cause for _, cause in EXPECTED]


def test_taking_the_first_counter_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken ranking: all counters alike."""
    monkeypatch.setattr(KernelCounter, "rank", property(lambda _counter: 0))
    assert causes([moved for moved, _ in EXPECTED]) != [cause for _, cause in EXPECTED]


def test_stolen_time_explains_only_gaps_as_long_as_its_tick() -> None:
    """It is counted in ticks of 10 ms, at a timer interrupt that may be long after the theft."""
    assert causes([("steal", "LOC")], length_ns=2_000) == ["timer interrupt"]
    assert causes([("steal",)], length_ns=2_000) == [None]
    assert causes([("steal", "LOC")], length_ns=12_000_000) == ["hypervisor (stolen time)"]
    assert causes([("steal", "LOC")], length_ns=12_000_000, by=10) == ["timer interrupt"]


@given(st.lists(st.lists(st.sampled_from(sorted(BY_LABEL)), unique=True, max_size=6), max_size=20))
def test_every_gap_has_the_best_of_its_own_counters(moved: list[list[str]]) -> None:
    found = causes([tuple(labels) for labels in moved])
    for labels, cause in zip(moved, found, strict=True):
        explaining = [COUNTERS[BY_LABEL[label]] for label in labels if label != "steal"]
        best = min((each.rank for each in explaining), default=None)
        assert (cause is None) == (best is None)
        assert cause is None or cause in {each.cause for each in explaining if each.rank == best}

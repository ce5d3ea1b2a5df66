"""CounterWindow are compared over one second, whatever a kernel prints."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lowlat.probes.doctor import counters as counters_module
from lowlat.probes.doctor.counters import CounterWindow, compare_counters, interrupt_rows, is_timer, row_differences
from lowlat.probes.reading import known
from tests.unit.probes.doctor.hosts import tree_of

TABLE = """\
           CPU0       CPU2
 24:         10          5   PCI-MSI 327680-edge      eth1-TxRx-0
 25:          1          0   IO-APIC   4-edge      ttyS0
LOC:       1000         20   Local timer interrupts
ERR:          3
bad:          x          1   no number
"""


def test_a_row_has_counts_of_the_cpus_in_the_heading() -> None:
    rows = interrupt_rows(TABLE)
    assert {name: dict(row.counts) for name, row in rows.items()} == {
        "24": {0: 10, 2: 5},
        "25": {0: 1, 2: 0},
        "LOC": {0: 1000, 2: 20},
    }
    assert [row.label for row in rows.values()] == ["eth1-TxRx-0", "ttyS0", "LOC"]
    assert [is_timer(row) for row in rows.values()] == [False, False, True]
    arm = interrupt_rows("      CPU0\n 11:  5  GICv3  27 Level  arch_timer\n")
    assert is_timer(arm["11"])


@pytest.mark.parametrize("text", ["", "CPU0", "\n\n", ":", "   CPU0 CPU1\n1: 5\n", "\0" * 99, "CPU0\n:::\n"])
def test_what_is_no_table_has_no_rows(text: str) -> None:
    assert interrupt_rows(text) == {}


def test_a_counter_that_went_backwards_is_no_rate() -> None:
    later = TABLE.replace("1000", "1250").replace("10 ", " 9 ")
    grown = row_differences(CounterWindow({"i": TABLE}, {"i": later}, 1.0), "i")
    assert (grown["LOC"].counts, grown["24"].counts) == ({0: 250, 2: 0}, {2: 0})
    assert CounterWindow({"n": "5"}, {"n": "4"}, 1.0).difference("n").status == "unknown"
    assert CounterWindow({"n": "5"}, {"n": "x"}, 1.0).difference("n").status == "unknown"
    assert CounterWindow({}, {"n": "4"}, 1.0).difference("n").status == "not applicable"
    assert CounterWindow({"n": "5"}, {"n": "9"}, 1.0).difference("n").value == 4


def test_both_ends_of_a_window_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tree_of(tmp_path, {"proc/vmstat": "pgmajfault 5\n", "proc/gone": "1\n"})

    def sleep(_: float) -> None:
        tree_of(tmp_path, {"proc/vmstat": "pgmajfault 8\n"})
        (tmp_path / "proc/gone").unlink()

    monkeypatch.setattr(time, "sleep", sleep)
    found = compare_counters(tree, ["proc/vmstat", "proc/gone", "proc/vmstat"], 0.01)
    assert found.named("proc/vmstat") == {"pgmajfault": 3}
    assert found.pair("proc/gone") is None
    assert found.seconds > 0


def test_the_registers_of_a_cpu_are_its_count_of_smis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter((7, 9))
    asked = []

    def read_register(cpu: int, register: int):
        asked.append((cpu, register))
        return known(next(counts), "msr")

    monkeypatch.setattr(counters_module, "read_register", read_register)
    found = compare_counters(tree_of(tmp_path, {}), ["dev/cpu/3/msr"], 0.0)
    assert found.difference("dev/cpu/3/msr").value == 2
    assert asked == [(3, 0x34), (3, 0x34)]

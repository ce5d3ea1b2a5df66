"""The kernel's counters at both ends of one second, read once for all checks that compare them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from lowlat.probes.doctor.registers import SMI_COUNT, read_register, register_cpu
from lowlat.probes.host.host_tree import HostTree, parse_integer
from lowlat.probes.reading import Reading, known, not_applicable, unknown
from lowlat.text import is_digits

WINDOW_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class CounterWindow:
    """Texts of the same files at two moments; a file that could not be read at both is left out."""

    before: Mapping[str, str]
    after: Mapping[str, str]
    seconds: float

    def pair(self, path: str) -> tuple[str, str] | None:
        """The texts of a file; None if it was not read at both moments."""
        if path in self.before and path in self.after:
            return self.before[path], self.after[path]
        return None

    def difference(self, path: str) -> Reading[int]:
        """How much a file that holds one number grew."""
        source = f"read from /{path}, twice within {self.seconds:.2g} s"
        pair = self.pair(path)
        if pair is None:
            return not_applicable(source, f"/{path} cannot be read")
        first, last = parse_integer(pair[0]), parse_integer(pair[1])
        if first is None or last is None or last < first:
            return unknown(source, f"/{path} holds no counter: {pair[0][:40]!r}, then {pair[1][:40]!r}")
        return known(last - first, source)

    def named(self, path: str) -> dict[str, int]:
        """How much each counter of a file of `name value` lines grew, as in `/proc/vmstat`; empty if not read."""
        pair = self.pair(path)
        if pair is None:
            return {}
        first, last = _by_name(pair[0]), _by_name(pair[1])
        return {name: last[name] - first[name] for name in last if name in first and last[name] >= first[name]}


def _by_name(text: str) -> dict[str, int]:
    found = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) == 2 and (value := parse_integer(fields[1])) is not None:
            found[fields[0]] = value
    return found


def compare_counters(tree: HostTree, paths: Iterable[str], window_s: float = WINDOW_S) -> CounterWindow:
    """Read the files, wait, and read them again."""
    wanted = tuple(dict.fromkeys(paths))
    start_s = time.monotonic()
    before = _read_all(tree, wanted)
    time.sleep(max(0.0, start_s + window_s - time.monotonic()))
    middle_s = time.monotonic()
    after = _read_all(tree, wanted)
    return CounterWindow(before, after, max(middle_s - start_s, 1e-3))


def _read_all(tree: HostTree, paths: Iterable[str]) -> dict[str, str]:
    texts = ((path, _read(tree, path)) for path in paths)
    return {path: text for path, text in texts if text is not None}


def _read(tree: HostTree, path: str) -> str | None:
    """The text of a file; of the registers of a CPU, the count of system management interrupts."""
    cpu = register_cpu(path)
    if cpu is None:
        return tree.text(path)
    count = read_register(cpu, SMI_COUNT).value
    return None if count is None else str(count)


@dataclass(frozen=True, slots=True)
class InterruptRow:
    """One line of `/proc/interrupts` or `/proc/softirqs`: its counts by CPU."""

    name: str
    device: str
    counts: Mapping[int, int]

    @property
    def label(self) -> str:
        """How people call it: the device if there is one, else the kernel's name."""
        return self.device or self.name


def interrupt_rows(text: str) -> dict[str, InterruptRow]:
    """Parse the table of interrupts or softirqs. Rows with one number for the whole machine are left out."""
    header, _, rows = text.partition("\n")
    cpus = [int(match) for match in re.findall(r"\bCPU([0-9]{1,5})\b", header)]
    found = {}
    for row in rows.splitlines():
        name, _, rest = row.partition(":")
        fields = rest.split(maxsplit=len(cpus))
        numbers = [parse_integer(field) for field in fields[: len(cpus)]]
        if len(numbers) < len(cpus) or None in numbers or not cpus:
            continue
        name = name.strip()
        last = fields[len(cpus)].split() if len(fields) > len(cpus) else []
        device = last[-1] if last and is_digits(name) else ""
        found[name] = InterruptRow(
            name, device, {cpu: n for cpu, n in zip(cpus, numbers, strict=True) if n is not None}
        )
    return found


def row_differences(counters: CounterWindow, path: str) -> dict[str, InterruptRow]:
    """How much each row of a table grew on each CPU; rows that went backwards are left out."""
    pair = counters.pair(path)
    if pair is None:
        return {}
    first, last = interrupt_rows(pair[0]), interrupt_rows(pair[1])
    found = {}
    for name, row in last.items():
        if name in first:
            old = first[name].counts
            grown = {cpu: count - old[cpu] for cpu, count in row.counts.items() if cpu in old and count >= old[cpu]}
            found[name] = InterruptRow(row.name, row.device, grown)
    return found


TIMER_ROWS: Final = ("LOC", "arch_timer")


def is_timer(row: InterruptRow) -> bool:
    """Whether a row counts the local timer: LOC on x86, arch_timer on Arm."""
    return row.name in TIMER_ROWS or row.device in TIMER_ROWS

"""Frequency limits and governor of each CPU, as the kernel's cpufreq has them; CPUs that are alike stand together."""

from __future__ import annotations

import re
from typing import Final

from lowlat.probes.cpu.cpu_sets import CPU_FOLDER, Cpus, cpu_folders
from lowlat.probes.host.facts import NO_CPUFREQ
from lowlat.probes.host.host_tree import HostTree
from lowlat.probes.reading import Reading, known
from lowlat.probes.topology.model import FrequencyPolicy

_KILOHERTZ_MAX: Final = 1_000_000_000
"""1 THz; more is no frequency."""
_NAME: Final = re.compile(r"[A-Za-z0-9_.+-]{1,40}")
_Values = tuple[str | None, str | None, str | None, int | None, int | None, int | None, int | None]


def read_frequencies(tree: HostTree, online: Cpus) -> Reading[tuple[FrequencyPolicy, ...]]:
    """Read the policy of each online CPU, and group equal ones in order of their lowest CPU."""
    source = f"read from /{CPU_FOLDER}/cpuN/cpufreq"
    alike: dict[_Values, list[int]] = {}
    folders = sorted(frozenset(online).intersection(cpu_folders(tree)))
    for cpu in folders:
        folder = f"{CPU_FOLDER}/cpu{cpu}/cpufreq"
        if tree.exists(folder) and any(values := _values(tree, folder)):
            alike.setdefault(values, []).append(cpu)
    if not alike:
        return tree.absence(source, NO_CPUFREQ, *(f"{CPU_FOLDER}/cpu{cpu}/cpufreq" for cpu in folders[:1]))
    return known(tuple(FrequencyPolicy(tuple(cpus), *values) for values, cpus in alike.items()), source)


def _values(tree: HostTree, folder: str) -> _Values:
    return (
        _name(tree, f"{folder}/scaling_driver"),
        _name(tree, f"{folder}/scaling_governor"),
        _name(tree, f"{folder}/energy_performance_preference"),
        _hertz(tree, f"{folder}/scaling_min_freq"),
        _hertz(tree, f"{folder}/scaling_max_freq"),
        _hertz(tree, f"{folder}/cpuinfo_min_freq"),
        _hertz(tree, f"{folder}/cpuinfo_max_freq"),
    )


def _name(tree: HostTree, path: str) -> str | None:
    text = tree.text(path) or ""
    return text if _NAME.fullmatch(text) else None


def _hertz(tree: HostTree, path: str) -> int | None:
    kilohertz = tree.integer(path)
    return kilohertz * 1_000 if kilohertz is not None and 0 < kilohertz <= _KILOHERTZ_MAX else None

"""Host facts that are not in files of the kernel; a snapshot stores them in one file."""

from __future__ import annotations

import json
import os

from lowlat.probes import _core
from lowlat.probes.cpu.cpulist import format_cpu_list

FACTS_FILE = "lowlat/facts.json"
"""Where a captured tree holds them: a JSON object of strings, beside `sys/` and `proc/`."""


DENIED_FACT = "denied"
"""In a snapshot: paths that were there and could not be read for lack of permission, a line each."""
FILES_FACT = "files"
"""In a snapshot: the paths of all its files, a line each, so that one which is lost later is not taken for absent."""

FACT_NAMES = ("machine", "kernel_release", "affinity", "hypervisor_signature")


def live_fact(name: str) -> str | None:
    """Read one of `FACT_NAMES` on the running host; None if the host does not have it."""
    match name:
        case "machine":
            return os.uname().machine
        case "kernel_release":
            return os.uname().release
        case "affinity":
            return own_affinity()
        case "hypervisor_signature":
            return hypervisor_signature()
    raise KeyError(name)


def own_affinity() -> str | None:
    """The CPUs that this process may run on; None where there is no such call, or a sandbox refuses it."""
    try:
        return format_cpu_list(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    except OSError:
        return None


def hypervisor_signature() -> str | None:
    """The hypervisor's signature of up to twelve characters, such as `KVMKVMKVM`; None without a hypervisor."""
    leaf = _core.cpuid(0x40000000)
    if leaf is None:
        return None
    return b"".join(register.to_bytes(4, "little") for register in leaf[1:]).rstrip(b"\0").decode("latin-1")


def parse_facts(text: str) -> dict[str, str]:
    """Parse the facts file; empty if it is malformed."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):  # not JSON, or a number with too many digits; nested too deeply
        return {}
    if not isinstance(document, dict):
        return {}
    return {key: value for key, value in document.items() if isinstance(value, str)}

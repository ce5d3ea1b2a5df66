"""Flaws of the processor, what the kernel does against each, and the revision of the microcode that helps it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from msgspec import Meta

from lowlat.probes.cpu.cpu_sets import CPU_FOLDER
from lowlat.probes.host.host_tree import LIVE, HostTree
from lowlat.probes.reading import Reading, known

VulnerabilityStatus = Literal["mitigated", "vulnerable", "not affected", "unknown"]

VULNERABILITIES_MAX: Final = 100
_TEXT_MAX: Final = 1_000
_REVISIONS_MAX: Final = 8
_FOLDER: Final = f"{CPU_FOLDER}/vulnerabilities"
_REVISION: Final = re.compile(r"^microcode[ \t]*:[ \t]*((?:0x)?[0-9a-fA-F]{1,16})[ \t]*$", re.MULTILINE)
_OPENINGS: Final[tuple[tuple[str, VulnerabilityStatus], ...]] = (
    ("not affected", "not affected"),
    ("mitigation", "mitigated"),
    ("vulnerable", "vulnerable"),
    ("processor vulnerable", "vulnerable"),
)


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """A known flaw of processors, and how this host stands to it."""

    name: Annotated[str, Meta(description="The kernel's name, e.g. spectre_v2")]
    status: Annotated[VulnerabilityStatus, Meta(description="What the text begins with")]
    text: Annotated[str, Meta(description="What the kernel says of it")]


def vulnerabilities(tree: HostTree = LIVE) -> Reading[tuple[Vulnerability, ...]]:
    """Read what the kernel says of each flaw, by name."""
    found = tuple(
        Vulnerability(name, _status(text), text[:_TEXT_MAX])
        for name in tree.names(_FOLDER)[:VULNERABILITIES_MAX]
        if (text := tree.text(f"{_FOLDER}/{name}"))
    )
    source = f"read from /{_FOLDER}/*"
    return known(found, source) if found else tree.absence(source, f"/{_FOLDER} does not exist", _FOLDER)


def microcode(tree: HostTree = LIVE) -> Reading[str]:
    """Read the revision of the microcode; CPUs that disagree give several, joined by commas."""
    source, path = "read from /proc/cpuinfo", "proc/cpuinfo"
    revisions = sorted(set(_REVISION.findall(tree.text(path) or "")))
    if not revisions:
        return tree.absence(source, f"/{path} tells no revision", path)
    return known(", ".join(revisions[:_REVISIONS_MAX]), source)


def _status(text: str) -> VulnerabilityStatus:
    said = text.removeprefix("KVM: ").lower()  # itlb_multihit concerns guests alone, and says so
    return next((status for opening, status in _OPENINGS if said.startswith(opening)), "unknown")

"""Names of Arm cores, which the kernel prints as two numbers of the main ID register (MIDR_EL1).

The numbers are those of Linux, `arch/arm64/include/asm/cputype.h`; the names are their makers'.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

_ARM: Final = (
    "d03 Cortex-A53, d04 Cortex-A35, d05 Cortex-A55, d07 Cortex-A57, d08 Cortex-A72, d09 Cortex-A73, d0a Cortex-A75, "
    "d0b Cortex-A76, d0c Neoverse-N1, d0d Cortex-A77, d40 Neoverse-V1, d41 Cortex-A78, d44 Cortex-X1, "
    "d46 Cortex-A510, d47 Cortex-A710, d48 Cortex-X2, d49 Neoverse-N2, d4b Cortex-A78C, d4d Cortex-A715, "
    "d4e Cortex-X3, d4f Neoverse-V2, d80 Cortex-A520, d81 Cortex-A720, d82 Cortex-X4, d84 Neoverse-V3, "
    "d85 Cortex-X925, d87 Cortex-A725, d8e Neoverse-N3"
)
_MAKERS: Final = MappingProxyType(
    {
        0x41: ("Arm", _ARM),
        0x43: ("Cavium", "0a1 ThunderX, 0af ThunderX2"),
        0x46: ("Fujitsu", "001 A64FX"),
        0x48: ("HiSilicon", "d01 TaiShan v110"),
        0x4E: ("NVIDIA", "004 Carmel"),
        0x51: ("Qualcomm", "800 Falkor v1, c00 Falkor"),
        0x61: ("Apple", "022 M1 Icestorm, 023 M1 Firestorm"),
        0xC0: ("Ampere", "ac3 Ampere-1, ac4 Ampere-1A"),
    }
)
PARTS: Final = MappingProxyType(
    {
        (maker, int(number, 16)): f"{name} {part}"
        for maker, (name, listed) in _MAKERS.items()
        for number, _, part in (each.partition(" ") for each in listed.split(", "))
    }
)
"""Maker and name by implementer and part number."""


def arm_parts(cpuinfo: str) -> tuple[str, ...]:
    """The kinds of cores in `/proc/cpuinfo`, in order of appearance, each once; by number where it has no name here."""
    found: dict[str, None] = {}
    implementer = ""
    for line in cpuinfo.splitlines():
        key, _, value = (part.strip() for part in line.partition(":"))
        if key == "CPU implementer":
            implementer = value
        elif key == "CPU part" and value:
            name = PARTS.get((_hexadecimal(implementer), _hexadecimal(value)))
            found[name or f"Arm implementer {implementer or '?'} part {value}"] = None
    return tuple(found)


def _hexadecimal(text: str) -> int:
    """The number of `0x41`; -1 if it is none of at most 16 bits."""
    digits = text.lower().removeprefix("0x")
    return int(digits, 16) if 1 <= len(digits) <= 4 and set(digits) <= set("0123456789abcdef") else -1

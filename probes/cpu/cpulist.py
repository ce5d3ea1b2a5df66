"""CPU lists and masks, as typed by users and printed by the kernel."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lowlat.errors import FormatError

CPU_NUMBER_MAX = 65_535
"""Highest CPU number accepted. Linux builds reach 8,191 (NR_CPUS); a typed 0-9999999999 must not fill memory.
"""

_PART = re.compile(
    r"(?P<first>[0-9]+|N|all)(?:-(?P<last>[0-9]+|N))?(?::(?P<used>[0-9]+)(?:/(?P<group>[0-9]+))?)?",
    re.IGNORECASE,
)


def parse_cpu_list(text: str, *, last_cpu: int | None = None, allow_empty: bool = False) -> tuple[int, ...]:
    """Parse a CPU list in the syntax of the kernel and its tools; return the unique CPUs, ascending.

    Accepts `3`, `0-3,8`, groups `0-31:2/8` (the first 2 of every 8; see cpu lists in the kernel's "The kernel's
    command-line parameters"), strides `0-30:2` (every second, as in taskset), and, if `last_cpu` is given, `N` for the
    last CPU and `all`. Ignores case and spaces around parts.

    Raises `FormatError` naming the part: reversed or open ranges, other text, an empty list (unless `allow_empty`: the
    kernel prints an empty set this way), zero strides, a number above `CPU_NUMBER_MAX`.
    """
    if not text.strip():
        if allow_empty:
            return ()
        raise FormatError("the CPU list is empty; write CPUs like 0-3,8 or 'all'")
    cpus: set[int] = set()
    for part in text.split(","):
        cpus.update(_parse_part(part.strip(), text, last_cpu))
    return tuple(sorted(cpus))


def _parse_part(part: str, text: str, last_cpu: int | None) -> range | list[int]:
    match = _PART.fullmatch(part)
    where = f"in CPU list {text.strip()!r}" if part != text.strip() else "as a CPU list"
    if match is None:
        raise FormatError(_explain(part, where))
    first_text, last_text = match["first"].upper(), match["last"]
    if first_text == "ALL" and last_text is not None:
        raise FormatError(f"{part!r} {where}: 'all' is already a whole range; write 'all' or a range like 0-N")
    first = 0 if first_text == "ALL" else _number(first_text, part, where, last_cpu)
    last = _number("N" if first_text == "ALL" else last_text or first_text, part, where, last_cpu)
    if last < first:
        raise FormatError(f"{part!r} {where} is reversed; write {last}-{first}")
    if match["used"] is None:
        return range(first, last + 1)
    used = _number(match["used"], part, where, None)
    group = None if match["group"] is None else _number(match["group"], part, where, None)
    return _grouped(first, last, used, group, f"{part!r} {where}")


def _grouped(first: int, last: int, used: int, group: int | None, where: str) -> range | list[int]:
    if group is None:
        if used == 0:
            raise FormatError(f"{where}: a stride of 0 is not allowed; write 1 or more after ':'")
        return range(first, last + 1, used)
    if used == 0 or group == 0 or used > group:
        raise FormatError(f"{where}: {used} of every {group} is not possible; write 1 up to the group size before '/'")
    return [cpu for cpu in range(first, last + 1) if (cpu - first) % group < used]


def _number(text: str, part: str, where: str, last_cpu: int | None) -> int:
    if text.upper() == "N":
        if last_cpu is None:
            raise FormatError(f"{part!r} {where} needs the last CPU number, which is unknown here")
        return last_cpu
    # Length first: int() of a million digits takes seconds.
    if len(text) > 9 or int(text) > CPU_NUMBER_MAX:
        raise FormatError(
            f"{part!r} {where}: {text[:12]} is above {CPU_NUMBER_MAX}, the highest CPU number of any system"
        )
    return int(text)


def _explain(part: str, where: str) -> str:
    if not part:
        return f"an empty part {where}; remove the stray comma"
    if re.fullmatch(r"[0-9]+-", part):
        return f"{part!r} {where} has no end; write {part}N or name the last CPU"
    if re.fullmatch(r"-[0-9]+", part):
        return f"{part!r} {where} has no start; write 0{part}"
    return f"{part!r} {where} is not a CPU number or range; write CPUs like 0-3,8 or 0-31:2/8"


def parse_cpu_mask(text: str) -> tuple[int, ...]:
    """Parse a kernel CPU mask such as `ff`, `0x3` or `00000001,ffffffff`; return the CPUs, ascending.

    Groups after the first are 32 bits each and may lack leading zeros; the first may have any width. Empty
    text is the empty set. Raises `FormatError` on anything that is not hexadecimal.
    """
    mask = 0
    for index, group in enumerate(text.strip().split(",") if text.strip() else ()):
        digits = group.strip().lower()
        if index == 0:
            digits = digits.removeprefix("0x")
        if not re.fullmatch(r"[0-9a-f]+", digits) or (index > 0 and len(digits) > 8):
            raise FormatError(f"{group!r} in CPU mask {text.strip()[:80]!r} is not a group of hexadecimal digits")
        mask = (mask << 32) | int(digits, 16)
    return tuple(bit for bit in range(mask.bit_length()) if mask >> bit & 1)


def format_cpu_list(cpus: Iterable[int]) -> str:
    """Format CPUs as the kernel does, `0-3,8`; the empty set is the empty string."""
    ordered = sorted(set(cpus))
    parts: list[str] = []
    start = 0
    for index, cpu in enumerate(ordered):
        if index + 1 < len(ordered) and ordered[index + 1] == cpu + 1:
            continue
        first = ordered[start]
        parts.append(str(cpu) if first == cpu else f"{first}-{cpu}")
        start = index + 1
    return ",".join(parts)

"""CPU lists and masks, as typed by users and printed by the kernel."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lowlat.errors import FormatError
from lowlat.limits import CPU_NUMBER_MAX, CPU_SET_CHARS_MAX

_REPEATS_MAX = 4
_SHOWN_CHARS = 80
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
    kernel prints an empty set this way), zero strides, a number above `CPU_NUMBER_MAX`, and a list that is longer or
    repeats more CPUs than one of all CPUs needs.
    """
    _check_length(text)
    if not text.strip():
        if allow_empty:
            return ()
        raise FormatError("the CPU list is empty; write CPUs like 0-3,8 or 'all'")
    cpus: set[int] = set()
    named = 0
    for part in text.split(","):
        found = _parse_part(part.strip(), text, last_cpu)
        named += len(found)
        if named > _REPEATS_MAX * CPU_NUMBER_MAX:
            raise FormatError(f"the CPU list {_shown(text)} names the same CPUs over and over")
        cpus.update(found)
    return tuple(sorted(cpus))


def _check_length(text: str) -> None:
    if len(text) > CPU_SET_CHARS_MAX:
        raise FormatError(f"{_shown(text)} has {len(text):,} characters; at most {CPU_SET_CHARS_MAX:,} are a CPU set")


def _shown(text: str) -> str:
    """A text for a message, cut to one that can be read."""
    stripped = text.strip()
    return repr(stripped if len(stripped) <= _SHOWN_CHARS else f"{stripped[:_SHOWN_CHARS]}...")


def _parse_part(part: str, text: str, last_cpu: int | None) -> range | list[int]:
    match = _PART.fullmatch(part)
    where = f"in CPU list {_shown(text)}" if part != text.strip() else "as a CPU list"
    if match is None:
        raise FormatError(_explain(part[:_SHOWN_CHARS], where))
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
    text is the empty set. Raises `FormatError` on anything that is not hexadecimal, and on a CPU above
    `CPU_NUMBER_MAX`.
    """
    _check_length(text)
    parts: list[str] = []
    for index, group in enumerate(text.strip().split(",") if text.strip() else ()):
        digits = group.strip().lower()
        if index == 0:
            digits = digits.removeprefix("0x")
        if not re.fullmatch(r"[0-9a-f]+", digits) or (index > 0 and len(digits) > 8):
            raise FormatError(f"{group[:12]!r} in CPU mask {_shown(text)} is not a group of hexadecimal digits")
        parts.append(digits.rjust(8, "0") if index else digits)
    bits = f"{int(''.join(parts) or '0', 16):b}"[::-1]
    if len(bits) > CPU_NUMBER_MAX + 1:
        raise FormatError(
            f"CPU mask {_shown(text)} has CPU {len(bits) - 1}, above {CPU_NUMBER_MAX}, the highest number"
        )
    return tuple(cpu for cpu, bit in enumerate(bits) if bit == "1")


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

"""Parsers for quantities on the command line: counts `250_000`, `500k`, `2M`; rates `500k/s`; durations `250us`, `10s`;
sizes of memory `64MiB`; sweeps over rates `100k:20M:8`; objectives `p99=10us`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Final

from lowlat.errors import FormatError

_COUNTS: Final = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9}
_DURATIONS_NS: Final = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,  # U+00B5, the micro sign
    "μs": 10**3,  # U+03BC, the Greek letter; keyboards produce either
    "ms": 10**6,
    "s": 10**9,
    "min": 60 * 10**9,
    "h": 3600 * 10**9,
}
_SIZES: Final = {
    unit: 1 << 10 * power
    for power, names in enumerate((("", "B"), ("K", "k", "KiB"), ("M", "MiB"), ("G", "GiB"), ("T", "TiB")))
    for unit in names
}
_FORM: Final = re.compile(r"(?P<number>[0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?) ?(?P<unit>[A-Za-zµμ]*)")
_SWEEP: Final = "a sweep of rates"
_SWEEP_EXAMPLE: Final = "FROM:TO:STEPS such as 100k:20M:8"
_STEPS_MAX: Final = 100
_OBJECTIVE: Final = re.compile(r"p(?P<percentile>[0-9]+(?:\.[0-9]+)?) ?= ?(?P<limit>.+)")
_OBJECTIVE_NAME: Final = "an objective"
_OBJECTIVE_EXAMPLE: Final = "a percentile and a time, such as p99=10us"
_LENGTH_MAX: Final = 40
"""Characters of the longest quantity: int() of a million digits takes seconds, then fails."""


def parse_count(text: str) -> int:
    """A whole number: `250000`, `250_000`, `250k`, `2M`, `1.5M`, `1G`. Raises `FormatError`."""
    return _whole(text, text, _COUNTS, "an integer", "250000, 250k or 2M")


def parse_rate(text: str) -> int:
    """A number per second: `500k/s` or `500k`. Raises `FormatError`."""
    return _whole(text, text.strip().removesuffix("/s"), _COUNTS, "a rate", "500k/s")


def parse_duration_ns(text: str) -> int:
    """A duration with its unit, in nanoseconds: `250us`, `1.5ms`, `10s`. Raises `FormatError`."""
    return _whole(text, text, _DURATIONS_NS, "a duration", "250us, 10s or 5min")


def parse_size(text: str) -> int:
    """A size of memory, in bytes: `4096`, `64MiB`, `1.5 GiB`; `64M` is the same as `64MiB`. Raises `FormatError`."""
    return _whole(text, text, _SIZES, "a size of memory", "64MiB or 4GiB")


def parse_sweep(text: str) -> tuple[int, ...]:
    """FROM:TO:STEPS, increasing rates: STEPS of them from FROM to TO, each larger by the same factor.

    `100k:20M:8` is 100 k/s, 213 k/s, ... 20 M/s. Both ends are exact, rates between them rounded to whole numbers;
    STEPS is 2 to 100. A rate may end with `/s`. Raises `FormatError`.
    """
    parts = text.split(":")
    if len(parts) != 3:
        raise _refused(text, _SWEEP, _SWEEP_EXAMPLE)
    try:
        low, high, steps = (parse_count(part.removesuffix("/s")) for part in parts)
    except FormatError as error:
        raise _refused(text, _SWEEP, _SWEEP_EXAMPLE, f" ({error})") from error
    if not 2 <= steps <= _STEPS_MAX:
        raise _refused(text, _SWEEP, _SWEEP_EXAMPLE, f" ({steps} is outside 2..{_STEPS_MAX} steps)")
    if not 0 < low < high:
        raise _refused(text, _SWEEP, _SWEEP_EXAMPLE, " (FROM must be above 0 and below TO)")
    inner = (round(low * (high / low) ** (step / (steps - 1))) for step in range(1, steps - 1))
    rates = (low, *inner, high)
    if any(rate >= above for rate, above in pairwise(rates)):
        raise _refused(text, _SWEEP, _SWEEP_EXAMPLE, f" ({steps} steps this close round to the same rate)")
    return rates


def parse_objective(text: str) -> tuple[str, int]:
    """A percentile and its limit, `p99.9=50us`: the percentile as a number, the limit in nanoseconds, above 0.

    Raises `FormatError`.
    """
    form = _OBJECTIVE.fullmatch(text.strip()) if len(text) <= _LENGTH_MAX else None
    if form is None:
        raise _refused(text, _OBJECTIVE_NAME, _OBJECTIVE_EXAMPLE)
    try:
        limit_ns = parse_duration_ns(form["limit"])
    except FormatError as error:
        raise _refused(text, _OBJECTIVE_NAME, _OBJECTIVE_EXAMPLE, f" ({error})") from error
    if limit_ns == 0:
        raise _refused(text, _OBJECTIVE_NAME, _OBJECTIVE_EXAMPLE, " (no response takes 0 ns)")
    return form["percentile"], limit_ns


def _whole(text: str, part: str, units: Mapping[str, int], kind: str, examples: str) -> int:
    form = _FORM.fullmatch(part.strip()) if len(part) <= _LENGTH_MAX else None
    if part.strip().startswith(("-", "\N{MINUS SIGN}")):
        raise _refused(text, f"{kind} of 0 or more", examples)
    if form is None or form["unit"] not in units:
        raise _refused(text, kind, examples)
    exact = Fraction(form["number"]) * units[form["unit"]]
    if exact.denominator != 1:
        raise _refused(text, kind, examples, " (finer than the smallest unit)")
    return exact.numerator


def _refused(text: str, kind: str, examples: str, why: str = "") -> FormatError:
    shown = text if len(text) <= _LENGTH_MAX else text[:_LENGTH_MAX] + "..."
    return FormatError(f"{shown!r} is not {kind}{why}; write {examples}")

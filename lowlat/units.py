"""Human-readable numbers: three significant figures and a unit."""

from __future__ import annotations

from typing import Final

from lowlat.text import is_digits

_TIME: Final = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns"))
_DECIMAL: Final = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_BINARY: Final = ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))


def time(value_ns: float) -> str:
    """A time, e.g. `40 ns`, `1.20 µs`, `31.5 ms`."""
    size, unit = _scale(value_ns, _TIME)
    return f"{_figures(value_ns, size)} {unit}"


def time_range(from_ns: float, to_ns: float) -> str:
    """Two times in the unit of the larger, e.g. `30-50 ns`."""
    size, unit = _scale(to_ns, _TIME)
    low, high = _figures(from_ns, size), _figures(to_ns, size)
    return f"{low} {unit}" if low == high else f"{low}-{high} {unit}"


def age(seconds: float) -> str:
    """A whole number of the largest unit that has passed, e.g. `12 s`, `3 min`, `5 h`, `2 days`."""
    for size, unit in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            count = int(seconds // size)
            return counted(count, unit) if unit == "day" else f"{count:,} {unit}"
    return f"{int(seconds)} s"


def rate(per_second: float) -> str:
    """A rate, e.g. `41.2 M/s`."""
    return f"{short(per_second)}/s" if per_second < 1000 else f"{_prefixed(per_second)}/s"


def frequency(hertz: float) -> str:
    """A frequency, e.g. `2.596 GHz`; four figures, since clocks differ in the fourth."""
    size, prefix = _scale(hertz, _DECIMAL)
    return f"{hertz / size:.3f} {prefix}Hz"


def short(count: float) -> str:
    """A count, exact below a million, e.g. `20,000`, `2.00 M`."""
    return f"{count:,.0f}" if count < 1_000_000 else _prefixed(count)


def per_command(events: float) -> str:
    """A mean count, e.g. `61.2`, `1.05`, `0.0213`."""
    return f"{events:.4f}" if events < 0.0995 else _figures(events, 1) if events < 1_000_000 else _prefixed(events)


def size(count: int) -> str:
    """Bytes, e.g. `4.00 MiB`."""
    unit_size, unit = _scale(count, _BINARY)
    return f"{_figures(count, unit_size)} {unit}"


def whole_size(count: int) -> str:
    """Bytes as a whole number of the largest unit that divides them, e.g. `32 KiB`; else as `size`."""
    for unit_size, unit in _BINARY[:-1]:
        if count % unit_size == 0 and 0 < count < 10_000 * unit_size:
            return f"{count / unit_size:.0f} {unit}"
    return size(count)


def share(part: float) -> str:
    """A share as a percentage, never rounded up to 100% or down to 0%."""
    if part in (0, 1):
        return f"{part:.0%}"
    percent = min(max(part * 100, 0.001), 99.999)
    return f"{percent:.1f}%" if 0.1 <= percent <= 99.9 else f"{percent:.3f}%"


def percent(value: float) -> str:
    """A percentage with all the digits that somebody wrote, e.g. `10%`, `2.5%`, `1234.567%`."""
    return f"{value:.15g}%"


def plural(count: int, noun: str) -> str:
    """A count with its noun, e.g. `1 migration`, `2 page faults`, `3 switches`."""
    return f"{short(count)} {noun if count == 1 else plural_of(noun)}"


def counted(count: int, noun: str) -> str:
    """An exact count with its noun, e.g. `1 byte`, `2,000,000 commands`."""
    return f"{count:,} {noun if count == 1 else plural_of(noun)}"


def plural_of(noun: str) -> str:
    """The plural of a noun, e.g. `switches`."""
    return noun + ("es" if noun.endswith(("ch", "s")) else "s")


def cpus(cpu_list: str) -> str:
    """A CPU list with its noun, e.g. `CPU 3`, `CPUs 0-3,8`."""
    return f"{'CPU' if is_digits(cpu_list) else 'CPUs'} {cpu_list}"


def _prefixed(count: float) -> str:
    unit_size, prefix = _scale(count, _DECIMAL)
    return f"{_figures(count, unit_size)} {prefix}".rstrip()


def _scale(value: float, scale: tuple[tuple[float, str], ...]) -> tuple[float, str]:
    """The value in the largest unit for which the rounded value is at least 1, and the unit."""
    for unit_size, unit in scale:
        if value >= unit_size * (1 - 0.0005):
            return unit_size, unit
    return scale[-1]


def _figures(value: float, unit_size: float) -> str:
    """Three figures; all digits for a whole number of units below a thousand."""
    scaled = value / unit_size
    if unit_size == 1 and float(value).is_integer():
        return f"{scaled:,.0f}"
    decimals = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
    return f"{scaled:,.{decimals}f}"

"""The reported cache line beside the measured one, and separately what the prefetchers do."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lowlat import units
from lowlat.probes.cache_line import CacheLine, Prefetch
from lowlat.probes.reading import Reading
from lowlat.text import plain_text
from lowlat_cli.views import layout


def cache_line_view(line: CacheLine) -> Iterator[RenderableType]:
    """Sources side by side, the verdict, and the prefetchers."""
    made = layout.table("cache line", "bytes", "", right=("bytes",), wrap=("",))
    measured = [
        ("clflush", line.flush_granule_bytes, _flush(line)),
        ("false sharing", line.sharing_granule_bytes, _sharing(line)),
    ]
    for report in line.reported:
        if report.line_bytes.applicable:
            _add(made, report.name, report.line_bytes, f"reported: {report.line_bytes.source}")
    for name, reading, how in measured:
        _add(made, name, reading, f"measured: {how}")
    yield layout.spaced(made)
    yield layout.facts([("verdict", _verdict(line)), *_prefetchers(line.prefetch)])


def _add(made: Table, name: str, reading: Reading[int], how: str) -> None:
    if reading.value is None:
        made.add_row(plain_text(name), "-", layout.missing(reading))
    else:
        made.add_row(plain_text(name), str(reading.value), plain_text(how, style="dim"))


def _flush(line: CacheLine) -> str:
    return _times(line.flush_times_ns, line.flush_granule_bytes.value, "a load takes", "from the flushed word")


def _sharing(line: CacheLine) -> str:
    how = _times(
        line.sharing_times_ns, line.sharing_granule_bytes.value, "a write takes", "from the other thread's word"
    )
    pair = " and ".join(map(str, line.sharing_cpus))
    dropped = f"; {units.plural(line.sharing_slices_dropped, 'interrupted slice')} dropped"
    return f"{how} (CPUs {pair}{dropped})"


def _times(times_ns: dict[int, float], granule: int | None, what: str, whence: str) -> str:
    """The ranges of times below the granule, and at or above it."""
    groups = [[d for d in sorted(times_ns) if (granule is not None and d >= granule) is far] for far in (False, True)]
    listed = [
        f"{units.time_range(min(times), max(times))} at {_span(distances)} bytes"
        for distances in groups
        if (times := [times_ns[distance] for distance in distances])
    ]
    return f"{what} {', '.join(listed)} {whence}"


def _span(distances: list[int]) -> str:
    return str(distances[0]) if len(distances) == 1 else f"{distances[0]}-{distances[-1]}"


def _verdict(line: CacheLine) -> Text:
    if line.line_bytes is None:
        return plain_text("unknown: not reported, and it could not be measured", style="bold red")
    if line.disagreements:
        return plain_text(f"{line.line_bytes} bytes, BUT {'; '.join(line.disagreements)}", style="bold red")
    count = sum(report.line_bytes.value is not None for report in line.reported)
    measured = [line.flush_granule_bytes.value, line.sharing_granule_bytes.value]
    sources = [
        units.plural(count, "reported source"),
        units.plural(sum(value is not None for value in measured), "measurement"),
    ]
    return plain_text(f"{line.line_bytes} bytes: {' and '.join(sources)} agree", style="bold")


def _prefetchers(prefetch: Reading[Prefetch]) -> Iterator[tuple[str, str | Text]]:
    found = prefetch.value
    if found is None:
        yield "prefetch", layout.missing(prefetch)
        return
    pair = "yes: keep data that two threads write 128 bytes apart" if found.pair else "no"
    rates = (
        f"the previous line is prefetched {units.share(found.lower_half_previous_rate)} of the time from the "
        "lower half of a pair, "
        f"{units.share(found.upper_half_previous_rate)} from the upper"
    )
    yield "adjacent line", f"{pair} ({rates})"
    yield (
        "next line",
        f"{_yes(found.next_line)} (across a pair boundary {units.share(found.upper_half_next_rate)})",
    )
    direction = "yes: from both halves, as direction-following prefetchers do"
    yield "previous line", direction if found.previous_line else "no, or from one half only"


def _yes(value: bool) -> str:
    return "yes" if value else "no"

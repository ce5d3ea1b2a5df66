"""The memory document in words, for the terminal and Markdown: the rows of its tables, and its notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from lowlat import units
from lowlat.reports.model.memory import Bandwidth, Memory, NodeAccess, PageEffect
from lowlat.reports.model.memory_ladder import LatencyLadder
from lowlat.reports.model.memory_levels import MeasuredLevel

LEVEL_COLUMNS: Final = ("level", "reported", "knee", "", "min", "median")
BANDWIDTH_COLUMNS: Final = ("threads", "read", "write", "copy")
LADDER_COLUMNS: Final = ("size", "pages", "min", "median", "samples")
EFFECTS_SHOWN: Final = 3
LEVELS_OF_SCREEN: Final = 4
"""With more of them, with nodes, or with one more note, fewer effects fit."""
RATES_SHOWN: Final = 3
_FIRST_EFFECT_BYTES: Final = 4 << 20
_CACHE_MULTIPLE: Final = 4


def facts(found: Memory) -> Iterator[tuple[str, str]]:
    """Where, what and how it was measured, each with its label."""
    yield "platform", found.platform
    main = found.main or (found.ladders[0] if found.ladders else None)
    if main is None:
        return
    node = "" if main.node is None else f", memory of node {main.node}"
    yield "loads", f"CPU {main.cpu}{node}, up to {units.whole_size(found.limit_bytes)}: {found.limit_reason}"
    yield "pages", " · ".join(_pages(ladder) for ladder in found.ladders if ladder.node == main.node)
    if found.nodes:
        yield "nodes", " · ".join(_accesses(found.nodes))


def _pages(ladder: LatencyLadder) -> str:
    if ladder.page_bytes is None:
        return f"{ladder.pages}: not available here, because {ladder.reason}"
    kind = "" if ladder.pages == "base" else ", reserved" if ladder.reserved else ", transparent"
    return f"{ladder.pages}: {units.whole_size(ladder.page_bytes)}{kind}"


def _accesses(nodes: Sequence[NodeAccess]) -> Iterator[str]:
    for name, local in (("local", True), ("remote", False)):
        some = [each for each in nodes if (each.cpu_node == each.memory_node) is local]
        if some:
            times = [each.min_ns for each in some]
            rates = [each.read_bytes_per_s for each in some]
            ends = dict.fromkeys((rate(min(rates)), rate(max(rates))))
            yield f"{name} {units.time_range(min(times), max(times))}, {' to '.join(ends)}"


def level_rows(found: Memory) -> Iterator[tuple[str, ...]]:
    """A row for each level, nearest first."""
    for level in found.levels:
        yield (
            level.name or "?",
            _size(level.reported_bytes),
            _size(level.knee_bytes),
            "" if level.verdict == "memory" else level.verdict,
            _time(level.min_ns),
            _time(level.median_ns),
        )


def effect_columns(found: Memory) -> tuple[str, ...]:
    """The headings of `effect_rows`."""
    sizes = {ladder.pages: ladder.page_bytes for ladder in reversed(found.ladders) if ladder.page_bytes}
    huge, base = (f"{units.whole_size(sizes.get(pages) or 0)} pages" for pages in ("huge", "base"))
    return "size", base, huge, "ratio"


def effect_rows(effects: Sequence[PageEffect]) -> Iterator[tuple[str, ...]]:
    """A row for each size."""
    for each in effects:
        yield _size(each.size_bytes), _time(each.base_ns), _time(each.huge_ns), f"{each.ratio:.2f}"


def few_effects(found: Memory) -> list[PageEffect]:
    """Some sizes, four octaves apart, and the largest, as many as a screen has room for."""
    effects = found.page_effects
    if not effects:
        return []
    last = effects[-1]
    sizes = {_FIRST_EFFECT_BYTES << 4 * step for step in range(10)}
    apart = [each for each in effects if each.size_bytes in sizes and each.size_bytes <= last.size_bytes // 2]
    few = bool(found.nodes) or len(found.levels) > LEVELS_OF_SCREEN or found.status == "interrupted"
    return [*apart, last][-1 if few else -EFFECTS_SHOWN :]


def bandwidth_rows(rates: Sequence[Bandwidth]) -> Iterator[tuple[str, ...]]:
    """A row for each number of threads."""
    for each in rates:
        figures = each.read_bytes_per_s, each.write_bytes_per_s, each.copy_bytes_per_s
        yield str(len(each.cpus)), *map(rate, figures)


def few_rates(rates: Sequence[Bandwidth]) -> list[Bandwidth]:
    """One thread, half of all, and all."""
    if len(rates) <= RATES_SHOWN:
        return list(rates)
    half = min(rates[1:-1], key=lambda each: abs(len(each.cpus) - len(rates[-1].cpus) / 2))
    return [rates[0], half, rates[-1]]


def ladder_rows(ladder: LatencyLadder) -> Iterator[tuple[str, ...]]:
    """A row for each size."""
    for point in ladder.points:
        yield _size(point.size_bytes), ladder.pages, _time(point.min_ns), _time(point.median_ns), f"{point.samples:,}"


def notes(found: Memory) -> Iterator[str]:
    """What the figures do not say."""
    if found.guest:
        yield "guest view: the hypervisor reports these caches, and other guests may use them too"
    early = [level.name or "?" for level in found.levels if level.verdict == "differs" and _is_early(level)]
    if early:
        yield f"{', '.join(early)}: latency rises before the reported size: others use this cache, or it is smaller"
    last = found.caches[-1] if found.caches else None
    if last is not None and found.limit_bytes < _CACHE_MULTIPLE * last.size_bytes and _hides_memory(found):
        yield f"the limit is below {_CACHE_MULTIPLE} times the {last.name}, which may have served what is memory here"
    if found.status == "interrupted":
        yield "interrupted: the rest was not measured"


def _is_early(level: MeasuredLevel) -> bool:
    return (level.knee_bytes or 0) < (level.reported_bytes or 0)


def _hides_memory(found: Memory) -> bool:
    """Whether no knee shows where the last cache ends."""
    return all(level.knee_bytes is None for level in found.levels if level.name == found.caches[-1].name)


def rate(bytes_per_s: float) -> str:
    """Bytes a second in decimal units, as memory is sold."""
    return f"{units.short(bytes_per_s)}B/s"


def _size(size_bytes: int | None) -> str:
    return "-" if size_bytes is None else units.whole_size(size_bytes)


def _time(value_ns: float | None) -> str:
    return "-" if value_ns is None else units.time(value_ns)

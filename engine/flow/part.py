"""The part of a recording that is asked for: whether there is such a part."""

from __future__ import annotations

from collections.abc import Iterator

from lowlat.engine.feed.records import OrderEvents
from lowlat.engine.feed.stream import OrderEventStream, ReadOptions
from lowlat.errors import InputError, UsageError
from lowlat.text import printable


def checked_part(stream: OrderEventStream, options: ReadOptions) -> OrderEventStream:
    """The stream that was opened with these options. Raises `UsageError` if their times count from another moment than
    its own; reading also raises `InputError` for symbols asked for of which nothing came.
    """
    if options.time_base not in (None, stream.time_base):
        does = (
            "its times have a date: give it, as in 2026-01-05T09:30, in UTC"
            if stream.time_base == "unix"
            else "its times are those of a day, without a date: give them as 09:30"
        )
        raise UsageError(f"{stream.path}: {does}; see --from and --to")
    if options.symbols:
        stream.blocks = _with_symbols(stream, stream.blocks, options)
    return stream


def _with_symbols(
    stream: OrderEventStream, blocks: Iterator[OrderEvents], options: ReadOptions
) -> Iterator[OrderEvents]:
    yield from blocks
    known = {*stream.symbols, *(name.partition("@")[0] for name in stream.symbols)}  # NAME@PUBLISHER is one of NAME
    missing = [name for name in sorted(map(printable, options.symbols)) if name not in known]
    if missing:
        before = "" if options.until_ns is None else " before --to"
        raise InputError(f"{stream.path}: it has no symbol {', '.join(missing)}{before}; see --symbols")

"""`--symbols`, `--from` and `--to`: which part of a recorded day is replayed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import typer

from lowlat.errors import UsageError

if TYPE_CHECKING:
    from lowlat.engine.feed.stream import ReadOptions
    from lowlat.engine.flow.registry import Reader

SECOND_NS: Final = 10**9
_TIME: Final = re.compile(
    r"(?:(?P<date>\d{4}-\d\d-\d\d)[T ])?(?P<hour>\d\d?):(?P<minute>[0-5]\d)"
    r"(?::(?P<second>[0-5]\d)(?:\.(?P<fraction>\d{1,9}))?)?Z?"
)


def recorded_time_ns(value: Any) -> int:
    """Nanoseconds since midnight of `09:30`, `09:30:00` or `09:30:00.5`. With a date, as `2024-01-02T14:30`, they are
    since the Unix epoch, and the time is UTC. Raises `typer.BadParameter`.
    """
    text = str(value)
    found = _TIME.fullmatch(text)
    if found is None or int(found["hour"]) > 24:
        raise typer.BadParameter(f"{text!r} is not a time such as 09:30, 09:30:00.5 or 2024-01-02T14:30")
    seconds = int(found["hour"]) * 3_600 + int(found["minute"]) * 60 + int(found["second"] or 0)
    if found["date"]:
        try:
            seconds += int(datetime.fromisoformat(found["date"]).replace(tzinfo=UTC).timestamp())
        except ValueError as error:
            raise typer.BadParameter(f"{text!r} has no such date") from error
    return seconds * SECOND_NS + int((found["fraction"] or "").ljust(9, "0"))


SymbolsOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--symbols", metavar="NAMES", help="Only these symbols of a recording, such as AAPL,MSFT."),
]
FromOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--from",
        metavar="TIME",
        parser=recorded_time_ns,
        help="Measure from this time of a recording on, such as 09:30 or 09:30:00.5. What is before builds the book.",
        show_default=False,
    ),
]
ToOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--to",
        metavar="TIME",
        parser=recorded_time_ns,
        help="Read a recording up to this time, not included.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Selection:
    """A part of a recording: `symbols`, empty for all; from `begin_ns` up to `end_ns`, in the recording's time."""

    symbols: frozenset[str] = frozenset()
    begin_ns: int | None = None
    end_ns: int | None = None

    def read_options(self) -> ReadOptions:
        """What a reader is asked to leave out: nothing before the beginning, which builds the book."""
        from lowlat.engine.feed.stream import ReadOptions

        return ReadOptions(self.symbols, self.end_ns)

    def check(self, reader: Reader, file: Path) -> None:
        """Raise `UsageError` if a part of a file is asked for that holds no level-3 events."""
        if self != Selection() and reader.open is None:
            raise UsageError(f"--symbols, --from and --to are for a venue's recording, and {file} is a {reader.noun}")


def selection_of(symbols: str | None, begin_ns: int | None, end_ns: int | None) -> Selection:
    """What the options select. Raises `typer.BadParameter`."""
    names = [name.strip() for name in symbols.split(",")] if symbols is not None else []
    if not all(names):
        raise typer.BadParameter(f"{symbols!r} has an empty name; give names such as AAPL,MSFT", param_hint="--symbols")
    if begin_ns is not None and end_ns is not None and begin_ns >= end_ns:
        raise typer.BadParameter("it is not later than --from", param_hint="--to")
    return Selection(frozenset(names), begin_ns, end_ns)

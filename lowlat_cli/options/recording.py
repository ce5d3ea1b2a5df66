"""A recorded day as the input of a verb: `--symbols`, `--from` and `--to` say which part of it is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import typer

from lowlat.errors import UsageError
from lowlat_cli.options.flow_file import reader_for

if TYPE_CHECKING:
    from lowlat.engine.feed.stream import ReadOptions, TimeBase
    from lowlat.engine.flow.order_flow import Flow
    from lowlat.engine.flow.recording import RecordedFlow, VenueBook
    from lowlat.engine.flow.registry import Reader
    from lowlat_cli.progress import Progress

SECOND_NS: Final = 10**9
_DATED_NS: Final = 25 * 3_600 * SECOND_NS
"""More than any time without a date."""
_TIME: Final = re.compile(
    r"(?:(?P<date>[0-9]{4}-[0-9][0-9]-[0-9][0-9])[T ])?(?P<hour>[0-9][0-9]?):(?P<minute>[0-5][0-9])"
    r"(?::(?P<second>[0-5][0-9])(?:\.(?P<fraction>[0-9]{1,9}))?)?Z?"
)


def recorded_time_ns(value: Any) -> int:
    """Nanoseconds since midnight of `09:30`, `09:30:00` or `09:30:00.5`. With a date, as `2024-01-02T14:30`, they are
    since the Unix epoch, and the time is UTC. Raises `typer.BadParameter`.
    """
    text = str(value)
    found = _TIME.fullmatch(text)
    refusal = typer.BadParameter(f"{text!r} is not a time such as 09:30, 09:30:00.5 or 2024-01-02T14:30")
    if found is None:
        raise refusal
    seconds = int(found["hour"]) * 3_600 + int(found["minute"]) * 60 + int(found["second"] or 0)
    fraction_ns = int((found["fraction"] or "").ljust(9, "0"))
    if seconds * SECOND_NS + fraction_ns > 24 * 3_600 * SECOND_NS:
        raise refusal
    if found["date"]:
        try:
            seconds += int(datetime.fromisoformat(found["date"]).replace(tzinfo=UTC).timestamp())
        except ValueError as error:
            raise typer.BadParameter(f"{text!r} has no such date") from error
    return seconds * SECOND_NS + fraction_ns


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
    """A part of a recording: `symbols`, empty for all; from `begin_ns` up to `end_ns`, in the recording's time.
    `columns`: what those of a table mean.
    """

    symbols: frozenset[str] = frozenset()
    begin_ns: int | None = None
    end_ns: int | None = None
    columns: str | None = None

    @property
    def part(self) -> list[str]:
        """The options that leave something out."""
        given = {"--symbols": self.symbols or None, "--from": self.begin_ns, "--to": self.end_ns}
        return [option for option, value in given.items() if value is not None]

    def read_options(self, progress: Progress | None = None) -> ReadOptions:
        """What a reader is asked to leave out: nothing before the beginning, which builds the book."""
        from lowlat.engine.feed.stream import ReadOptions

        return ReadOptions(self.symbols, self.end_ns, self.columns, self._time_base(), progress)

    def _time_base(self) -> TimeBase | None:
        told = self.end_ns if self.begin_ns is None else self.begin_ns
        return None if told is None else "unix" if told >= _DATED_NS else "midnight"


@dataclass(frozen=True, slots=True)
class RecordedInput:
    """A file of recorded orders, what of it is read, and the venue's own book to compare with (`--expect`)."""

    file: Path
    reader: Reader
    selection: Selection
    expect: Path | None

    def book(self) -> VenueBook | None:
        """The venue's book. Raises what reading it raises."""
        if self.expect is None or self.reader.read_book is None:
            return None
        return self.reader.read_book(self.expect)

    def flow(self, book: VenueBook | None, progress: Progress | None = None) -> RecordedFlow | Flow:
        """The commands, those before the beginning as seeding. Raises what reading the file raises."""
        from lowlat.engine.flow.order_flow import Flow

        recorded = self.reader.flow(self.file, book, self.selection.read_options(progress))
        begin_ns = self.selection.begin_ns
        return recorded if isinstance(recorded, Flow) or begin_ns is None else recorded.measured_from(begin_ns)


def recorded_input(file: Path, formats: list[str] | None, expect: Path | None, selection: Selection) -> RecordedInput:
    """What the arguments name. Raises `UsageError` if the file's format has no such part."""
    reader = reader_for(file, formats, selection.columns)
    if expect is not None and reader.read_book is None:
        raise UsageError(f"--expect is for a venue's recording, and {file} is a {reader.noun}; remove it")
    if (part := selection.part) and reader.open is None:
        are = "is" if len(part) == 1 else "are"
        raise UsageError(
            f"{' and '.join(part)} {are} for a venue's recording, and {file} is a {reader.noun}; remove "
            f"{'it' if len(part) == 1 else 'them'}"
        )
    return RecordedInput(file, reader, selection, expect)


def selection_of(
    symbols: str | None, begin_ns: int | None, end_ns: int | None, columns: str | None = None
) -> Selection:
    """What the options select. Raises `typer.BadParameter`."""
    names = [name.strip() for name in symbols.split(",")] if symbols is not None else []
    if not all(names):
        raise typer.BadParameter(f"{symbols!r} has an empty name; give names such as AAPL,MSFT", param_hint="--symbols")
    if begin_ns is not None and end_ns is not None and (begin_ns >= _DATED_NS) != (end_ns >= _DATED_NS):
        raise typer.BadParameter("give it and --from a date, or neither", param_hint="--to")
    if begin_ns is not None and end_ns is not None and begin_ns >= end_ns:
        raise typer.BadParameter("it is not later than --from", param_hint="--to")
    return Selection(frozenset(names), begin_ns, end_ns, columns)

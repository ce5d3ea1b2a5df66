"""`lowlat convert`: recorded orders in another format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lowlat import units
from lowlat.errors import UsageError
from lowlat_cli.listings import recording_names, writer_names
from lowlat_cli.options.columns import ColumnsOption
from lowlat_cli.options.recording import SymbolsOption, recorded_input, selection_of
from lowlat_cli.options.shared import ColorOption, DebugOption, QuietOption, VerboseOption
from lowlat_cli.progress import Progress, shown_progress
from lowlat_cli.session import color_of
from lowlat_cli.stdio import emit_written, note

if TYPE_CHECKING:
    from lowlat.engine.flow.convert import Conversion
    from lowlat.engine.flow.writers import Writer


def convert(
    ctx: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE... OUT",
            help="Recorded orders: files, folders or patterns of them, or - for stdin; and what to write: a file, or "
            "a directory for several.",
        ),
    ],
    source_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            autocompletion=recording_names,
            help="Format of FILE: {readers}.  [default: detected]",
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="NAME",
            autocompletion=writer_names,
            help="Format of OUT: {writers}.  [default: by its suffix]",
        ),
    ] = None,
    columns: ColumnsOption = None,
    symbols: SymbolsOption = None,
    verbose: VerboseOption = False,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Convert recorded orders: to a table of their level-3 events, or to a journal of the commands of a replay.

    A file is written when it is whole: if reading or writing it fails, or after Ctrl-C, nothing of it is left.

    \b
    Examples:
      lowlat convert day.dbn.zst day.parquet
      lowlat convert day.dbn.zst day.journal                 what 'lowlat replay' sends to the engine
      lowlat convert day.csv day.parquet --columns bitstamp  a table, by what its columns mean
      lowlat convert days/ tables --to parquet               a folder of days, a file for each
      curl -s URL | lowlat convert - day.csv --format dbn
    """
    from lowlat.engine.feed.source import recordings
    from lowlat.engine.flow.convert import check_conversion
    from lowlat.engine.flow.convert import convert as convert_file
    from lowlat.engine.flow.writers import writer_of

    if len(paths) < 2:
        raise UsageError("name recorded orders and the file to write, as in 'lowlat convert day.dbn.zst day.parquet'")
    *named, out = paths
    if str(out) == "-":
        raise UsageError("convert writes a file, which appears when it is whole; name it in place of -")
    sources = recordings(named)
    writer = writer_of(out, to)
    selection = selection_of(symbols, None, None, columns)
    targets = _targets(named, sources, out, writer)
    inputs = [recorded_input(source, [source_format] if source_format else None, None, selection) for source in sources]
    for given, target in zip(inputs, targets, strict=True):
        check_conversion(given.file, target, given.reader, writer)
    with shown_progress(color_of(ctx), verbose=verbose) as progress:
        for number, (given, target) in enumerate(zip(inputs, targets, strict=True)):
            told = _among(progress, given.file, number, len(sources))
            _say(target, convert_file(given.file, target, given.reader, writer, selection.read_options(told)))
    return 0


def _targets(named: list[Path], sources: list[Path], out: Path, writer: Writer) -> list[Path]:
    """What to write for each file: OUT itself for one that is named, else a file of its name in the directory OUT."""
    if sources == named[:1] or (len(named) == 1 and len(sources) == 1 and not named[0].is_dir()):
        return [out / _stem(sources[0], writer) if out.is_dir() else out]
    if not out.is_dir():
        raise UsageError(f"{out}: to convert {units.counted(len(sources), 'file')} needs a directory; create it first")
    targets = [out / _stem(source, writer) for source in sources]
    if len(set(targets)) < len(targets):
        raise UsageError(f"two of the files would become one in {out}; convert them one at a time")
    return targets


def _stem(source: Path, writer: Writer) -> str:
    """The file's name with the suffix of its new format instead of those it has."""
    return f"{source.name.split('.')[0]}.{writer.name}"


def _among(progress: Progress, source: Path, number: int, count: int) -> Progress:
    """Shows how far file `number` of several is as the share of all of them."""

    def told(text: str, share: float | None) -> None:
        progress(text, share if count == 1 else (number + (share or 0.0)) / count)

    told(f"reading {source}", None if count == 1 else 0.0)
    return told


def _say(target: Path, made: Conversion) -> None:
    from lowlat.text import printable

    symbols = units.counted(made.symbols, "symbol")
    emit_written(target, f"wrote {printable(str(target))}: {units.counted(made.count, made.noun)}, {symbols}\n")
    for what, counted in (("left out", made.left_out), ("fault", made.faults)):
        for reason, count in counted.items():
            note(f"{what}: {printable(reason)}: {count:,}")
    for line in made.notes:
        note(line)

"""Recorded orders as an argument, and `--format`, which names both the reader of the file and the output."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from lowlat.errors import UsageError
from lowlat_cli.listings import reader_names
from lowlat_cli.options.shared import OutputFormat

if TYPE_CHECKING:
    from lowlat.engine.flow.registry import Reader

_OUTPUTS = ("table", "json")


def _stdin(path: Path) -> Path:
    return Path("/dev/stdin") if str(path) == "-" else path


FlowArgument: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        callback=_stdin,
        help="Recorded orders, plain or .xz, .gz, .bz2, .zst or .zip; a journal; or - for stdin.",
    ),
]

FlowsArgument: TypeAlias = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE",
        help="Recorded orders, plain or .xz, .gz, .bz2, .zst or .zip; a journal; - for stdin, with --format; or "
        "several recordings: files, a folder or a pattern of them.",
    ),
]


def _after_settings(ctx: typer.Context, param: typer.CallbackParam, given: list[str] | None) -> list[str]:
    """Put values from environment or settings file first: a flag may set only one of input and output format."""
    below = param.value_from_envvar(ctx) or ctx.lookup_default(param.name) or ()
    formats = [*below, *(given or ())]
    for name in formats:
        _check_format(name)
    return formats


def _check_format(name: str) -> None:
    if name in _OUTPUTS:  # known without an import
        return
    from lowlat.engine.flow.registry import READERS

    if name not in READERS:
        raise typer.BadParameter(READERS.refusal(name, _OUTPUTS))


FormatsOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="NAME",
        callback=_after_settings,
        autocompletion=reader_names,
        help="Input: {readers}. Output: table or json; --json is short for --format json. May be given once for "
        "each.  [default: detected from FILE, table]",
    ),
]


def output_format(formats: list[str] | None) -> OutputFormat:
    """The output format: the last one given."""
    said = [name for name in formats or () if name in _OUTPUTS]
    return "json" if said and said[-1] == "json" else "table"


def reader_for(file: Path, formats: list[str] | None, columns: str | None = None) -> Reader:
    """The reader for the file: the last one given, that of tables if their columns are, otherwise the one that
    recognizes it. Raises `UsageError`.
    """
    from lowlat.engine.flow.registry import reader_of

    said = [name for name in formats or () if name not in _OUTPUTS]
    name = said[-1] if said else "columns" if columns is not None else None
    if columns is not None and name != "columns":
        raise UsageError(f"--columns is for tables, and --format {name} names another format; remove one")
    return reader_of(file, name, None if said else "--columns")

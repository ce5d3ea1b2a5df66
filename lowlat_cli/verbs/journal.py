"""`lowlat journal`: verify a journal and recover from it, or dump its commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lowlat.errors import OutputPathError
from lowlat_cli.command import Verb, Verbs
from lowlat_cli.destination import Destination
from lowlat_cli.options.shared import ColorOption, DebugOption, FormatOption, OutputOption, VerboseOption, count
from lowlat_cli.progress import shown_progress
from lowlat_cli.session import color_of
from lowlat_cli.stdio import say

if TYPE_CHECKING:
    from rich.console import Console

    from lowlat.engine.journal.file import JournalFile

COMMAND_MAX = 2**63 - 1

journal = typer.Typer(
    name="journal",
    cls=Verbs,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

_FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The journal; it is only read.")]


@journal.callback(invoke_without_command=True)
def journal_root(ctx: typer.Context, _color: ColorOption = None, _debug: DebugOption = False) -> None:
    """Verify a journal, or dump its commands.

    \b
    Examples:
      lowlat journal verify day.journal             is every block intact, and which books does it restore?
      lowlat journal dump day.journal --limit 20    the commands, one per line
      lowlat replay day.journal                     measure the engine with them
    """
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


@journal.command(cls=Verb)
def verify(
    ctx: typer.Context,
    file: _FileArgument,
    output_format: FormatOption = "table",
    output: OutputOption = None,
    verbose: VerboseOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Check every block of a journal, and recover an engine from it.

    A torn tail, left by a crash during a write, is not damage: recovery truncates it. For a damaged journal, the exit
    code is 3, and the message says what to do. The journal may be read while an engine writes it.

    \b
    Examples:
      lowlat journal verify day.journal
      lowlat journal verify day.journal --json | jq .recovered
    """
    destination = Destination(output_format, output, color_of(ctx))
    _check_apart(file, output)
    destination.check()

    from lowlat.documents import text
    from lowlat.engine.journal.document import JournalDocument
    from lowlat.engine.journal.errors import JournalDamagedError
    from lowlat.engine.journal.verify import check_journal

    with shown_progress(color_of(ctx), verbose=verbose) as progress:
        check = check_journal(file, progress)

    def draw(on: Console) -> None:
        from lowlat_cli.views.journal import journal_view

        on.print(journal_view(check), highlight=False)

    destination.write(lambda: text(JournalDocument.of(check)), draw)
    if check.problem is not None:
        raise JournalDamagedError(check.problem)
    if check.torn_bytes:
        _tell_torn(check.reason, held=check.held)
    if check.snapshot is not None and check.snapshot.fault is not None:
        say(f"the snapshot was not used: {check.snapshot.fault}")
    return 0


@journal.command(cls=Verb)
def dump(
    ctx: typer.Context,
    file: _FileArgument,
    first: Annotated[
        int,
        typer.Option(
            "--from", metavar="N", parser=count(0, COMMAND_MAX), help="First command to show, counted from 0."
        ),
    ] = 0,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", metavar="N", parser=count(1, COMMAND_MAX), help="Maximum number of commands.  [default: all]"
        ),
    ] = None,
    output_format: FormatOption = "table",
    output: OutputOption = None,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Show the commands of a journal, one per line.

    The table omits fields that are zero and have no meaning for the command type. A damaged journal is shown up to the
    damage; the exit code is then 3.

    \b
    Examples:
      lowlat journal dump day.journal --limit 20
      lowlat journal dump day.journal --from 1M --limit 5 --json
      lowlat journal dump day.journal | grep ' 4711 '
    """
    destination = Destination(output_format, output, color_of(ctx))
    _check_apart(file, output)
    destination.check()

    from lowlat.engine.journal.dump import Listing
    from lowlat.engine.journal.file import JournalFile

    with JournalFile(file) as opened:
        listing = Listing(opened, first, limit)

        def parts(name: str) -> Iterator[str]:
            from lowlat_cli.views.journal import listing_lines

            return listing.document() if name == "json" else listing_lines(listing)

        if destination.stream(parts) and not listing.at_limit:
            _tell_end(opened)
    return 0


def _tell_end(file: JournalFile) -> None:
    """Raises `JournalDamagedError`."""
    from lowlat.engine.journal.records import Fault

    file.check(file.end, file.fault)
    if file.fault is Fault.TORN:
        _tell_torn(file.explain(file.end, file.fault), held=file.held)


def _tell_torn(reason: str | None, *, held: bool) -> None:
    say(f"{reason}; {'an engine is writing it' if held else 'recovery truncates it'}")


def _check_apart(file: Path, output: Path | None) -> None:
    if output is not None and output.resolve() == file.resolve():
        raise OutputPathError(f"-o names the journal {file} itself; name another file")

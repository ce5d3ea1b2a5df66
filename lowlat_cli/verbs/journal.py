"""`lowlat journal`: verify a journal and recover from it, dump its commands, or compact it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lowlat.errors import OutputPathError
from lowlat.inputs import real_path
from lowlat_cli.command import Verb, Verbs
from lowlat_cli.destination import Destination
from lowlat_cli.options.shared import (
    ColorOption,
    DebugOption,
    FormatOption,
    OutputOption,
    QuietOption,
    VerboseOption,
    count,
)
from lowlat_cli.progress import shown_progress
from lowlat_cli.session import color_of
from lowlat_cli.stdio import note

if TYPE_CHECKING:
    from rich.console import Console

    from lowlat.engine.journal.engine import JournaledEngine
    from lowlat.engine.journal.file import JournalFile

COMMAND_MAX = 2**63 - 1
SEGMENTS_MAX = 2**32 - 1

journal = typer.Typer(
    name="journal",
    cls=Verbs,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

_FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The journal; it is only read.")]


@journal.callback(invoke_without_command=True)
def journal_root(
    ctx: typer.Context, _quiet: QuietOption = False, _color: ColorOption = None, _debug: DebugOption = False
) -> None:
    """Verify a journal, dump its commands, or compact it.

    \b
    Examples:
      lowlat journal verify day.journal             is every block intact, and which books does it restore?
      lowlat journal dump day.journal --limit 20    the commands, one per line
      lowlat journal compact day.journal            replace all commands by a snapshot
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
    _quiet: QuietOption = False,
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
        _tell_torn(check.reason, check.whole.end.sequence, held=check.held)
    if check.snapshot is not None and check.snapshot.fault is not None:
        note(f"the snapshot was not used: {check.snapshot.fault}")
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
    _quiet: QuietOption = False,
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


@journal.command(cls=Verb)
def compact(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The journal. No engine may be writing it.")],
    keep: Annotated[
        int,
        typer.Option(
            "--keep",
            metavar="N",
            parser=count(0, SEGMENTS_MAX),
            help="How many of the segments before the snapshot to keep.",
        ),
    ] = 0,
    output_format: FormatOption = "table",
    output: OutputOption = None,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Replace the commands of a journal by a snapshot, to make it small.

    Recovers the engine, begins a new segment, writes a snapshot, restores it as a check, and removes the segments
    before it. Killed at any moment, it leaves a journal that gives the same books. An engine that is running compacts
    its own journal: JournaledEngine.compact().

    \b
    Examples:
      lowlat journal compact day.journal
      lowlat journal compact day.journal --keep 2
    """
    destination = Destination(output_format, output, color_of(ctx))
    _check_apart(file, output)
    destination.check()

    from lowlat.documents import text
    from lowlat.engine.journal.compaction_document import CompactionDocument
    from lowlat.engine.journal.engine import JournaledEngine

    with JournaledEngine.recover(file) as engine:
        _tell_recovery(engine)
        done = engine.compact(keep)

    def draw(on: Console) -> None:
        from lowlat_cli.views.journal import compaction_view

        on.print(compaction_view(file, done), highlight=False)

    destination.write(lambda: text(CompactionDocument.of(file, done)), draw)
    return 0


def _tell_recovery(engine: JournaledEngine) -> None:
    recovery = engine.recovery
    assert recovery is not None  # it was recovered
    if recovery.torn is not None:
        note(f"{recovery.torn}; it was cut off, to resume with command {recovery.commands:,}")
    if recovery.snapshot_fault is not None:
        note(f"the snapshot was not used: {recovery.snapshot_fault}")
    if recovery.damage is not None:
        note(f"{recovery.damage}; the snapshot replaces that part")


def _tell_end(file: JournalFile) -> None:
    """Raises `JournalDamagedError`."""
    from lowlat.engine.journal.records import Fault

    file.check(file.stop)
    if file.fault is Fault.TORN:
        _tell_torn(file.explain(file.stop), file.end.sequence, held=file.held)


def _tell_torn(reason: str | None, commands: int, *, held: bool) -> None:
    then = "an engine is writing it" if held else f"recovery truncates it, to resume with command {commands:,}"
    note(f"{reason}; {then}")


def _check_apart(file: Path, output: Path | None) -> None:
    if output is None:
        return
    from lowlat.engine.journal.names import is_of_journal

    if is_of_journal(real_path(output), real_path(file)):
        raise OutputPathError(f"-o names a file of the journal {file} itself; name another file")

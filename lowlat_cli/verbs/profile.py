"""`lowlat profile`: list, show, fit and check profiles of synthetic order flow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lowlat.errors import ExitCode, OutputPathError
from lowlat.inputs import real_path
from lowlat_cli.command import Verb, Verbs
from lowlat_cli.destination import Destination
from lowlat_cli.listings import profiles
from lowlat_cli.options.columns import ColumnsOption
from lowlat_cli.options.flow_file import FlowArgument, FormatsOption, output_format, reader_for
from lowlat_cli.options.shared import (
    SEED_MAX,
    ColorOption,
    DebugOption,
    FormatOption,
    OutputOption,
    QuietOption,
    VerboseOption,
    count,
)
from lowlat_cli.progress import Progress, shown_progress
from lowlat_cli.session import color_of
from lowlat_cli.stdio import emit, note

if TYPE_CHECKING:
    from rich.console import Console

    from lowlat.engine.flow.order_flow import Flow
    from lowlat.engine.flow.recording import RecordedFlow
    from lowlat.engine.flow.registry import Reader


profile = typer.Typer(
    name="profile",
    cls=Verbs,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

_NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="PROFILE", autocompletion=profiles, help="A built-in profile ({profiles}), or the path of a .toml file."
    ),
]
_TomlOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write to FILE instead of stdout, atomically."),
]


@profile.callback(invoke_without_command=True)
def profile_root(
    ctx: typer.Context, _quiet: QuietOption = False, _color: ColorOption = None, _debug: DebugOption = False
) -> None:
    """List, show, fit and check profiles, which describe synthetic order flow.

    \b
    Examples:
      lowlat profile list                                   or, for short: lowlat profiles
      lowlat profile show steady -o mine.toml               a copy to edit; for short: lowlat profiles steady
      lowlat profile fit day_message.csv.xz -o mine.toml    one that resembles a recorded flow
      lowlat profile check mine.toml day_message.csv.xz     where does it fit, and where not?
      lowlat bench --profile mine.toml
    """
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


@profile.command("list", cls=Verb)
def list_profiles(
    ctx: typer.Context,
    output_format: FormatOption = "table",
    output: OutputOption = None,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """List the built-in profiles.

    \b
    Examples:
      lowlat profile list
      lowlat profile list --json | jq -r .profiles[].name
    """
    destination = Destination(output_format, output, color_of(ctx))
    destination.check()

    from lowlat.documents import text
    from lowlat.engine.flow.profile_document import built_in_profiles

    document = built_in_profiles()

    def draw(on: Console) -> None:
        from lowlat_cli.views.profile import profiles_view

        on.print(profiles_view(document), highlight=False)

    destination.write(lambda: text(document), draw)
    return 0


@profile.command(cls=Verb)
def show(
    name: _NameArgument,
    output: _TomlOption = None,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Print a profile as TOML, to start one of your own from.

    \b
    Examples:
      lowlat profile show steady
      lowlat profile show burst -o mine.toml
    """
    from lowlat.engine.flow.profile import profile_toml

    _check_output(output, Path(name))
    _deliver(profile_toml(name), output)
    return 0


@profile.command(cls=Verb)
def fit(
    ctx: typer.Context,
    file: FlowArgument,
    formats: FormatsOption = None,
    columns: ColumnsOption = None,
    output: _TomlOption = None,
    verbose: VerboseOption = False,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Fit a profile to a recorded flow, and print it as TOML.

    The profile holds statistics only, each of at least ten orders, and no row of the flow: it can be shared where the
    recording may not. What the flow does not show is named in comments and on stderr. The output is always TOML.

    \b
    Examples:
      lowlat profile fit AAPL_message_50.csv.xz -o mine.toml
      lowlat profile fit day.journal -o mine.toml && lowlat bench --profile mine.toml
    """
    _check_output(output, file)
    reader = reader_for(file, formats, columns)

    from lowlat.engine.flow.statistics.recorded import recorded_profile

    with shown_progress(color_of(ctx), verbose=verbose) as progress:
        recorded = _read(reader, file, columns, progress)
        text, notes = recorded_profile(recorded, progress)
    _deliver(text, output)
    for caveat in notes:
        note(caveat)
    return 0


@profile.command(cls=Verb)
def check(
    ctx: typer.Context,
    name: _NameArgument,
    file: FlowArgument,
    formats: FormatsOption = None,
    columns: ColumnsOption = None,
    seed: Annotated[
        int, typer.Option("--seed", metavar="S", parser=count(0, SEED_MAX), help="Random seed of the profile's flow.")
    ] = 1,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with code 1 if any figure of the profile fits poorly.")
    ] = False,
    output: OutputOption = None,
    verbose: VerboseOption = False,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Compare the flow of a profile with a recorded one, figure by figure.

    Distributions are compared by their Kolmogorov-Smirnov distance and shares by their difference, which fit poorly
    above 0.1; other figures by their ratio, which fits poorly above 1.5.

    \b
    Examples:
      lowlat profile check mine.toml AAPL_message_50.csv.xz
      lowlat profile check steady day.journal --json | jq '.figures[] | select(.verdict == "poor")'
      lowlat profile check mine.toml day.journal --strict    exit code 1 if it fits poorly
    """
    destination = Destination(output_format(formats), output, color_of(ctx))
    _check_output(output, file)
    reader = reader_for(file, formats, columns)

    from lowlat.documents import text
    from lowlat.engine.flow.profile import load_profile
    from lowlat.engine.flow.statistics.check_fit import check_fit

    checked = load_profile(name)
    with shown_progress(color_of(ctx), verbose=verbose) as progress:
        made = check_fit(checked, _read(reader, file, columns, progress), seed, progress)

    def draw(on: Console) -> None:
        from lowlat_cli.views.profile import check_view

        for part in check_view(made):
            on.print(part, highlight=False)

    destination.write(lambda: text(made), draw)
    return ExitCode.GATE_FAILED if strict and made.poor else ExitCode.OK


def _read(reader: Reader, file: Path, columns: str | None, progress: Progress) -> RecordedFlow | Flow:
    from lowlat.engine.feed.stream import ReadOptions

    progress(f"reading the {reader.noun}", 0.0)
    return reader.flow(file, options=ReadOptions(columns=columns, progress=progress))


def _check_output(output: Path | None, source: Path) -> None:
    """Check before the work whether the file can be written. Raises `OutputPathError`."""
    from lowlat.files import check_writable

    if output is None:
        return
    if real_path(output) == real_path(source):
        raise OutputPathError(f"-o names {source} itself, which is read; name another file")
    check_writable(output)


def _deliver(toml: str, output: Path | None) -> None:
    from lowlat.files import write_atomically
    from lowlat.text import printable_lines

    if output is None:
        return emit(printable_lines(toml))
    write_atomically(output, toml)
    note(f"wrote {output}")
    return None

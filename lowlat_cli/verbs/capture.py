"""`lowlat capture`: all that is needed to look into a host's latency elsewhere, in one folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lowlat_cli.destination import Destination
from lowlat_cli.options.identity import WithIdentityOption
from lowlat_cli.options.lock import WAIT_S, NoLockOption, WaitOption, alone
from lowlat_cli.options.shared import (
    ColorOption,
    DebugOption,
    FormatOption,
    OutputOption,
    QuietOption,
    VerboseOption,
    duration_s,
)
from lowlat_cli.progress import shown_progress
from lowlat_cli.session import color_of
from lowlat_cli.verbs.jitter import DURATION_MAX_S, DURATION_MIN_S

if TYPE_CHECKING:
    from rich.console import Console


def capture(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Directory to write: a new one, or an empty one.")],
    duration: Annotated[
        float,
        typer.Option(
            "--duration",
            metavar="TIME",
            parser=duration_s(DURATION_MIN_S, DURATION_MAX_S),
            help="How long to watch for jitter, 10ms to 1h.  [default: 10s]",
            show_default=False,
        ),
    ] = 10.0,
    with_identity: WithIdentityOption = False,
    wait: WaitOption = WAIT_S,
    no_lock: NoLockOption = False,
    output_format: FormatOption = "table",
    output: OutputOption = None,
    verbose: VerboseOption = False,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Capture this host to report a problem: topology, doctor, clock, jitter, kernel command line. Names nobody.

    \b
    Examples:
      lowlat capture problem                  writes the directory problem, in about 15 seconds
      lowlat capture problem --duration 60s   watches for a minute
      lowlat doctor --root problem            read it back, on any host
      lowlat topology --root problem
    """
    destination = Destination(output_format, output, color_of(ctx), verbose=verbose)
    destination.check()

    from lowlat.documents import text
    from lowlat.files import check_new_folder
    from lowlat_cli.capture import capture_bundle

    check_new_folder(folder)  # before the wait for another measurement
    with alone(ctx, wait, no_lock=no_lock), shown_progress(color_of(ctx), verbose=verbose) as progress:
        found = capture_bundle(folder, duration, progress, with_identity=with_identity)

    def draw(on: Console) -> None:
        from lowlat_cli.views.capture import capture_view

        on.print(*capture_view(found, folder), sep="\n", highlight=False)

    destination.write(lambda: text(found), draw)
    return 0

"""`lowlat topology`: what a host is made of, this one or a captured one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lowlat.errors import UsageError
from lowlat_cli.destination import Destination
from lowlat_cli.options.shared import ColorOption, DebugOption, FormatOption, OutputOption
from lowlat_cli.session import color_of
from lowlat_cli.stdio import say

if TYPE_CHECKING:
    from rich.console import Console

    from lowlat.probes.cache_line import CacheLine


class NotMeasurableError(UsageError):
    """A measurement asked of a host that is not the running one."""


def topology(
    ctx: typer.Context,
    root: Annotated[
        Path,
        typer.Option(
            "--root",
            metavar="DIR|ARCHIVE",
            help="Look at another host: a folder that holds sys/ and proc/, or a snapshot.",
        ),
    ] = Path("/"),
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure the cache line and the prefetchers too, in about a second.")
    ] = False,
    capture: Annotated[
        Path | None,
        typer.Option(
            "--capture", metavar="FILE.tar.xz", help="Write a snapshot that --root reads anywhere, to the same answer."
        ),
    ] = None,
    output_format: FormatOption = "table",
    output: OutputOption = None,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Show packages, cores, caches, NUMA nodes, and the CPUs left to this process.

    \b
    Examples:
      lowlat topology                           this host, a hypervisor or container named first
      lowlat topology --measure                 is a cache line really what the system says?
      lowlat topology --capture host.tar.xz     keep it, to look at it elsewhere
      lowlat topology --root host.tar.xz --json the same answer as a document
    """
    if measure and root != Path("/"):
        raise NotMeasurableError(f"--measure needs the running host, --root {root} is a copy; leave one of them out")
    destination = Destination(output_format, output, color_of(ctx))
    destination.check()

    from lowlat.probes.host.snapshot import capture as write_snapshot
    from lowlat.probes.host.snapshot import open_root
    from lowlat.probes.topology import read_topology, topology_document

    tree = open_root(root)
    if capture is not None:
        say(f"wrote {capture}: {write_snapshot(capture, tree)} files")
        tree = open_root(capture)  # what is shown is what was kept
    found = read_topology(tree)
    line = _measured() if measure else None

    def document() -> str:
        from lowlat.probes.cache_line import cache_line_document

        whole = topology_document(found) | ({"cache_line": cache_line_document(line)} if line else {})
        return json.dumps(whole, indent=2, allow_nan=False) + "\n"

    def draw(on: Console) -> None:
        from lowlat_cli.views.cache_line import cache_line_view
        from lowlat_cli.views.topology import topology_view

        on.print(*topology_view(found), *(cache_line_view(line) if line else ()), sep="\n", highlight=False)

    destination.write(document, draw)
    return 0


def _measured() -> CacheLine:
    from lowlat.probes.cache_line import measure_cache_line
    from lowlat.probes.clock.counter import calibrate_quick

    return measure_cache_line(calibrate_quick().frequency_hz)

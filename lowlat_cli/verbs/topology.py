"""`lowlat topology`: the hardware topology of this host or of a captured one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lowlat import units
from lowlat.errors import UsageError
from lowlat_cli.destination import Destination
from lowlat_cli.options.identity import WithIdentityOption
from lowlat_cli.options.lock import WAIT_S, NoLockOption, WaitOption, alone
from lowlat_cli.options.shared import ColorOption, DebugOption, FormatOption, OutputOption, QuietOption, VerboseOption
from lowlat_cli.session import color_of
from lowlat_cli.stdio import note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

    from lowlat.probes.cache_line import CacheLine
    from lowlat.probes.memory.level_latency import LevelLatency
    from lowlat.probes.reading import Reading
    from lowlat.probes.topology import Topology


def topology(
    ctx: typer.Context,
    root: Annotated[
        Path,
        typer.Option(
            "--root",
            metavar="DIR|ARCHIVE",
            help="Show another host: a directory with sys/ and proc/, or a snapshot.",
        ),
    ] = Path("/"),
    measure: Annotated[
        bool,
        typer.Option(
            "--measure",
            help="Also measure the latency of each cache, the size of a line and the prefetchers; takes some seconds.",
        ),
    ] = False,
    capture: Annotated[
        Path | None,
        typer.Option("--capture", metavar="FILE.tar.xz", help="Write a snapshot that --root can read on any host."),
    ] = None,
    with_identity: WithIdentityOption = False,
    verbose: VerboseOption = False,
    wait: WaitOption = WAIT_S,
    no_lock: NoLockOption = False,
    output_format: FormatOption = "table",
    output: OutputOption = None,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Show packages, cores, caches, NUMA nodes, and the CPUs available to this process.

    \b
    Examples:
      lowlat topology                             this host, and its hypervisor or container
      lowlat topology -v                          also caches, nodes, devices, mitigations, CPU sets
      lowlat topology --measure                   how long does a load from each cache take?
      lowlat topology --capture host.tar.xz       save a snapshot, to view elsewhere
      lowlat topology --root host.tar.xz --json  the same, as a JSON document
    """
    if measure and root != Path("/"):
        raise UsageError(f"--measure needs the running host, but --root {root} is a snapshot; remove one of them")
    if with_identity and capture is None:
        raise UsageError("--with-identity is for a snapshot; add --capture FILE.tar.xz, or leave it out")
    destination = Destination(output_format, output, color_of(ctx), verbose=verbose)
    destination.check()

    from lowlat.probes.host.snapshot import capture as write_snapshot
    from lowlat.probes.host.snapshot import open_root
    from lowlat.probes.topology import read_topology

    tree = open_root(root)
    if capture is not None:
        note(f"wrote {capture}: {units.plural(write_snapshot(capture, tree, with_identity=with_identity), 'file')}")
        tree = open_root(capture)  # show what the snapshot holds
    found = read_topology(tree)
    with alone(ctx, wait, no_lock=no_lock or not measure):
        measured = _measured(found) if measure else None

    def document() -> str:
        from lowlat.documents import text
        from lowlat.probes.topology.document import TopologyDocument

        return text(TopologyDocument.of(found, *(measured or ())))

    def draw(on: Console) -> None:
        from lowlat_cli.views.topology import topology_view
        from lowlat_cli.views.topology_screen import topology_screen

        view = topology_view if verbose else topology_screen
        on.print(*view(found), *(_measured_view(*measured) if measured else ()), sep="\n", highlight=False)

    destination.write(document, draw)
    return 0


def _measured(topology: Topology) -> tuple[CacheLine, Reading[tuple[LevelLatency, ...]]]:
    from lowlat.probes.cache_line import measure_cache_line
    from lowlat.probes.clock.counter import calibrate_quick
    from lowlat.probes.memory.level_latency import measure_levels

    clock_hz = calibrate_quick().frequency_hz
    return measure_cache_line(clock_hz, topology=topology), measure_levels(topology, clock_hz)


def _measured_view(line: CacheLine, levels: Reading[tuple[LevelLatency, ...]]) -> Iterator[RenderableType]:
    from lowlat_cli.views.cache_line import cache_line_view
    from lowlat_cli.views.level_latency import level_latency_view

    yield from level_latency_view(levels)
    yield from cache_line_view(line)

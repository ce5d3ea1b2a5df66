"""`lowlat doctor`: is this host tuned, and what can be changed?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from lowlat import units
from lowlat.errors import ExitCode, UsageError
from lowlat_cli.destination import Destination
from lowlat_cli.options.shared import ColorOption, DebugOption, FormatOption, OutputOption, QuietOption, VerboseOption
from lowlat_cli.session import color_of
from lowlat_cli.stdio import note

if TYPE_CHECKING:
    from rich.console import Console

    from lowlat.probes.cpu.cpu_sets import Cpus
    from lowlat.probes.doctor.examination import Examination
    from lowlat.probes.host.host_tree import HostTree

HostProfile: TypeAlias = Literal["latency", "repeatable-benchmark"]
FailOn: TypeAlias = Literal["warn", "fail"]


def doctor(
    ctx: typer.Context,
    purpose: Annotated[
        HostProfile,
        typer.Option("--profile", help="What the host is to be good at. They differ on turbo."),
    ] = "latency",
    cpus: Annotated[
        str | None,
        typer.Option(
            "--cpus",
            metavar="LIST",
            help="CPUs whose latency counts, such as 2-3, beside the isolated ones.  [default: isolated ones]",
        ),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option("--only", metavar="NAME[,..]", help="Only these checks, or groups of checks."),
    ] = None,
    root: Annotated[
        Path,
        typer.Option(
            "--root",
            metavar="DIR|ARCHIVE",
            help="Examine another host: a directory with sys/ and proc/, or a snapshot.",
        ),
    ] = Path("/"),
    fix_script: Annotated[
        Path | None,
        typer.Option(
            "--fix-script",
            metavar="FILE",
            help="Write a shell script that makes the changes, and can undo them. It is not run.",
        ),
    ] = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option("--fail-on", help="Exit with 1 if a check has this status, or a worse one."),
    ] = None,
    verbose: VerboseOption = False,
    _quiet: QuietOption = False,
    output_format: FormatOption = "table",
    output: OutputOption = None,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Check how this host is tuned, in about two seconds, and say how to change what is not. Changes nothing.

    \b
    Examples:
      lowlat doctor                             what is wrong, the worst first
      lowlat doctor -v                          every check, with path, cost and fix
      lowlat doctor --cpus 2-3                  judge CPUs 2 and 3 as if they were isolated
      lowlat doctor --only memory,clock-source  a group, and a check
      lowlat doctor --fix-script tune.sh        review it; 'sh tune.sh' changes, 'sh tune.sh undo' restores
      lowlat doctor --fail-on fail              in CI: exit code 1 if a check fails
    """
    if fix_script is not None and root != Path("/"):
        raise UsageError(f"--fix-script is for the running host, but --root {root} is another; remove one of them")
    destination = Destination(output_format, output, color_of(ctx), verbose=verbose)
    destination.check()

    from lowlat.documents import text
    from lowlat.probes.doctor.examination import examine_tree
    from lowlat.probes.host.snapshot import open_root

    if fix_script is not None:
        from lowlat.files import check_writable

        check_writable(fix_script)
    tree = open_root(root)
    names = () if only is None else tuple(dict.fromkeys(name.strip() for name in only.split(",")))
    found = examine_tree(tree, names, purpose, _chosen(cpus, tree))

    def draw(on: Console) -> None:
        from lowlat_cli.views.doctor import doctor_view

        on.print(*doctor_view(found, verbose=verbose, width=on.width), sep="\n", highlight=False)

    if fix_script is not None:
        _write_script(fix_script, found)
    destination.write(lambda: text(found), draw)
    return ExitCode.GATE_FAILED if _fails(found, fail_on) else ExitCode.OK


def _chosen(cpus: str | None, tree: HostTree) -> Cpus:
    """The checked CPUs of `--cpus`. They must be online; this process need not be allowed to use them."""
    if cpus is None:
        return ()
    from lowlat.probes.cpu.affinity import requested_cpus
    from lowlat.probes.cpu.cpu_sets import cpu_sets

    return requested_cpus(cpus, cpu_sets(tree).of_another_process)


def _write_script(path: Path, found: Examination) -> None:
    from lowlat.files import write_atomically
    from lowlat.probes.doctor.fix_script import fixable, script_of

    write_atomically(path, script_of(found))
    count = units.plural(len(fixable(found)), "change")
    note(f"wrote {path}: {count}; review it, then run it as root: sh {path}, and sh {path} undo")


def _fails(found: Examination, fail_on: FailOn | None) -> bool:
    if fail_on is None:
        return False
    return bool(found.count("fail") or (fail_on == "warn" and found.count("warn")))

"""`lowlat fleet`: the same measurement once on each of many hosts; which of them differ, and in what."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from lowlat.errors import ExitCode
from lowlat_cli.cluster_workers import tell_refused
from lowlat_cli.command import Verb, Verbs, full_command
from lowlat_cli.destination import Destination
from lowlat_cli.options.cluster import HostsOption, LocalOption, SchedulerOption, cluster_place
from lowlat_cli.options.lock import WAIT_MAX_S, NoLockOption
from lowlat_cli.options.shared import ColorOption, DebugOption, QuietOption, VerboseOption, duration_s, output_by_name
from lowlat_cli.session import color_of
from lowlat_cli.signals import interrupted_exit_code
from lowlat_cli.stdio import note, say

if TYPE_CHECKING:
    from lowlat.fleet.dispatch import FleetRuns
    from lowlat.fleet.gate import FleetRule
    from lowlat.fleet.host_task import HostTask
    from lowlat.fleet.place import ClusterPlace
    from lowlat.fleet.store import FleetFolder, KeptRun
    from lowlat.reports.model.fleet import Fleet

TIME_LIMIT_S = 600.0
_Format: TypeAlias = Literal["table", "json", "md", "html"]
_FormatOption: TypeAlias = Annotated[
    _Format, typer.Option("--format", "--to", help="Output format; --json is short for --format json.")
]
_GateOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--gate",
        metavar="METRIC=N%",
        help="Fail when a host's METRIC is worse than the fleet's median by more than N%, such as p99=10%. Repeatable.",
    ),
]
_StrictOption: TypeAlias = Annotated[
    bool, typer.Option("--strict", help="Exit with 3 if a host has no valid report, instead of 0.")
]

fleet = typer.Typer(
    name="fleet",
    cls=Verbs,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@fleet.callback(invoke_without_command=True)
def fleet_root(
    ctx: typer.Context, _quiet: QuietOption = False, _color: ColorOption = None, _debug: DebugOption = False
) -> None:
    """Run a verb once on each host of a Dask cluster, and find the hosts that differ.

    \b
    Examples:
      lowlat fleet bench --scheduler tcp://node:8786 -o fleet   the same benchmark on every host
      lowlat fleet doctor --scheduler tcp://node:8786 -o fleet  how is each of them tuned?
      lowlat fleet report fleet                                 which differ, and in what
    """
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def _measure(
    ctx: typer.Context,
    scheduler: SchedulerOption = None,
    local: LocalOption = None,
    hosts: HostsOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Keep each host's report in DIR, and go on from those that are there: hosts that have one of the same "
            "options are not measured again.",
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Measure hosts again that have a report in DIR.")] = False,
    time_limit: Annotated[
        float,
        typer.Option(
            "--time-limit",
            metavar="TIME",
            parser=duration_s(0.1, WAIT_MAX_S),
            help="How long a host may take, before it is named and left out.  [default: 10min]",
            show_default=False,
        ),
    ] = TIME_LIMIT_S,
    wait: Annotated[
        float,
        typer.Option(
            "--wait",
            metavar="TIME",
            parser=duration_s(0, WAIT_MAX_S),
            help="How long to wait for another measurement on a host to end.  [default: 0s]",
            show_default=False,
        ),
    ] = 0.0,
    no_lock: NoLockOption = False,
    gate: _GateOption = None,
    strict: _StrictOption = False,
    output_format: _FormatOption = "table",
    verbose: VerboseOption = False,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Replaced for each verb."""
    destination = Destination(output_format, None, color_of(ctx), verbose=verbose)
    destination.check(("md", "html"))
    place = cluster_place(scheduler, local, hosts)

    from lowlat.fleet.gate import parse_fleet_rule
    from lowlat.fleet.host_task import HostTask
    from lowlat.fleet.store import FleetFolder
    from lowlat_cli.fleet_plan import options_of_verb

    verb = str(ctx.info_name)
    rules = [parse_fleet_rule(rule) for rule in gate or ()]
    task = HostTask(verb, options_of_verb(ctx, verb, ctx.args), time_limit, wait, locked=not no_lock)
    folder = None if output is None else FleetFolder(output)
    with nullcontext() if folder is None else folder.prepared(verb):
        runs = _measured(place, task, folder, again=again)
    others = [] if folder is None else [run for run in folder.read_all() if run.record.run.verb != verb]
    return _deliver(ctx, [*runs.runs, *others], rules, destination, strict=strict, interrupted=runs.interrupted)


def _measured(place: ClusterPlace, task: HostTask, folder: FleetFolder | None, *, again: bool) -> FleetRuns:
    from lowlat.fleet.cluster import connected
    from lowlat.fleet.dispatch import measure_hosts

    kept = {} if folder is None or again else {run.record.host: run for run in folder.read_verb(task.verb)}
    note(f"connecting to {place}" if place.local is None else f"starting a cluster of {place}")
    with connected(place, tell_refused) as cluster:
        runs = measure_hosts(cluster, task, kept, _ignore if folder is None else folder.keep, _tell)
        for name in runs.late:
            say(f"{name} joined too late to be measured; with -o DIR, the same command again measures it alone")
        return runs


def _ignore(_run: KeptRun) -> None:
    pass


def _tell(run: KeptRun, ended: int, hosts: int) -> None:
    """The progress line of a host."""
    own = run.record.run
    took = "" if own.elapsed_s is None else f" in {own.elapsed_s:.1f} s"
    why = "" if own.reason is None else f": {own.reason}"
    tell = note if own.outcome == "measured" else say
    tell(f"[{ended}/{hosts}] {run.record.host}: {own.outcome}{took}{why}")


def _deliver(
    ctx: typer.Context,
    runs: list[KeptRun],
    rules: list[FleetRule],
    destination: Destination,
    *,
    strict: bool,
    interrupted: bool = False,
) -> ExitCode:
    from lowlat.documents import text
    from lowlat.fleet.analysis import fleet_of
    from lowlat.reports.outputs.fleet_markdown import fleet_markdown
    from lowlat.reports.terminal.fleet_table import render_fleet
    from lowlat.text import printable_lines

    found = fleet_of(runs, rules, full_command(ctx, sys.argv[1:]), interrupted=interrupted)
    destination.write(
        lambda: text(found),
        lambda on: render_fleet(found, on, every=destination.verbose),
        {"md": lambda: printable_lines(fleet_markdown(found)), **destination.page_of(found)},
    )
    return _exit_code(found, strict=strict)


def _exit_code(found: Fleet, *, strict: bool) -> ExitCode:
    if found.status == "interrupted":
        return interrupted_exit_code()
    nothing = not any(run.outcome == "measured" for host in found.hosts for run in host.runs)
    if nothing or (strict and found.status != "ok"):
        return ExitCode.NOT_VALID
    return ExitCode.GATE_FAILED if found.gate.verdict == "failed" else ExitCode.OK


_PURPOSE = {
    "bench": ("Measure the matching engine once on each host.", "-n 1M --runs 5  which host is slow?"),
    "doctor": ("Check how each host is tuned.", "-o fleet         tuned alike?"),
    "jitter": ("Find what takes the CPU from a busy thread on each host.", "--duration 10s   and why?"),
    "calibrate": ("Measure the time-stamp counter of each host.", "--duration 1s    are clocks alike?"),
}
for _verb, (_what, _example) in _PURPOSE.items():
    fleet.command(
        _verb,
        cls=Verb,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
        help=f"""{_what} Hosts that fail or are busy are named; the others go on.

    Other options are those of 'lowlat {_verb}', the same on every host. A file that they name must be at the same
    absolute path there. With -o, reports of other verbs in DIR are taken into account too.

    \b
    Examples:
      lowlat fleet {_verb} --scheduler tcp://node:8786 {_example}
      lowlat fleet {_verb} --hosts hosts.txt -o fleet --strict
      lowlat fleet {_verb} --local 1                  try it on this host
    """,
    )(_measure)


@fleet.command(cls=Verb)
def report(
    ctx: typer.Context,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="What 'lowlat fleet VERB -o DIR' wrote.")],
    gate: _GateOption = None,
    strict: _StrictOption = False,
    output_format: _FormatOption = "table",
    output: Annotated[
        Path | None, output_by_name("*.json, *.html (a page; needs the extra lowlat[html]), *.md")
    ] = None,
    verbose: VerboseOption = False,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Show which hosts of a directory of reports differ, and in what. Runs nothing, and needs no Dask.

    \b
    Examples:
      lowlat fleet report fleet                  which hosts differ, and in what
      lowlat fleet report fleet -o fleet.html    a page: hosts by metric, the worst the darkest
      lowlat fleet report fleet --gate p99=10%   exit code 1 if a host is over 10% above the median
    """
    destination = Destination(output_format, output, color_of(ctx), verbose=verbose)
    destination.check(("md", "html"))

    from lowlat.fleet.gate import parse_fleet_rule
    from lowlat.fleet.store import FleetFolder

    rules = [parse_fleet_rule(rule) for rule in gate or ()]
    return _deliver(ctx, FleetFolder(directory).read(), rules, destination, strict=strict)

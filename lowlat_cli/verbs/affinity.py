"""`lowlat affinity`: where threads may run, where they should, and starting a command there."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lowlat.errors import UsageError
from lowlat_cli.command import Verb, Verbs
from lowlat_cli.destination import Destination
from lowlat_cli.options.shared import ColorOption, DebugOption, FormatOption, OutputOption, count
from lowlat_cli.session import color_of

if TYPE_CHECKING:
    from rich.console import Console

    from lowlat.probes.cpu.threads import ThreadAffinity

PID_MAX = 1 << 22
"""Process ids are below this on every Linux (PID_MAX_LIMIT)."""
NODE_MAX = 1023
"""CONFIG_NODES_SHIFT is at most 10."""

affinity = typer.Typer(
    name="affinity",
    cls=Verbs,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

_ListArgument = Annotated[str, typer.Argument(metavar="LIST", help="CPUs, such as 3 or 0-3,8; all: all online.")]
_RootOption = Annotated[
    Path,
    typer.Option("--root", metavar="DIR|ARCHIVE", help="Plan for another host: a folder or a snapshot of 'topology'."),
]


class NothingToBindError(UsageError):
    """Options that together ask for nothing, or that need one another."""


@affinity.callback(invoke_without_command=True)
def affinity_root(ctx: typer.Context, _color: ColorOption = None, _debug: DebugOption = False) -> None:
    """Show and set where threads run, plan it, or start a command there.

    \b
    Examples:
      lowlat affinity show 1234                     every thread of a process
      lowlat affinity set 1234 2-3                  bind all of them, and read it back
      lowlat affinity run --cpus 3 -- ./engine -v   start a command on CPU 3
      lowlat affinity plan --roles producer=2,matcher,publisher
    """
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


@affinity.command(cls=Verb)
def show(
    ctx: typer.Context,
    pid: Annotated[
        int | None,
        typer.Argument(
            metavar="PID", parser=count(1, PID_MAX), help="A process.  [default: this one, as what it starts inherits]"
        ),
    ] = None,
    output_format: FormatOption = "table",
    output: OutputOption = None,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Show where each thread of a process may run, and where it ran last.

    \b
    Examples:
      lowlat affinity show          what a command started from here may use
      lowlat affinity show 1234     every thread of process 1234
      lowlat affinity show 1234 --json
    """
    destination = Destination(output_format, output, color_of(ctx))
    destination.check()

    from lowlat.probes.cpu.threads import threads_of

    number = pid or os.getpid()
    _write_threads(destination, number, threads_of(number))
    return 0


@affinity.command("set", cls=Verb)
def set_(
    ctx: typer.Context,
    pid: Annotated[int, typer.Argument(metavar="PID", parser=count(1, PID_MAX), help="A process.")],
    cpus: _ListArgument,
    output_format: FormatOption = "table",
    output: OutputOption = None,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Bind every thread of a process to CPUs; show what the kernel then says.

    \b
    Examples:
      lowlat affinity set 1234 2        all threads of process 1234 on CPU 2
      lowlat affinity set 1234 0-3,8
    """
    destination = Destination(output_format, output, color_of(ctx))
    destination.check()

    from lowlat.probes.cpu.affinity import requested_cpus
    from lowlat.probes.cpu.cpu_sets import cpu_sets
    from lowlat.probes.cpu.threads import pin_process, threads_of

    threads_of(pid)  # a process that is not there is worth more than a CPU that is not
    _write_threads(destination, pid, pin_process(pid, requested_cpus(cpus, cpu_sets().of_another_process)))
    return 0


@affinity.command(cls=Verb, context_settings={"allow_interspersed_args": False})
def run(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="What to start; what follows is its own.")],
    cpus: Annotated[
        str,
        typer.Option(
            "--cpus", metavar="LIST", help="CPUs, such as 3 or 0-3,8; all: the whole cpuset; auto: one by plan."
        ),
    ],
    node: Annotated[
        int | None,
        typer.Option("--node", metavar="N", parser=count(0, NODE_MAX), help="Take memory from this NUMA node first."),
    ] = None,
    membind: Annotated[
        bool, typer.Option("--membind", help="With --node: from no other node, even when it is full.")
    ] = False,
    fifo: Annotated[
        int | None,
        typer.Option("--fifo", metavar="PRIO", parser=count(1, 99), help="Real-time scheduling, SCHED_FIFO, 1 to 99."),
    ] = None,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Become a command that runs on given CPUs.

    The command replaces this process: signals reach it, and the exit code is its own. 127 if there is no such command,
    126 if it cannot be started, as from a shell; 2 if the CPUs, the node or the priority cannot be had.

    \b
    Examples:
      lowlat affinity run --cpus 3 -- ./engine --verbose
      lowlat affinity run --cpus 8-15 --node 1 --membind -- ./engine
      lowlat affinity run --cpus auto --fifo 50 -- ./engine
    """
    if membind and node is None:
        raise NothingToBindError("--membind binds memory to a node; name it with --node N")

    from lowlat.probes.cpu.affinity import requested_cpus
    from lowlat.probes.cpu.cpu_sets import cpu_sets
    from lowlat.probes.cpu.placement import FIRST_ROLE
    from lowlat.probes.cpu.placement import plan as propose
    from lowlat.probes.cpu.threads import become
    from lowlat.probes.memory.numa_memory import Policy, set_thread_policy

    auto = cpus.strip().lower() == "auto"
    if auto:
        chosen = propose(FIRST_ROLE, memory_node=node).cpus_of(FIRST_ROLE)
    else:
        chosen = requested_cpus(cpus, cpu_sets().beyond_affinity)
    if node is not None:
        set_thread_policy(Policy.BIND if membind else Policy.PREFERRED, node)
    become(command, chosen, fifo)
    raise AssertionError("become() returns by raising only")


@affinity.command(cls=Verb)
def plan(
    ctx: typer.Context,
    roles: Annotated[
        str,
        typer.Option(
            "--roles", metavar="ROLE[=N],...", help="Threads by purpose; the one called matcher chooses first."
        ),
    ] = "producer,matcher,publisher",
    node: Annotated[
        int | None,
        typer.Option(
            "--node",
            metavar="N",
            parser=count(0, NODE_MAX),
            help="NUMA node of the data.  [default: the one with most free cores]",
        ),
    ] = None,
    busy: Annotated[
        str | None, typer.Option("--busy", metavar="LIST", help="CPUs that others use, to stay away from.")
    ] = None,
    root: _RootOption = Path("/"),
    output_format: FormatOption = "table",
    output: OutputOption = None,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Propose a CPU for each thread, and say why.

    Never outside the allowed CPUs; not on the core of a busy one; on the node of the memory; isolated first, CPU 0
    last.

    \b
    Examples:
      lowlat affinity plan
      lowlat affinity plan --roles producer=2,matcher,publisher --busy 0-3
      lowlat affinity plan --root host.tar.xz --json
    """
    destination = Destination(output_format, output, color_of(ctx))
    destination.check()

    from lowlat.probes.cpu.cpulist import parse_cpu_list
    from lowlat.probes.cpu.placement import plan as propose
    from lowlat.probes.cpu.placement import plan_document
    from lowlat.probes.host.snapshot import open_root
    from lowlat.probes.topology import read_topology

    topology = read_topology(open_root(root))
    last_cpu = max(topology.cpu_sets.present.value or (), default=None)
    others = () if busy is None else parse_cpu_list(busy, last_cpu=last_cpu)
    proposal = propose(roles, topology, memory_node=node, busy=others)

    def draw(on: Console) -> None:
        from lowlat_cli.views.affinity import plan_view

        on.print(*plan_view(proposal, topology), sep="\n", highlight=False)

    destination.write(lambda: _text(plan_document(proposal)), draw)
    return 0


def _write_threads(destination: Destination, pid: int, threads: Sequence[ThreadAffinity]) -> None:
    from lowlat.probes.cpu.cpu_sets import cpu_sets
    from lowlat.probes.cpu.threads import threads_document

    sets = cpu_sets()

    def draw(on: Console) -> None:
        from lowlat_cli.views.affinity import threads_view

        on.print(*threads_view(pid, threads, sets), sep="\n", highlight=False)

    destination.write(lambda: _text(threads_document(pid, threads, sets)), draw)


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, allow_nan=False) + "\n"

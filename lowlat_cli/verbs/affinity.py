"""`lowlat affinity`: show, set and plan the CPUs of threads, and run a command on given CPUs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lowlat.errors import UsageError
from lowlat_cli.command import Verb, Verbs
from lowlat_cli.destination import Destination
from lowlat_cli.options.shared import ColorOption, DebugOption, FormatOption, OutputOption, QuietOption, count
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

_ListArgument = Annotated[str, typer.Argument(metavar="LIST", help="CPUs, such as 3 or 0-3,8; all: all online CPUs.")]
_RootOption = Annotated[
    Path,
    typer.Option(
        "--root",
        metavar="DIR|ARCHIVE",
        help="Plan for another host: a directory or a snapshot from 'lowlat topology --capture'.",
    ),
]


@affinity.callback(invoke_without_command=True)
def affinity_root(
    ctx: typer.Context, _quiet: QuietOption = False, _color: ColorOption = None, _debug: DebugOption = False
) -> None:
    """Show, set and plan the CPUs that threads run on, or run a command pinned to CPUs.

    \b
    Examples:
      lowlat affinity show 1234                     every thread of a process
      lowlat affinity set 1234 2-3                  pin all of them, and read it back
      lowlat affinity run --cpus 3 -- ./engine -v   run a command pinned to CPU 3
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
            metavar="PID",
            parser=count(1, PID_MAX),
            help="Process ID.  [default: this process, whose affinity its children inherit]",
        ),
    ] = None,
    output_format: FormatOption = "table",
    output: OutputOption = None,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Show which CPUs each thread of a process may run on, and which it ran on last.

    \b
    Examples:
      lowlat affinity show          the CPUs that a command started here may use
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
    pid: Annotated[int, typer.Argument(metavar="PID", parser=count(1, PID_MAX), help="Process ID.")],
    cpus: _ListArgument,
    output_format: FormatOption = "table",
    output: OutputOption = None,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Pin every thread of a process to CPUs, and show what the kernel reports.

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

    threads_of(pid)  # report a missing process before a missing CPU
    _write_threads(destination, pid, pin_process(pid, requested_cpus(cpus, cpu_sets().of_another_process)))
    return 0


@affinity.command(cls=Verb, context_settings={"allow_interspersed_args": False})
def run(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="The command to run, with its arguments.")],
    cpus: Annotated[
        str,
        typer.Option(
            "--cpus", metavar="LIST", help="CPUs, such as 3 or 0-3,8; all: the whole cpuset; auto: auto-selected."
        ),
    ],
    node: Annotated[
        int | None,
        typer.Option("--node", metavar="N", parser=count(0, NODE_MAX), help="Prefer memory from this NUMA node."),
    ] = None,
    membind: Annotated[
        bool, typer.Option("--membind", help="With --node: only from this node, even when it is full.")
    ] = False,
    fifo: Annotated[
        int | None,
        typer.Option("--fifo", metavar="PRIO", parser=count(1, 99), help="Real-time SCHED_FIFO priority, 1 to 99."),
    ] = None,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Run a command pinned to CPUs (exec).

    The command replaces this process, so it gets the signals, and the exit code is its own. As in a shell, exit code
    127 means command not found, and 126 that it cannot be executed; 2: the CPUs, node or priority are not available.

    \b
    Examples:
      lowlat affinity run --cpus 3 -- ./engine --verbose
      lowlat affinity run --cpus 8-15 --node 1 --membind -- ./engine
      lowlat affinity run --cpus auto --fifo 50 -- ./engine
    """
    if membind and node is None:
        raise UsageError("--membind needs a NUMA node; add --node N")

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
        typer.Option("--roles", metavar="ROLE[=N],...", help="Threads by role; the matcher is placed first."),
    ] = "producer,matcher,publisher",
    node: Annotated[
        int | None,
        typer.Option(
            "--node",
            metavar="N",
            parser=count(0, NODE_MAX),
            help="NUMA node of the data.  [default: the node with the most free cores]",
        ),
    ] = None,
    nic: Annotated[
        str | None,
        typer.Option("--nic", metavar="NAME", help="Start from the NUMA node of this network card, such as eth1."),
    ] = None,
    busy: Annotated[
        str | None, typer.Option("--busy", metavar="LIST", help="CPUs in use by other processes, to avoid.")
    ] = None,
    root: _RootOption = Path("/"),
    output_format: FormatOption = "table",
    output: OutputOption = None,
    _quiet: QuietOption = False,
    _color: ColorOption = None,
    _debug: DebugOption = False,
) -> int:
    """Propose a CPU for each thread, with reasons.

    Only CPUs that this process may use. Avoids cores with a busy SMT sibling, prefers the NUMA node of the data and
    isolated CPUs, and uses CPU 0 last.

    \b
    Examples:
      lowlat affinity plan
      lowlat affinity plan --roles producer=2,matcher,publisher --busy 0-3
      lowlat affinity plan --nic eth1
      lowlat affinity plan --root host.tar.xz --json
    """
    if nic is not None and node is not None:
        raise UsageError(f"--nic {nic} chooses the node, and so does --node {node}; remove one of them")
    destination = Destination(output_format, output, color_of(ctx))
    destination.check()

    from lowlat.documents import text
    from lowlat.probes.cpu.cpulist import parse_cpu_list
    from lowlat.probes.cpu.placement import plan as propose
    from lowlat.probes.cpu.placement_node import node_of_card
    from lowlat.probes.host.snapshot import open_root
    from lowlat.probes.topology import read_topology

    topology = read_topology(open_root(root))
    last_cpu = max(topology.cpu_sets.present.value or (), default=None)
    others = () if busy is None else parse_cpu_list(busy, last_cpu=last_cpu)
    home = node if nic is None else node_of_card(topology, nic)
    proposal = propose(roles, topology, memory_node=home, busy=others)

    def draw(on: Console) -> None:
        from lowlat_cli.views.affinity import plan_view

        on.print(*plan_view(proposal, topology), sep="\n", highlight=False)

    destination.write(lambda: text(proposal), draw)
    return 0


def _write_threads(destination: Destination, pid: int, threads: Sequence[ThreadAffinity]) -> None:
    from lowlat.documents import text
    from lowlat.probes.cpu.cpu_sets import cpu_sets
    from lowlat.probes.cpu.threads import ThreadsDocument

    sets = cpu_sets()

    def draw(on: Console) -> None:
        from lowlat_cli.views.affinity import threads_view

        on.print(*threads_view(pid, threads, sets), sep="\n", highlight=False)

    destination.write(lambda: text(ThreadsDocument.of(pid, threads, sets)), draw)

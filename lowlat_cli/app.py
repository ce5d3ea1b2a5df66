"""The Typer application: the root command and its verbs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any

import typer
from typer.main import get_command

from lowlat_cli.command import PlainVerb, Verb, Verbs
from lowlat_cli.options.shared import ColorOption, DebugOption, QuietOption
from lowlat_cli.separators import CommandsVerb, RecordVerb, SidesVerb
from lowlat_cli.session import Session
from lowlat_cli.verbs.ab import ab
from lowlat_cli.verbs.ablate import ablate
from lowlat_cli.verbs.affinity import affinity
from lowlat_cli.verbs.bench import bench
from lowlat_cli.verbs.book import book
from lowlat_cli.verbs.calibrate import calibrate
from lowlat_cli.verbs.capture import capture
from lowlat_cli.verbs.compare import compare
from lowlat_cli.verbs.completion import complete, completion
from lowlat_cli.verbs.convert import convert
from lowlat_cli.verbs.cores import cores
from lowlat_cli.verbs.doctor import doctor
from lowlat_cli.verbs.fleet import fleet
from lowlat_cli.verbs.help import help_
from lowlat_cli.verbs.init_engine import init_engine
from lowlat_cli.verbs.jitter import jitter
from lowlat_cli.verbs.journal import journal
from lowlat_cli.verbs.league import league
from lowlat_cli.verbs.memory import memory
from lowlat_cli.verbs.profile import profile
from lowlat_cli.verbs.record import record
from lowlat_cli.verbs.replay import replay
from lowlat_cli.verbs.report import report
from lowlat_cli.verbs.topology import topology
from lowlat_cli.verbs.verify import verify

_EPILOG = """
Long options can also be set in the environment (LOWLAT_RUNS=3), or in lowlat.toml or [tool.lowlat] of pyproject.toml in
the current folder (runs = 3), except those that name a file to write or a library to load. Flags override the
environment, which overrides the file. Numbers can be written as 250k or 2M.

Exit codes: 0 ok, 1 a gate or a verification failed, 2 usage, configuration or what the system refuses, 3 run invalid or
not comparable, or journal damaged, 4 inconclusive, 70 internal error, 129 hung up, 130 interrupted, 143 terminated.
"""

app = typer.Typer(
    name="lowlat",
    cls=Verbs,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EPILOG,
)
app.command(cls=Verb, epilog=_EPILOG)(bench)
app.command(cls=Verb, epilog=_EPILOG)(replay)
app.command(cls=Verb, epilog=_EPILOG)(convert)
app.command(cls=RecordVerb, epilog=_EPILOG)(record)
app.command(cls=Verb, epilog=_EPILOG)(report)
app.command(cls=Verb, epilog=_EPILOG)(book)
app.command(cls=Verb, epilog=_EPILOG)(topology)
app.command(cls=Verb, epilog=_EPILOG)(doctor)
app.command(cls=Verb, epilog=_EPILOG)(calibrate)
app.command(cls=Verb, epilog=_EPILOG)(jitter)
app.command(cls=Verb, epilog=_EPILOG)(memory)
app.command(cls=Verb, epilog=_EPILOG)(cores)
app.command(cls=Verb, epilog=_EPILOG)(capture)
app.add_typer(affinity)
app.add_typer(journal)
app.add_typer(profile)
app.add_typer(fleet)
app.command(cls=SidesVerb, epilog=_EPILOG)(compare)
app.command(cls=CommandsVerb, epilog=_EPILOG)(ab)
app.command(cls=Verb, epilog=_EPILOG)(league)
app.command(cls=Verb, epilog=_EPILOG)(ablate)
app.command(cls=Verb, epilog=_EPILOG)(verify)
app.command("init-engine", cls=Verb, epilog=_EPILOG)(init_engine)
app.command("help", cls=PlainVerb)(help_)
app.command(cls=PlainVerb)(completion)
app.command("_complete", cls=PlainVerb, hidden=True)(complete)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"lowlat {version('lowlat')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
    quiet: QuietOption = False,
    color: ColorOption = None,
    debug: DebugOption = False,
) -> None:
    """Benchmarks and diagnostics for low-latency trading systems.

    \b
    Examples:
      lowlat bench                        how fast is the matching engine on this host?
      lowlat bench --profile deep --json  a deep book, as a JSON document
      lowlat replay day_message.csv.xz    recorded orders, checked against the venue's fills
      lowlat convert day.dbn day.parquet  recorded orders in another format
      lowlat record -- ./my_bench         the latencies that your program prints, to compare and gate
      lowlat journal verify day.journal   is the journal intact, and which books does it restore?
      lowlat profile fit day_message.csv  a synthetic flow that resembles a recorded one
      lowlat report a.json --to csv       show, merge, convert and track saved reports
      lowlat book AAPL --watch            the order book that a running engine publishes, live
      lowlat topology                     packages, cores, caches, NUMA nodes, available CPUs
      lowlat doctor                       is this host tuned, and what can be changed?
      lowlat calibrate                    time-stamp counter frequency, to a fraction of a ppm
      lowlat jitter                       what takes the CPU from a busy thread, by cause
      lowlat memory                       latency of each cache and of memory, and bandwidth
      lowlat cores                        how long a cache line takes from one CPU to another
      lowlat capture problem              a host's whole state in a directory, to report a problem
      lowlat affinity plan                which CPU to pin each thread to, and why
      lowlat compare base.json head.json  did latency regress? exit code 1 if so
      lowlat ab --a '' --b '--cpu 0'      two settings, interleaved runs
      lowlat league native ./libmine.so   which engine is faster, and are its trades right?
      lowlat ablate --quick               what is each low-latency technique worth here?
      lowlat fleet bench --hosts nodes    which of many hosts are slow, and why?
      lowlat verify --engine ./mine.so    does your engine do what the native one does?
      lowlat init-engine my-engine        a project for a matching engine of your own
    """
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


@cache
def command_line() -> Any:
    """All verbs with their options, made once in a process: this takes longer than to parse the arguments."""
    return get_command(app)


def run(arguments: Sequence[str], session: Session) -> int:
    """Parse the arguments, run the verb and return its exit code. Exceptions of the verb are not handled here."""
    command = command_line()
    try:
        with command.make_context("lowlat", list(arguments), obj=session) as ctx:
            return int(command.invoke(ctx) or 0)
    except typer.Exit as finished:
        return finished.exit_code

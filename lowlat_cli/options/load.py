"""Options that say how commands reach the engine, and what they add up to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, TypeVar

import typer

from lowlat.errors import UsageError
from lowlat_cli.options.shared import count, is_given
from lowlat_cli.quantity import QuantityError, parse_rate, parse_sweep

if TYPE_CHECKING:
    from lowlat.engine.bench.protocol import Load
    from lowlat.engine.flow.profile import Arrivals

Process: TypeAlias = Literal["constant", "poisson", "burst"]
Parsed = TypeVar("Parsed")

PRODUCERS_MAX = 64
BATCH_MAX = 1 << 20
PACED_S = 2
"""How long a run at a rate takes unless told how many commands."""
SWEPT_S = 1
"""The same at each rate of a sweep."""


@dataclass(frozen=True, slots=True)
class Rates:
    """The rates of a sweep, commands a second, and how they were written."""

    text: str
    per_second: tuple[int, ...]

    def __str__(self) -> str:
        return self.text


def _rates(text: str) -> Rates:
    return Rates(text, parse_sweep(text))


def _parsed(parse: Callable[[str], Parsed]) -> Callable[[Any], Parsed]:
    def parser(value: Any) -> Parsed:
        try:
            return parse(str(value))
        except QuantityError as error:
            raise typer.BadParameter(str(error)) from error

    return parser


PipelineOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--pipeline",
        help="The whole path of an order: producers, order queue, matcher, market data queue, publisher, mapped book; "
        "a thread each.",
    ),
]
ProducersOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--producers",
        metavar="N",
        parser=count(1, PRODUCERS_MAX),
        help="Threads of a pipeline that send commands.  [default: 1]",
    ),
]
RateOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--rate",
        metavar="R",
        parser=_parsed(parse_rate),
        help="Open loop: commands are due at planned times, R a second such as 1M, and latency counts from these.",
    ),
]
ArrivalsOption: TypeAlias = Annotated[
    Process | None,
    typer.Option(
        "--arrivals",
        help="How the planned times lie: evenly, independent of each other, or self-exciting.  [default: constant]",
    ),
]
SweepOption: TypeAlias = Annotated[
    Rates | None,
    typer.Option(
        "--sweep",
        metavar="FROM:TO:STEPS",
        parser=_parsed(_rates),
        help="An open loop at each of STEPS rates, such as 100k:20M:8: latency over throughput, and its knee.",
    ),
]
BooksOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--dir", metavar="DIR", help="Folder of a pipeline's mapped books.  [default: $XDG_RUNTIME_DIR/lowlat]"
    ),
]
LogOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--log",
        metavar="FILE",
        help="Also write latencies while it runs, one interval a second, as an HdrHistogram log (.hlog).",
    ),
]


JournalOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--journal",
        metavar="FILE",
        help="Also measure what a journal costs under each policy, and leave one of the whole flow in FILE.",
    ),
]
BatchOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--batch",
        metavar="N",
        parser=count(1, BATCH_MAX),
        help="Commands that a journal takes, and commits, at a time.  [default: 4096]",
    ),
]


def check_together(ctx: typer.Context, output: Path | None) -> None:
    """Raises `UsageError` for options on the command line that do not go together.

    Those of environment and settings file are for other invocations too: here they go unused.
    """
    given = {name for name, value in ctx.params.items() if value and is_given(ctx, name)}
    pipeline, sweep = ctx.params["pipeline"], ctx.params.get("sweep")
    if not pipeline and "producers" in given:
        raise UsageError("--producers is for a pipeline; add --pipeline")
    if not pipeline and "books" in given:
        raise UsageError("--dir is for the books of a pipeline; add --pipeline")
    if sweep and given & {"pipeline", "rate", "log"}:
        raise UsageError("--sweep sets the rates of an open loop itself; leave out --pipeline, --rate and --log")
    if not ctx.params.get("journal") and "batch" in given:
        raise UsageError("--batch is for a journal; add --journal FILE")
    if "journal" in given and (pipeline or sweep or ctx.params["rate"]):
        raise UsageError("a journal is measured in a closed loop; leave out --pipeline, --rate and --sweep")
    files = {"-o": output, "--log": ctx.params["log"], "--journal": ctx.params.get("journal")}
    named = [(option, file) for option, file in files.items() if file is not None]
    for (one, file), (other, same) in combinations(named, 2):
        if file.resolve() == same.resolve():
            raise UsageError(f"{other} and {one} both name {same}; give each a file of its own")


def load_of(
    *,
    producers: int | None,
    rate: int | None,
    arrivals: Process | None,
    own: Arrivals | None = None,
) -> Load:
    """The load that the options describe; `producers`: of a pipeline, else None; `own`: the arrivals of the profile,
    for what the options leave out.

    Raises `UsageError` for a rate out of bounds, or arrivals without one.
    """
    from lowlat.engine.bench.protocol import ClosedLoop, OpenLoop, Pipeline

    due = _due(rate, arrivals, own)
    if producers is not None:
        return Pipeline(producers, due)
    return OpenLoop(due) if due else ClosedLoop()


def commands_in(load: Load, seconds: int, most: int) -> int:
    """How many commands a run of this load has unless told: `most`, or as many as are due in `seconds`."""
    from lowlat.engine.bench.protocol import ClosedLoop

    due = None if isinstance(load, ClosedLoop) else load.arrivals
    return min(most, due.rate * seconds) if due else most


def _due(rate: int | None, arrivals: Process | None, own: Arrivals | None) -> Arrivals | None:
    from lowlat.engine.flow.profile import RATE_MAX, Arrivals

    if rate is None and own is None:
        if arrivals is not None:
            raise UsageError("--arrivals lie at a rate; add --rate, such as --rate 1M")
        return None
    per_second = rate if rate is not None else own.rate if own else 0
    if not 1 <= per_second <= RATE_MAX:
        raise UsageError(f"--rate {per_second} is outside 1..{RATE_MAX} commands a second")
    process = arrivals or (own.process if own else "constant")
    shaped = own if own and own.process == process else None
    return Arrivals(
        process=process,
        rate=per_second,
        branching=shaped.branching if shaped else None,
        decay_spacings=shaped.decay_spacings if shaped else None,
    )

"""Options for how commands reach the engine, and the load that they describe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, TypeVar

import typer

from lowlat.errors import FormatError, UsageError
from lowlat_cli.options.shared import count, is_given
from lowlat_cli.quantity import parse_rate, parse_sweep

if TYPE_CHECKING:
    from lowlat.engine.bench.protocol import Load
    from lowlat.engine.flow.profile import ArrivalProcess, Arrivals

Process: TypeAlias = Literal["constant", "poisson", "burst", "long-memory"]
Parsed = TypeVar("Parsed")

PRODUCERS_MAX = 64
BATCH_MAX = 1 << 20
PACED_S = 2
"""How long a run at a rate takes unless told how many commands."""
SWEPT_S = 1
"""The same at each rate of a sweep."""


@dataclass(frozen=True, slots=True)
class Rates:
    """The rates of a sweep, in commands per second, and their text on the command line."""

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
        except FormatError as error:
            raise typer.BadParameter(str(error)) from error

    return parser


PipelineOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--pipeline",
        help="Measure the whole order path: producers, order queue, matcher, market data queue, publisher and mapped "
        "book, one thread each.",
    ),
]
ProducersOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--producers",
        metavar="N",
        parser=count(1, PRODUCERS_MAX),
        help="Pipeline threads that send commands.  [default: 1]",
    ),
]
RateOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--rate",
        metavar="R",
        parser=_parsed(parse_rate),
        help="Open loop: R commands per second, such as 1M; latency is measured from the intended start time.",
    ),
]
ArrivalsOption: TypeAlias = Annotated[
    Process | None,
    typer.Option(
        "--arrivals",
        help="Spacing of intended start times: even, Poisson, self-exciting bursts, or such bursts with long memory.  "
        "[default: constant]",
    ),
]
SweepOption: TypeAlias = Annotated[
    Rates | None,
    typer.Option(
        "--sweep",
        metavar="FROM:TO:STEPS",
        parser=_parsed(_rates),
        help="Open loop at each of STEPS rates, such as 100k:20M:8: latency vs. throughput, with the knee.",
    ),
]
BooksOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--dir", metavar="DIR", help="Directory for the pipeline's mapped books.  [default: $XDG_RUNTIME_DIR/lowlat]"
    ),
]
LogOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--log",
        metavar="FILE",
        help="Also write latencies during the run, one interval per second, as an HdrHistogram log (.hlog).",
    ),
]


JournalOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--journal",
        metavar="FILE",
        help="Also measure the cost of a journal under each sync policy, and keep a journal of the run in FILE.",
    ),
]
BatchOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--batch",
        metavar="N",
        parser=count(1, BATCH_MAX),
        help="Commands per journal write and commit.  [default: 4096]",
    ),
]


def check_together(ctx: typer.Context, output: Path | None) -> None:
    """Raise `UsageError` for conflicting options on the command line.

    Options from environment and settings file apply to other invocations too; if they conflict, they are ignored.
    """
    given = {name for name, value in ctx.params.items() if value and is_given(ctx, name)}
    pipeline, sweep = ctx.params["pipeline"], ctx.params.get("sweep")
    if not pipeline and "producers" in given:
        raise UsageError("--producers needs a pipeline; add --pipeline")
    if not pipeline and "books" in given:
        raise UsageError("--dir needs a pipeline; add --pipeline")
    if sweep and given & {"pipeline", "rate", "log"}:
        raise UsageError("--sweep sets the open-loop rates itself; remove --pipeline, --rate and --log")
    if not ctx.params.get("journal") and "batch" in given:
        raise UsageError("--batch needs a journal; add --journal FILE")
    if "journal" in given and (pipeline or sweep or ctx.params["rate"]):
        raise UsageError("a journal is measured in a closed loop; remove --pipeline, --rate and --sweep")
    files = {"-o": output, "--log": ctx.params["log"], "--journal": ctx.params.get("journal")}
    named = [(option, file) for option, file in files.items() if file is not None]
    for (one, file), (other, same) in combinations(named, 2):
        if file.resolve() == same.resolve():
            raise UsageError(f"{other} and {one} both name {same}; give each its own file")


def load_of(
    *,
    producers: int | None,
    rate: int | None,
    arrivals: Process | None,
    own: ArrivalProcess | None = None,
) -> Load:
    """The load that the options describe. `producers`: of a pipeline, otherwise None. `own`: the arrivals of the
    profile, which fill in omitted options.

    Raises `UsageError` for a rate out of bounds, or arrivals without a rate.
    """
    from lowlat.engine.bench.protocol import ClosedLoop, OpenLoop, Pipeline

    due = _due(rate, arrivals, own)
    if producers is not None:
        return Pipeline(producers, due)
    return OpenLoop(due) if due else ClosedLoop()


def commands_in(load: Load, seconds: int, most: int) -> int:
    """The default number of commands in a run: `most`, or those due in `seconds` if they are fewer."""
    from lowlat.engine.bench.protocol import ClosedLoop

    due = None if isinstance(load, ClosedLoop) else load.arrivals
    return min(most, due.rate * seconds) if due else most


def _due(rate: int | None, arrivals: Process | None, own: ArrivalProcess | None) -> Arrivals | None:
    from lowlat.engine.flow.profile import RATE_MAX, Arrivals

    per_second = rate if rate is not None else own.rate if own else None
    if per_second is None:
        if arrivals is not None:
            raise UsageError("--arrivals needs a rate; add --rate, such as --rate 1M")
        return None
    if not 1 <= per_second <= RATE_MAX:
        raise UsageError(f"--rate {per_second} is outside 1..{RATE_MAX} commands per second")
    process = arrivals or (own.process if own else "constant")
    if own and own.process == process:
        return own.at(per_second)
    return Arrivals(process=process, rate=per_second)

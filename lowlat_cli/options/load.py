"""Options for how commands reach the engine, and the load that they describe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, TypeVar

import typer

from lowlat.errors import FormatError, UsageError
from lowlat.inputs import real_path
from lowlat_cli.options.shared import count, is_given
from lowlat_cli.quantity import parse_objective, parse_rate, parse_sweep

if TYPE_CHECKING:
    from lowlat.engine.bench.protocol import Load, OpenLoop
    from lowlat.engine.flow.profile import ArrivalProcess, Arrivals
    from lowlat.reports.model.objective import Objective

Process: TypeAlias = Literal["constant", "poisson", "burst", "long-memory"]
Parsed = TypeVar("Parsed")

PRODUCERS_MAX = 64
BATCH_MAX = 1 << 20
PACED_S = 2
"""How long a run at a rate takes unless told how many commands."""
SWEPT_S = 0.5
"""The same for each run of a sweep."""
SWEPT_MAX = 4_000_000
"""Most commands of such a run unless told."""


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
        help="Open loop at STEPS rates, such as 100k:20M:8, and between them: latency vs. throughput, and the highest "
        "rate that meets the objectives. --runs is per rate.",
    ),
]
ObjectiveOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--objective",
        metavar="pN=TIME,...",
        help="Limits of response time that the rate found by --sweep meets, such as p99=10us,p99.9=50us. Repeatable.  "
        "[default: p99 at about 1,000 times the median service time at the lowest rate]",
    ),
]
BooksOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--dir",
        metavar="DIR",
        help="Directory for the pipeline's mapped books.  [default: $XDG_RUNTIME_DIR/lowlat, or a private one]",
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
    if sweep and (against := [name for name in ("pipeline", "rate", "log") if name in given]):
        raise UsageError(
            f"--sweep sets the open-loop rates itself; remove {' and '.join(f'--{name}' for name in against)}"
        )
    if not sweep and "objective" in given:
        raise UsageError("--objective needs a sweep; add --sweep, such as --sweep 100k:20M:8")
    if sweep:
        objectives_of(ctx.params["objective"], ctx.params["commands"])  # raises before anything is measured
    if not ctx.params.get("journal") and "batch" in given:
        raise UsageError("--batch needs a journal; add --journal FILE")
    if "journal" in given and (pipeline or sweep or ctx.params["rate"]):
        raise UsageError("a journal is measured in a closed loop; remove --pipeline, --rate and --sweep")
    files = {"-o": output, "--log": ctx.params["log"], "--journal": ctx.params.get("journal")}
    named = [(option, file) for option, file in files.items() if file is not None]
    for (one, file), (other, same) in combinations(named, 2):
        if real_path(file) == real_path(same):
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


def open_loop(rate: int, arrivals: Process | None, own: ArrivalProcess | None) -> OpenLoop:
    """The open loop of a sweep at a rate; the others as in `load_of`. Raises `UsageError` for a rate out of bounds."""
    from lowlat.engine.bench.protocol import OpenLoop

    due = _due(rate, arrivals, own)
    assert due is not None, "a rate was given"
    return OpenLoop(due, on_cpu=True)


def commands_in(load: Load, seconds: float, most: int) -> int:
    """The default number of commands in a run: `most`, or those due in `seconds` if they are fewer."""
    from lowlat.engine.bench.protocol import ClosedLoop

    due = None if isinstance(load, ClosedLoop) else load.arrivals
    return min(most, max(1, round(due.rate * seconds))) if due else most


def objectives_of(texts: Sequence[str] | None, commands: int | None) -> tuple[Objective, ...]:
    """The objectives that the options name; none for the default ones. `commands`: in a run, if given.

    Raises `FormatError` for an objective that is not valid, `UsageError` for too few commands to tell.
    """
    from lowlat.reports.model.objective import Objective, check_objectives, check_samples

    named = [parse_objective(part) for text in texts or () for part in text.split(",")]
    chosen = tuple(Objective(percentile=percentile, limit_ns=limit_ns) for percentile, limit_ns in named)
    if chosen:
        check_objectives(chosen)
    if commands is not None:
        check_samples(chosen, commands)
    return chosen


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

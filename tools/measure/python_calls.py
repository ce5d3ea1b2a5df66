"""What calls of `Engine` from Python cost: `python tools/measure/python_calls.py [ROUNDS]`.

CPU time per command of `process` by the size of its array, and of the methods that send one command. The cases run in
turn, each once a round; the figures are the medians of all rounds and their range. A result is dropped with the next
one, as in a loop; `kept` results are dropped at the end of the pass, so that each needs memory of its own.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

import numpy as np

from lowlat.engine import Engine, Flow, Side, load_profile, synthetic_flow

ROUNDS, SEED = 9, 1
WHOLE, COMMANDS, CALLS = 2_000_000, 400_000, 20_000
"""Commands of the flow that is passed as a whole, of the one that is passed in parts, and single calls."""
SIZES = (4_096, 256, 64, 16, 1)
WARM_UP = 20_000


@dataclass(frozen=True, slots=True)
class Case:
    """A row: its name, and a pass that returns nanoseconds per command."""

    name: str
    ns: Callable[[], float]


def ns_per_command(calls: Iterable[object], commands: int) -> float:
    """CPU time of this process, which has one thread."""
    begin = time.process_time_ns()
    for _ in calls:
        pass
    return (time.process_time_ns() - begin) / commands


def as_a_whole(flow: Flow, *, kept: bool = False) -> float:
    """`process` with all commands, for the third time: the memory of so large a result is kept from then on."""
    engine = Engine(orders=flow.orders)
    results: list[object] = []
    for _ in range(2):
        if not kept:
            results.clear()
        results.append(engine.process(flow.commands))
        engine.reset()
    if not kept:
        results.clear()
    return ns_per_command(map(engine.process, [flow.commands]), len(flow.commands))


def in_parts(flow: Flow, size: int, *, kept: bool = False) -> float:
    """`process` with this many commands a call."""
    engine = Engine(orders=flow.orders)
    engine.process(flow.commands[:WARM_UP])
    commands = flow.commands[WARM_UP:][: CALLS if size == 1 else None]
    calls = map(engine.process, [commands[at : at + size] for at in range(0, len(commands), size)])
    results: list[object] = []
    return ns_per_command(map(results.append, calls) if kept else calls, len(commands))


def submitted(then: Callable[[Engine], Callable[[int], object]] | None) -> float:
    """`submit` of resting orders at some prices, or what is done with each of them afterward."""
    engine = Engine(orders=CALLS)
    orders = range(1, CALLS + 1)

    def submit(order: int) -> object:
        return engine.submit(order, Side.BUY, 5, 100 + order % 50)

    entering = ns_per_command(map(submit, orders), CALLS)
    return entering if then is None else ns_per_command(map(then(engine), orders), CALLS)


def cases() -> list[Case]:
    """All rows, in order."""
    whole, parts = (synthetic_flow(load_profile("steady"), count, SEED) for count in (WHOLE, COMMANDS))
    return [
        Case(f"`process`, {WHOLE:,} commands a call", lambda: as_a_whole(whole)),
        *(Case(f"`process`, {size:,} a call", lambda size=size: in_parts(parts, size)) for size in SIZES),
        Case(f"`process`, {WHOLE:,} a call, kept", lambda: as_a_whole(whole, kept=True)),
        Case("`process`, 4,096 a call, kept", lambda: in_parts(parts, 4_096, kept=True)),
        Case("`submit`", lambda: submitted(None)),
        Case("`reduce`", lambda: submitted(lambda engine: lambda order: engine.reduce(order, 1))),
        Case("`replace`", lambda: submitted(lambda engine: lambda order: engine.replace(order, 4, 120))),
        Case("`cancel`", lambda: submitted(lambda engine: engine.cancel)),
    ]


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    rows = cases()
    taken: dict[str, list[float]] = {case.name: [] for case in rows}
    for case in rows:
        case.ns()
    for _ in range(rounds):
        for case in rows:
            taken[case.name].append(case.ns())
    print(
        f"Python {platform.python_version()}, numpy {np.__version__}; profile `steady`, seed {SEED}, {rounds} rounds\n"
    )
    print("| call | CPU ns a command, median (rounds) |\n|---|--:|")
    for name, ns in taken.items():
        print(f"| {name} | **{median(ns):,.1f}** ({min(ns):,.1f}-{max(ns):,.1f}) |")


if __name__ == "__main__":
    main()

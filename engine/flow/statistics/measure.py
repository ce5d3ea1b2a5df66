"""Measures the statistics of a flow: one pass through a native engine, reduced a stretch at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lowlat import units
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.recording import Ints, RecordedFlow
from lowlat.engine.flow.records import FollowedCommands, OrderLives
from lowlat.engine.flow.statistics.acts import ACTS, OTHER, acts_of
from lowlat.engine.flow.statistics.arrivals import ArrivalStatistics, arrival_statistics
from lowlat.engine.flow.statistics.distribution import Distribution
from lowlat.engine.flow.statistics.following import Stretch, followed
from lowlat.engine.matching.records import MatchAlgorithm
from lowlat.errors import ArrayError

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class FlowStatistics:
    """Statistics of the measured commands of a flow; what seeded the book only sets the stage.

    `acts`: commands by key of a profile's `[mix]`. `rejected`: commands that the engine rejected, which count nowhere
    else. `by_symbol`: int64, commands of each symbol. `pro_rata`: how many of these match pro rata. `participants`:
    commands that name one. `samples`: distributions by name, see `NAMES`. `taken`: aggressive orders that took less
    than the touch held, exactly that, and several levels. `lives`: `ORDER_LIFE` of the orders that measured commands
    entered.
    """

    commands: int
    rejected: int
    acts: Mapping[str, int]
    by_symbol: Ints
    pro_rata: int
    participants: int
    samples: Mapping[str, Distribution]
    taken: tuple[int, int, int]
    lives: OrderLives
    arrivals: ArrivalStatistics | None

    def __getitem__(self, name: str) -> Distribution:
        return self.samples[name]


NAMES: Final[Mapping[str, str]] = {
    "spread": "ticks between best bid and ask, before each command that found both",
    "live_orders": "resting and waiting orders, after each command",
    "levels": "price levels of all books, after each command",
    "add_distance": "ticks of an add behind the touch of its side; negative: better",
    "add_spread": "the spread that an add found",
    "add_ahead": "orders at the price of an add",
    "add_quantity": "lots of an add",
    "behind_ahead": "orders at the price of an add behind the touch",
    "queue": "orders in the queue of a canceled order, itself included",
    "cancel_behind": "orders behind a canceled one, up to 1,000",
    "cancel_distance": "ticks of a canceled order behind the touch of its side",
    "cancel_lifetime": "commands from an order's entry to its cancel",
    "reduce_percent": "percent of what an order had left that a reduce takes",
    "aggressive_quantity": "lots of an order that trades on entry",
    "small_aggressive_quantity": "the same, of one that takes less than the touch holds",
    "levels_swept": "levels that an aggressive order takes from",
    "makers": "resting orders that an aggressive order takes from",
}
"""What is sampled."""


def flow_statistics(
    flow: Flow, times_ns: Ints | None = None, progress: Callable[[float], None] = lambda _: None
) -> FlowStatistics:
    """Measure a flow. `times_ns`: when each measured command arrived, int64 (n,), ascending, if that is known.

    `progress` receives the share that is done. Raises `ArrayError` for another number of times, and what `followed`
    raises.
    """
    if times_ns is not None and len(times_ns) != len(flow.measured):
        raise ArrayError(
            f"{units.counted(len(times_ns), 'time')} for {units.counted(len(flow.measured), 'measured command')}; "
            "pass one for each"
        )
    collected = _Collected(flow)
    for stretch in followed(flow):
        collected.add(stretch)
        progress((stretch.first + len(stretch.commands)) / len(flow.commands))
    return collected.statistics(None if times_ns is None else arrival_statistics(times_ns))


def recorded_statistics(
    recorded: RecordedFlow | Flow, progress: Callable[[float], None] = lambda _: None
) -> tuple[Flow, FlowStatistics]:
    """A recording as a flow, and its statistics, with those of its arrival times if the recording has any.

    Raises what `flow_statistics` raises.
    """
    if isinstance(recorded, Flow):
        return recorded, flow_statistics(recorded, progress=progress)
    flow = recorded.flow()
    return flow, flow_statistics(flow, recorded.time_ns[recorded.seeded :], progress)


class _Collected:
    def __init__(self, flow: Flow) -> None:
        self._seeded = flow.seeded
        self._pro_rata = np.array([each.algorithm is MatchAlgorithm.PRO_RATA for each in flow.instruments])
        self._participants = 0
        self._acts = np.zeros(OTHER + 1, dtype=np.int64)
        self._by_symbol = np.zeros(len(flow.instruments), dtype=np.int64)
        self._parts: defaultdict[str, list[Distribution]] = defaultdict(list)
        self._taken = np.zeros(3, dtype=np.int64)
        self._lives: list[OrderLives] = []

    def add(self, stretch: Stretch) -> None:
        self._lives.append(stretch.lives[stretch.lives["entered"] >= self._seeded])
        skipped = min(max(self._seeded - stretch.first, 0), len(stretch.rows))
        rows, commands = stretch.rows[skipped:], stretch.commands[skipped:]
        acts = acts_of(commands, rows)
        self._acts += np.bincount(acts, minlength=OTHER + 1)
        accepted = acts != OTHER
        rows, acts, commands = rows[accepted], acts[accepted], commands[accepted]
        self._by_symbol += np.bincount(rows["symbol"], minlength=len(self._by_symbol))
        numbers = np.arange(stretch.first + skipped, stretch.first + len(stretch.rows))[accepted]
        self._sample(rows, acts, rows["lifetime"] <= numbers - self._seeded)
        if "participant_id" in (commands.dtype.names or ()):
            self._participants += int(np.count_nonzero(commands["participant_id"]))
        reduces = acts == ACTS.index("reduce")
        self._put("reduce_percent", 100 * commands["quantity"][reduces] // rows["quantity"][reduces])

    def _sample(self, rows: FollowedCommands, acts: NDArray[np.uint8], life_known: Mask) -> None:
        cancels, reduces, replaces = (acts == ACTS.index(name) for name in ("cancel", "reduce", "replace"))
        entering = ~(cancels | reduces | replaces)
        adds = entering & (rows["rests"] == 1) & (rows["makers"] == 0) & (acts < ACTS.index("stop"))
        takes = entering & (rows["makers"] > 0)
        placed, small = rows["placed"] == 1, takes & (rows["filled"] < rows["touch_quantity"])
        self._put("spread", rows["spread"][rows["spread"] > 0])
        self._put("live_orders", rows["live"])
        self._put("levels", rows["levels"])
        self._put("add_distance", rows["distance"][adds & placed])
        self._put("add_spread", rows["spread"][adds & (rows["spread"] > 0)])
        self._put("add_ahead", rows["ahead"][adds])
        self._put("add_quantity", rows["quantity"][adds])
        self._put("behind_ahead", rows["ahead"][adds & placed & (rows["distance"] > 0)])
        self._put("queue", 1 + rows["ahead"][cancels].astype(np.int64) + rows["behind"][cancels])
        self._put("cancel_behind", rows["behind"][cancels])
        self._put("cancel_distance", rows["distance"][cancels & placed])
        self._put("cancel_lifetime", rows["lifetime"][cancels & life_known])
        self._put("aggressive_quantity", rows["quantity"][takes])
        self._put("small_aggressive_quantity", rows["quantity"][small])
        self._put("levels_swept", rows["levels_filled"][takes])
        self._put("makers", rows["makers"][takes])
        self._taken += [
            np.count_nonzero(small),
            np.count_nonzero(takes & ~small & (rows["levels_filled"] == 1)),
            np.count_nonzero(takes & (rows["levels_filled"] > 1)),
        ]

    def _put(self, name: str, samples: NDArray[np.integer[Any]]) -> None:
        self._parts[name].append(Distribution.of(samples))

    def statistics(self, arrivals: ArrivalStatistics | None) -> FlowStatistics:
        counts = self._acts.tolist()
        part, whole, several = self._taken.tolist()
        return FlowStatistics(
            commands=sum(counts[:OTHER]),
            rejected=counts[OTHER],
            acts=dict(zip(ACTS, counts, strict=False)),
            by_symbol=self._by_symbol,
            pro_rata=int(np.count_nonzero(self._pro_rata & (self._by_symbol > 0))),
            participants=self._participants,
            samples={name: Distribution.merged(self._parts[name]) for name in NAMES},
            taken=(part, whole, several),
            lives=np.concatenate(self._lives),
            arrivals=arrivals,
        )

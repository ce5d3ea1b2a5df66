"""Compares the fills of an engine with the venue's."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lowlat import units
from lowlat.engine.flow.recording.model import FILL, Bursts, Fill, Ints, RecordedAuction, RecordedFlow
from lowlat.engine.matching.records import EVENT, CommandType, Events, ExecType, Side
from lowlat.errors import ArrayError


@dataclass(frozen=True, slots=True)
class BurstMismatch:
    """One burst that an engine filled differently from the venue; of an auction, one side, with an order id of 0."""

    burst: int | None
    row: int
    order_id: int
    side: Side
    expected: tuple[Fill, ...]
    actual: tuple[Fill, ...]


@dataclass(frozen=True, slots=True)
class StrayTrade:
    """A trade that the recording does not have: of the order of `row`, with one that came in at row `maker_row`."""

    row: int
    order_id: int
    maker_id: int
    maker_row: int


@dataclass(frozen=True, slots=True)
class BurstCheck:
    """How many bursts an engine filled exactly as the venue did: same orders, prices and quantities, in order.

    A side of an auction counts as a burst, of the same orders and quantities.

    `stray_trades`: executions of commands that are not bursts, and the first of them. `rejected`: commands that the
    engine rejected. Both are 0 if the engine's book matches the recorded one throughout.
    """

    matched: int
    total: int
    mismatches: tuple[BurstMismatch, ...]
    stray_trades: int
    rejected: int
    first_stray: StrayTrade | None = None

    @property
    def share(self) -> float | None:
        """Matched bursts over all bursts; None without a burst."""
        return self.matched / self.total if self.total else None


def verify(flow: RecordedFlow, events: Events) -> BurstCheck:
    """Compare the fills in `events` with the venue's.

    `events`: all events of `flow.commands`, processed once and in order: an `EVENT` array of any length.
    Raises `ArrayError` for another dtype, for events out of order, or for events of more commands than the flow has.
    """
    position = _command_of_event(flow, events)
    is_trade = events["kind"] == ExecType.TRADE
    burst_of_command = np.full(len(flow.commands), -1, dtype=np.int64)
    burst_of_command[flow.bursts.command] = np.arange(len(flow.bursts))
    auctions = [_of_auction(flow, auction, events, position) for auction in flow.auctions]
    is_trade &= ~np.isin(position, [auction.command for auction in flow.auctions])
    burst = burst_of_command[position[is_trade]]
    fills = _fills(events[is_trade][burst >= 0])
    strays = np.flatnonzero(is_trade)[burst < 0]
    first_stray = _stray(flow, events[strays[0]], int(position[strays[0]])) if len(strays) else None
    matched, first_fill = _matched(flow.bursts, fills, burst[burst >= 0])
    mismatches = tuple(
        _mismatch(flow, int(n), fills[first_fill[n] : first_fill[n + 1]]) for n in np.flatnonzero(~matched)
    )
    rejected = int(np.count_nonzero(events["kind"] == ExecType.REJECTED))
    sides = [side for auction in auctions for side in auction]
    mismatches += tuple(side for side in sides if side is not None)
    found = int(matched.sum()) + sides.count(None)
    return BurstCheck(found, len(matched) + len(sides), mismatches, len(strays), rejected, first_stray)


def _of_auction(
    flow: RecordedFlow, auction: RecordedAuction, events: Events, position: Ints
) -> list[BurstMismatch | None]:
    """Of each side that traded at the venue, how an engine differs; None where it does not."""
    first, end = np.searchsorted(position, [auction.command, auction.command + 1])
    trades = events[first:end][events["kind"][first:end] == ExecType.TRADE]
    found: list[BurstMismatch | None] = []
    for side, name in ((Side.BUY, "order_id"), (Side.SELL, "maker_id")):
        expected = auction.fills[side]
        actual = tuple(Fill(*row) for row in trades[[name, "price", "quantity"]].tolist())
        if not expected and not actual:
            continue
        same = _by_order(expected) == _by_order(actual)
        row = int(flow.row[auction.command])
        found.append(None if same else BurstMismatch(None, row, 0, side, expected, actual))
    return found


def _by_order(fills: tuple[Fill, ...]) -> Counter[int]:
    quantities = Counter[int]()
    for fill in fills:
        quantities[fill.maker_id] += fill.quantity
    return quantities


def _command_of_event(flow: RecordedFlow, events: Events) -> Ints:
    if events.dtype != EVENT or events.ndim != 1:
        raise ArrayError(f"events are {events.dtype} of shape {events.shape}; expected EVENT of one dimension")
    sequence = events["sequence"]
    if (sequence[1:] < sequence[:-1]).any():
        raise ArrayError("events are out of order: pass what process(flow.commands) returned")
    position: Ints = (sequence - sequence[:1]).astype(np.int64)
    if len(position) and not 0 <= int(position.max()) < len(flow.commands):
        raise ArrayError(
            f"events of {units.counted(int(position.max()) + 1, 'command')}; the flow has {len(flow.commands)}: "
            "pass what process(flow.commands) returned"
        )
    return position


def _stray(flow: RecordedFlow, trade: np.void, index: int) -> StrayTrade:
    maker = flow.commands["order_id"][:index] == trade["maker_id"]
    maker &= flow.commands["symbol"][:index] == trade["symbol"]
    entered = np.flatnonzero(maker & (flow.commands["kind"][:index] == CommandType.LIMIT))
    return StrayTrade(
        row=int(flow.row[index]),
        order_id=int(trade["order_id"]),
        maker_id=int(trade["maker_id"]),
        maker_row=int(flow.row[entered[-1]]) if len(entered) else 0,
    )


def _fills(trades: Events) -> NDArray[np.void]:
    fills = np.empty(len(trades), dtype=FILL)
    for name in FILL.names or ():
        fills[name] = trades[name]
    return fills


def _matched(bursts: Bursts, fills: NDArray[np.void], burst: Ints) -> tuple[NDArray[np.bool_], Ints]:
    """Which bursts were filled as expected, and where the fills of each begin. Events are in command order."""
    counts = np.bincount(burst, minlength=len(bursts))
    expected_counts = np.diff(bursts.first_fill)
    matched = counts == expected_counts
    # Bursts with the expected number of fills have them at the same positions in both selections.
    expected_burst = np.repeat(np.arange(len(bursts)), expected_counts)
    differs = bursts.fills[matched[expected_burst]] != fills[matched[burst]]
    matched[burst[matched[burst]][differs]] = False
    return matched, np.concatenate(([0], np.cumsum(counts)))


def _mismatch(flow: RecordedFlow, burst: int, actual: NDArray[np.void]) -> BurstMismatch:
    bursts = flow.bursts
    index = int(bursts.command[burst])
    expected = bursts.fills[bursts.first_fill[burst] : bursts.first_fill[burst + 1]]
    record = flow.commands[index]
    return BurstMismatch(
        burst=burst,
        row=int(flow.row[index]),
        order_id=int(record["order_id"]),
        side=Side(int(record["side"])),
        expected=tuple(Fill(*row) for row in expected.tolist()),
        actual=tuple(Fill(*row) for row in actual.tolist()),
    )

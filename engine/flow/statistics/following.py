"""Executes a flow natively, and returns what each command met in the book, a stretch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lowlat.engine import _core
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.records import FOLLOWED_COMMAND, ORDER_LIFE, FollowedCommands, OrderLives
from lowlat.engine.matching.aligned import aligned_copy, aligned_empty
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import Commands

STRETCH_COMMANDS: Final = 1 << 16
"""How many commands are followed at a time; bounds the memory for rows."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """Consecutive commands of a flow, seeding ones included.

    `first`: number of the first one, from 0. `rows`: `FOLLOWED_COMMAND`, one per command. `lives`: `ORDER_LIFE`, of the
    orders whose life ended here; in the last stretch also of those that still rest.
    """

    first: int
    commands: Commands
    rows: FollowedCommands
    lives: OrderLives


def followed(flow: Flow) -> Iterator[Stretch]:
    """All commands of a flow, executed by a native engine with the flow's instruments and pools.

    Raises what the engine raises: `UsageError`, `MemoryError`.
    """
    engine = Engine.of(
        EngineConfig(flow.instruments, flow.orders, flow.tape, flow.when_orders_dry, flow.when_trades_dry)
    )
    follower = _core.FlowFollower(engine.matcher)
    for first in range(0, len(flow.commands), STRETCH_COMMANDS):
        commands = flow.commands[first : first + STRETCH_COMMANDS]
        rows = aligned_empty(len(commands), FOLLOWED_COMMAND)
        follower.follow(aligned_copy(commands), rows)
        if first + len(commands) == len(flow.commands):
            follower.finish()
        lives = aligned_empty(follower.lives_ended, ORDER_LIFE)
        follower.take_lives(lives)
        yield Stretch(first, commands, rows, lives)

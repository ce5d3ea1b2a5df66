"""Order flow: a command array and its description."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import Commands, PoolPolicy
from lowlat.reports.model.context import Extent


@dataclass(frozen=True)
class Flow:
    """Commands for an engine; the first ones seed its book.

    `commands`: `COMMAND` or `EXTENDED_COMMAND` array, shape (n,), aligned to a cache line. `seeded`: number of leading
    commands that only build the book; they are executed and verified but not measured. `orders`: resting orders for
    which the engine needs room. `mix`: number of measured commands by purpose. `tape`: size of the engine's trade tape,
    in records. `when_orders_dry`, `when_trades_dry`: the engine's pool policies.
    """

    name: str
    commands: Commands
    seeded: int
    orders: int
    mix: dict[str, int]
    instruments: tuple[Instrument, ...] = (Instrument(),)
    seed: int | None = None
    trades: int | None = None
    live_orders: Extent | None = None
    levels: Extent | None = None
    depth_touched: Extent | None = None
    notes: tuple[str, ...] = field(default=())
    tape: int = 100_000
    when_orders_dry: PoolPolicy = PoolPolicy.REJECT
    when_trades_dry: PoolPolicy = PoolPolicy.RECYCLE

    @property
    def measured(self) -> Commands:
        """The commands after the seeding ones."""
        return self.commands[self.seeded :]

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the number of seeding commands and every command's bytes: equal hash, equal work."""
        return digest_commands(self.seeded, self.commands)


def digest_commands(seeded: int, commands: Commands) -> str:
    """The hash of a flow of these commands."""
    digest = hashlib.sha256(seeded.to_bytes(8, "little"))
    digest.update(commands.view(np.uint8).data)
    return digest.hexdigest()

"""Order flow: a command array, and what it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import Commands, PoolPolicy


@dataclass(frozen=True, slots=True)
class Extent:
    """Mean and peak of something over the commands of a flow."""

    mean: float
    peak: int


@dataclass(frozen=True)
class Flow:
    """Commands for an engine, those that seed its book first.

    `commands`: `COMMAND` or `EXTENDED_COMMAND` array, shape (n,), on a cache line. `seeded`: how many of them, at the
    front, only build the book; they are executed and verified but not measured. `orders`: room the engine needs for
    resting orders. `mix`: measured commands by what they are for. `tape`: records on the trade tape of an engine for
    it; `when_orders_dry`, `when_trades_dry`: that engine's policies.
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
    when_orders_dry: PoolPolicy = PoolPolicy.REFUSE
    when_trades_dry: PoolPolicy = PoolPolicy.RECYCLE

    @property
    def measured(self) -> Commands:
        """The commands behind the seeding ones."""
        return self.commands[self.seeded :]

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the number of seeding commands and every command's bytes: equal hash, equal work."""
        digest = hashlib.sha256(self.seeded.to_bytes(8, "little"))
        digest.update(self.commands.view(np.uint8).data)
        return digest.hexdigest()

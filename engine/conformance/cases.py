"""What an engine is compared by: worked examples, random worlds, the profiles, recorded orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias, overload

from lowlat import units
from lowlat.engine.bench.engines import is_library
from lowlat.engine.conformance.examples import EXAMPLES
from lowlat.engine.conformance.rows import stream_of
from lowlat.engine.conformance.worlds import World
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.profile import load_profile, profile_names
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.foreign.capabilities import needed
from lowlat.engine.foreign.records import Capability
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.config_codec import RULE_FIELDS
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.records import Commands, PoolPolicy

_PLAIN: Final = Instrument()
SEEDED_MAX: Final = 200_000
"""Resting orders of the largest profile: a larger one would only repeat the others for longer."""
SEEDED_IN_PROCESS_MAX: Final = 50_000
"""The same of an engine that runs as a process, which takes some tens of microseconds for each."""
ROOM: Final = 1024
"""Orders that an engine of a small case is made for: more than ever rest."""


@dataclass(frozen=True, slots=True)
class Case:
    """Commands for an empty engine with these settings. `lacks`: the capabilities that they need and it has not."""

    name: str
    settings: EngineConfig
    commands: Commands
    lacks: tuple[str, ...] = ()

    @property
    def rules(self) -> str:
        """The rules of the symbols that are not plain, in words."""
        told = []
        for symbol, each in enumerate(self.settings.instruments):
            other = [
                f"{name} {_word(getattr(each, name))}"
                for name in RULE_FIELDS
                if getattr(each, name) != getattr(_PLAIN, name)
            ]
            told += [f"symbol {symbol}: {', '.join(other)}"] * bool(other)
        count = len(self.settings.instruments)
        return "; ".join([*([units.plural(count, "symbol")] if count > 1 else []), *told])


@dataclass(frozen=True, slots=True)
class Suite:
    """Cases of one kind, each made when its turn comes."""

    name: str
    cases: Sequence[Callable[[], Case]]


Claimed: TypeAlias = frozenset[Capability]


@dataclass(frozen=True, slots=True)
class _Worlds(Sequence[Callable[[], Case]]):
    """Random worlds by number, of which a part is asked for: a million of them take no memory."""

    claimed: Claimed
    seed: int
    numbers: range

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, at: int) -> Callable[[], Case]: ...
    @overload
    def __getitem__(self, at: slice) -> _Worlds: ...
    def __getitem__(self, at: int | slice) -> Callable[[], Case] | _Worlds:
        if isinstance(at, slice):
            return _Worlds(self.claimed, self.seed, self.numbers[at])
        return partial(_world, self.claimed, f"{self.seed}/{self.numbers[at]}")


def suites(
    claimed: Claimed,
    *,
    worlds: int,
    seed: int,
    commands: int,
    recorded: Sequence[str] = (),
    seeded_max: int = SEEDED_MAX,
) -> tuple[Suite, ...]:
    """Every suite. `worlds`: how many; `commands`: of each profile, none of which has more than `seeded_max` resting
    orders; `recorded`: files of recorded orders.
    """
    return (
        Suite("worked examples", [partial(_example, claimed, at) for at in range(len(EXAMPLES))]),
        Suite("random worlds", _Worlds(claimed, seed, range(worlds))),
        Suite("profiles", [partial(_profile, claimed, name, commands, seed) for name in _profiles(seeded_max)]),
        *([Suite("recorded", [partial(_recorded, claimed, file) for file in recorded])] if recorded else []),
    )


def seeded_max(engine: str) -> int:
    """The resting orders of the largest profile that this engine gets."""
    return SEEDED_MAX if is_library(engine) else SEEDED_IN_PROCESS_MAX


def _profiles(seeded_max: int) -> list[str]:
    """The built-in ones that are soon seeded."""
    return [name for name in profile_names() if load_profile(name).live_orders <= seeded_max]


def _example(claimed: Claimed, at: int) -> Case:
    example = EXAMPLES[at]
    stream = stream_of([*example.given, *example.does])
    return _case(claimed, example.rule, example.settings.instruments, stream, ROOM)


def _world(claimed: Claimed, seed: str) -> Case:
    world = World(claimed, seed)
    return _case(claimed, f"world {seed}", world.instruments, world.commands, ROOM)


def _profile(claimed: Claimed, name: str, commands: int, seed: int) -> Case:
    return _flow(claimed, synthetic_flow(load_profile(name), commands, seed))


def _recorded(claimed: Claimed, file: str) -> Case:
    return _flow(claimed, recorded_commands(Path(file)))


def recorded_commands(file: Path) -> Flow:
    """The commands of a file of recorded orders. Raises what reading it raises."""
    from lowlat.engine.flow.recording import RecordedFlow
    from lowlat.engine.flow.registry import reader_of

    read = reader_of(file).flow(file)
    return read.flow() if isinstance(read, RecordedFlow) else read


def _flow(claimed: Claimed, flow: Flow) -> Case:
    return _case(claimed, flow.name, flow.instruments, flow.commands, flow.orders)


def _case(claimed: Claimed, name: str, instruments: tuple[Instrument, ...], commands: Commands, orders: int) -> Case:
    """Pools never run out: what an engine does without memory is its own."""
    settings = EngineConfig(instruments, orders, trades=ROOM, when_orders_dry=PoolPolicy.GROW)
    lacks = sorted(capability.name for capability in needed(commands, instruments).keys() - claimed)
    return Case(name, settings, commands, tuple(lacks))


def _word(value: int) -> str:
    return value.name if isinstance(value, IntEnum) else str(value)

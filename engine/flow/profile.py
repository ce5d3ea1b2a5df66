"""Profiles: descriptions of a synthetic order flow, as TOML files.

The built-in profiles are in `engine/flow/profiles/`. A profile of your own has the same keys:

    description = "one line"     # shown in the report
    symbols = 1                  # books; their activity follows Zipf's law
    live_orders = 10_000         # resting orders over all books, kept within 1/16
    pro_rata = 0                 # number of books, the last ones, that match pro rata
    owners = 0                   # number of participants; their orders use every self-trade prevention policy

    [mix]                        # relative weights
    add = 50                     # limit order that rests
    post_only = 0                # the same, flagged
    take = 10                    # limit order priced through the touch; the remainder rests
    market = 0
    ioc = 0                      # as take, the remainder is canceled
    fok = 0                      # as take, all or nothing
    cancel = 40
    reduce = 0                   # reduces a resting order
    replace = 0                  # half move to a new price, half shrink in place
    iceberg = 0                  # as add, with a slice of any size; for this and the rest see docs/matching.md
    all_or_none = 0              # as add
    slide = 0                    # as take, but slides one tick behind the touch
    day = 0                      # as add
    gtd = 0                      # as add, for up to 8,192 commands
    stop = 0                     # triggers that far beyond the last trade price (before the first trade: as add)
    stop_limit = 0               # the same; its limit is its trigger
    trailing_stop = 0            # the same
    clock = 0                    # advances the clock to the command's number
    auction = 0                  # starts a call phase, and uncrosses 64 commands later

    [price]
    spread = "halving"           # or "even"
    distance_ticks = 8           # from the other side's touch: half-life, or the range of "even"
    through_ticks = 2            # how far through the touch an aggressive limit is priced
    travel_ticks = 0             # the market repeatedly falls this far and climbs back ...
    travel_ticks_per_1000_commands = 0   # ... at this pace

    [quantity]
    resting_max = 100            # lots, uniform from 1
    aggressive_max = 100

    [arrivals]                   # without this table a run is a closed loop, unless a rate is requested
    process = "burst"            # or "constant", "poisson"; see engine/flow/arrivals.py
    rate = 1_000_000             # commands per second, unless the run requests another rate
    branching = 0.7              # burst: mean number of commands that one command triggers
    decay_spacings = 0.01        # burst: mean delay of a triggered command, in mean spacings (1 / rate)
"""

from __future__ import annotations

import difflib
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from lowlat import units
from lowlat.errors import InputError

Weight = Annotated[int, Meta(ge=0, le=1_000_000)]
Ticks = Annotated[int, Meta(ge=0, le=1_000_000)]
Lots = Annotated[int, Meta(ge=1, le=1_000_000)]

Process: TypeAlias = Literal["constant", "poisson", "burst"]
RATE_MAX: Final = 1_000_000_000
"""Commands per second: one per nanosecond, about the resolution of a time-stamp counter."""
BRANCHING_MAX: Final = 0.95
"""Closer to 1, a run is too short to reach its mean rate."""
DECAY_SPACINGS_MAX: Final = 1_000


class Mix(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Weights of the kinds of command, in the order of `Act` in `engine/native/flow/profile.hpp`."""

    add: Weight = 0
    cancel: Weight = 0
    take: Weight = 0
    market: Weight = 0
    ioc: Weight = 0
    fok: Weight = 0
    post_only: Weight = 0
    reduce: Weight = 0
    replace: Weight = 0
    iceberg: Weight = 0
    all_or_none: Weight = 0
    slide: Weight = 0
    day: Weight = 0
    gtd: Weight = 0
    stop: Weight = 0
    stop_limit: Weight = 0
    trailing_stop: Weight = 0
    clock: Weight = 0
    auction: Weight = 0

    @property
    def has_terms(self) -> bool:
        """Whether these commands need more fields than a `COMMAND` has."""
        return any(msgspec.structs.astuple(self)[self.__struct_fields__.index("iceberg") :])


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How orders are priced, in ticks."""

    spread: Literal["halving", "even"] = "halving"
    distance_ticks: Annotated[int, Meta(ge=1, le=1_000_000)] = 8
    through_ticks: Ticks = 2
    travel_ticks: Ticks = 0
    travel_ticks_per_1000_commands: Ticks = 0


class Quantity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Largest quantities, in lots; drawn uniformly from 1."""

    resting_max: Lots = 100
    aggressive_max: Lots = 100


class Arrivals(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When commands are due; makes the run an open loop."""

    process: Process
    rate: Annotated[int, Meta(ge=1, le=RATE_MAX)]
    branching: Annotated[float, Meta(ge=0, le=BRANCHING_MAX)] | None = None
    decay_spacings: Annotated[float, Meta(ge=0, le=DECAY_SPACINGS_MAX)] | None = None


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A profile; the module docstring explains each key."""

    name: str = ""
    description: str = ""
    symbols: Annotated[int, Meta(ge=1, le=65_536)] = 1
    live_orders: Annotated[int, Meta(ge=1, le=10_000_000)] = 10_000
    pro_rata: Annotated[int, Meta(ge=0, le=65_536)] = 0
    owners: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    mix: Mix
    price: Price = Price()
    quantity: Quantity = Quantity()
    arrivals: Arrivals | None = None

    @property
    def has_terms(self) -> bool:
        """Whether its commands are `EXTENDED_COMMAND` records."""
        return self.mix.has_terms or self.owners > 0


def profile_names() -> list[str]:
    """Names of the built-in profiles, sorted."""
    folder = resources.files("lowlat.engine.flow") / "profiles"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_profile(name_or_path: str) -> Profile:
    """Load a built-in profile by name, or any profile by the path of its TOML file.

    Raises `InputError` that names the cause: the unknown name (with the closest match), the file, or the key.
    """
    if name_or_path in profile_names():
        text = (resources.files("lowlat.engine.flow") / "profiles" / f"{name_or_path}.toml").read_text(encoding="utf-8")
        return _parse(text, name_or_path, name_or_path)
    path = Path(name_or_path)
    if path.suffix != ".toml" and "/" not in name_or_path:
        near = difflib.get_close_matches(name_or_path, profile_names(), n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(
            f"profile {name_or_path!r} is unknown; {hint}available: {', '.join(profile_names())}, "
            "or give the path of a .toml file"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"profile {name_or_path}: cannot be read: {error}") from None
    return _parse(text, path.stem, name_or_path)


def _parse(text: str, name: str, where: str) -> Profile:
    try:
        profile = msgspec.convert({"name": name} | tomllib.loads(text), Profile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise InputError(f"profile {where}: {error}") from None
    if not any(msgspec.structs.astuple(profile.mix)):
        raise InputError(f"profile {where}: every weight in [mix] is 0; set at least one")
    if profile.live_orders < profile.symbols and profile.symbols > 1:
        raise InputError(
            f"profile {where}: {units.plural(profile.live_orders, 'live order')} for "
            f"{units.plural(profile.symbols, 'symbol')}; use at least one per symbol"
        )
    if profile.pro_rata > profile.symbols:
        raise InputError(
            f"profile {where}: {profile.pro_rata} pro-rata books out of {profile.symbols}; use that many or fewer"
        )
    due = profile.arrivals
    if due and due.process != "burst" and (due.branching is not None or due.decay_spacings is not None):
        raise InputError(
            f'profile {where}: [arrivals] branching and decay_spacings are for process "burst", not {due.process!r}'
        )
    return profile

"""Profiles: descriptions of a synthetic order flow, as TOML files.

The built-in profiles are in `engine/flow/profiles/`. A profile of your own has the same keys:

    description = "one line"     # shown in the report
    symbols = 1                  # books; their activity follows Zipf's law
    zipf_exponent = 1.0          # the n-th book's activity is proportional to n^-zipf_exponent; 0: all are alike
    live_orders = 10_000         # resting orders over all books, kept within 1/16 (with [[lifetime]]: within 1/4)
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
    resting = [[99, 0.4], [100, 1]]      # instead of resting_max: a distribution (below)
    aggressive = [[99, 0.4], [100, 1]]   # instead of aggressive_max

    [placement]                  # instead of the first three keys of [price]: adds by the touch of their own side
    spread_ticks = 20            # a typical spread; the actual spread results from adds, cancels and trades
    improve = 0.2                # share of adds inside a spread of spread_ticks; proportional to the spread, up to 1
    join = 0.1                   # share of the other adds that join the touch; the rest is placed behind it
    improve_ticks = [[1, 0.45], [5, 1]]  # how far inside, at most to one tick from the other side's touch
    behind_ticks = [[8, 0.5], [75, 1]]   # how far behind
    new_level = 0.65             # share of adds behind the touch that start a level; without it, as distances fall

    [[lifetime]]                 # without these tables a cancel takes any live order
    within_ticks = 0             # of adds at most this far behind their side's touch; 0: those that improve or join
    commands = [[1, 0.05], [12, 0.5], [300, 0.95]]   # a distribution: commands until the cancel, unless traded before
    [[lifetime]]                 # the next band; within_ticks ascends, and the last band, of all other adds, has none
    commands = [[10, 0.1], [5000, 0.9]]

    [aggressive]                 # instead of through_ticks: what take, market, ioc, fok and slide do to the touch
    clear = 0.6                  # share that takes exactly the quantity at the touch
    sweep = 0.05                 # share that takes exactly several levels; all others take at most the touch's quantity
    sweep_levels = [[2, 0.9], [6, 1]]    # how many

    [arrivals]                   # without this table a run is a closed loop, unless a rate is requested
    process = "burst"            # or "constant", "poisson", "long-memory"; see engine/flow/arrivals.py
    rate = 1_000_000             # commands per second, unless the run requests another; without it, --rate decides
    branching = 0.7              # burst: mean number of commands that one command triggers
    decay_spacings = 0.01        # burst: mean delay of a triggered command, in mean spacings (1 / rate)
    kernels = [[0.5, 0.01], [0.4, 100.0]]  # long-memory: rows of the two, whose triggered commands add up

A distribution is a list of rows of a value and the share of draws that are at most this value; `quantiles.py` explains
it. Its last share is 1, except in [[lifetime]]: orders beyond the last share stay until they trade.

With [[lifetime]], an order is canceled when its time ends, unless it traded before. The weight of `cancel` still holds:
if too few orders end, others are canceled early, and if too many do, some wait.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from lowlat.arguments import checked_path
from lowlat.bounded import Share
from lowlat.decoding import explain
from lowlat.engine.flow.profile_checks import check_profile
from lowlat.engine.flow.quantiles import Quantiles
from lowlat.errors import FormatError, InputError
from lowlat.limits import LIVE_ORDERS_MAX
from lowlat.toml import parse_toml, read_toml_text

Weight = Annotated[int, Meta(ge=0, le=1_000_000)]
Ticks = Annotated[int, Meta(ge=0, le=1_000_000)]
Lots = Annotated[int, Meta(ge=1, le=1_000_000)]

Process: TypeAlias = Literal["constant", "poisson", "burst", "long-memory"]
RATE_MAX: Final = 1_000_000_000
"""Commands per second: one per nanosecond, about the resolution of a time-stamp counter."""
BRANCHING_MAX: Final = 0.95
"""Closer to 1, a run is too short to reach its mean rate."""
DECAY_SPACINGS_MAX: Final = 1_000
KERNELS_MAX: Final = 16
BANDS_MAX: Final = 16

Rate = Annotated[int, Meta(ge=1, le=RATE_MAX)]
Branching = Annotated[float, Meta(ge=0, le=BRANCHING_MAX)]
DecaySpacings = Annotated[float, Meta(ge=0, le=DECAY_SPACINGS_MAX)]
Kernel: TypeAlias = tuple[Branching, DecaySpacings]
"""Mean number of commands that a command triggers, and their mean delay in mean spacings."""


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
    """Quantities in lots: uniform from 1 to the largest, or the distribution where there is one."""

    resting_max: Lots = 100
    aggressive_max: Lots = 100
    resting: Quantiles | None = None
    aggressive: Quantiles | None = None


class OrderPlacement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where adds go, from the touch of their own side."""

    spread_ticks: Annotated[int, Meta(ge=1, le=1_000_000)]
    improve: Share
    join: Share
    improve_ticks: Quantiles
    behind_ticks: Quantiles
    new_level: Share | None = None


class Lifetime(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Commands until an order is canceled, for those that entered within some ticks of the touch of their side."""

    within_ticks: Ticks | None = None
    commands: Quantiles


class Aggressive(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What aggressive orders take."""

    clear: Share
    sweep: Share
    sweep_levels: Quantiles


class ArrivalProcess(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How commands arrive. With a rate a run is an open loop; without one it is, if the run requests a rate."""

    process: Process
    rate: Rate | None = None
    branching: Branching | None = None
    decay_spacings: DecaySpacings | None = None
    kernels: Annotated[tuple[Kernel, ...], Meta(min_length=1, max_length=KERNELS_MAX)] | None = None

    def at(self, rate: int) -> Arrivals:
        """These arrivals at a rate."""
        return Arrivals(**msgspec.structs.asdict(self) | {"rate": rate})


class Arrivals(ArrivalProcess, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the commands of an open loop are due."""

    rate: Rate


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A profile; the module docstring explains each key."""

    name: str = ""
    description: str = ""
    symbols: Annotated[int, Meta(ge=1, le=65_536)] = 1
    zipf_exponent: Annotated[float, Meta(ge=0, le=4)] = 1.0
    live_orders: Annotated[int, Meta(ge=1, le=LIVE_ORDERS_MAX)] = 10_000
    pro_rata: Annotated[int, Meta(ge=0, le=65_536)] = 0
    owners: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    mix: Mix
    price: Price = Price()
    quantity: Quantity = Quantity()
    placement: OrderPlacement | None = None
    lifetime: Annotated[tuple[Lifetime, ...], Meta(max_length=BANDS_MAX)] = ()
    aggressive: Aggressive | None = None
    arrivals: ArrivalProcess | None = None

    @property
    def has_terms(self) -> bool:
        """Whether its commands are `EXTENDED_COMMAND` records."""
        return self.mix.has_terms or self.owners > 0


def profile_names() -> list[str]:
    """Names of the built-in profiles, sorted."""
    folder = resources.files("lowlat.engine.flow") / "profiles"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_profile(name_or_path: str | Path) -> Profile:
    """Load a built-in profile by name, or any profile by the path of its TOML file.

    Raises `InputError` that names the cause: the unknown name (with the closest match), the file, or the key.
    """
    name_or_path = str(checked_path("profile", name_or_path))
    return _parse(profile_toml(name_or_path), Path(name_or_path).stem, name_or_path)


def profile_toml(name_or_path: str) -> str:
    """The TOML of a profile, which may not be valid. Raises `InputError` as `load_profile` does."""
    if name_or_path in profile_names():
        return (resources.files("lowlat.engine.flow") / "profiles" / f"{name_or_path}.toml").read_text(encoding="utf-8")
    path = Path(name_or_path)
    if path.suffix != ".toml" and "/" not in name_or_path:
        near = difflib.get_close_matches(name_or_path, profile_names(), n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(
            f"profile {name_or_path!r} is unknown; {hint}available: {', '.join(profile_names())}, "
            "or give the path of a .toml file"
        )
    try:
        return read_toml_text(path)
    except InputError as error:
        raise InputError(f"profile {error}") from error


def _parse(text: str, name: str, where: str) -> Profile:
    try:
        keys: Mapping[str, Any] = parse_toml(text)
        profile = msgspec.convert({"name": name, **keys}, Profile)
        check_profile(profile, keys)
    except msgspec.ValidationError as error:
        raise InputError(f"profile {where}: {explain(error)}") from error
    except (FormatError, InputError) as error:
        raise InputError(f"profile {where}: {error}") from error
    return profile

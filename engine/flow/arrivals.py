"""Planned arrival times of an open-loop run: when each command is due, whatever the engine does.

Three processes, each with exactly the mean rate asked for:

- `constant`: every command one spacing (1 / rate) behind the last.
- `poisson`: independent of one another, as from very many senders.
- `burst`: self-exciting, as recorded order flow is: a Hawkes process with an exponential kernel. Every command brings
  on `branching` others on average, each after an exponential delay of `decay_spacings` mean spacings. In the long run
  its counts have 1 / (1 - branching)^2 times the variance of a Poisson process.

`BRANCHING` follows V. Filimonov and D. Sornette, "Quantifying reflexivity in financial markets", Physical Review E 85,
056108 (2012): of the E-mini S&P 500's mid-price changes less than 30% were exogenous since 2007, so 70% and more were
brought on by earlier ones. M. Lallouache and D. Challet, "The limits of statistical significance of Hawkes processes
fitted to financial data", Quantitative Finance 16 (2016), find about 0.8 and short delays in trades of currencies.
`DECAY_SPACINGS` is the maximum likelihood's in the message times of LOBSTER's hour of AAPL (2012-06-21, 09:30-10:30):
branching 0.66, mean delay 0.39 ms at 25.6 messages a second, which is 0.0099 mean spacings
(`tests/oracle/test_arrivals_fit.py`).

Delays count in mean spacings, not in seconds, so that a seed is one pattern at every rate, played faster or slower:
what a sweep over rates compares is the engine alone.
"""

from __future__ import annotations

from typing import Final, assert_never

import numpy as np
from numpy.typing import NDArray

from lowlat.engine import _core
from lowlat.engine.flow.profile import BRANCHING_MAX, DECAY_SPACINGS_MAX, RATE_MAX, Process
from lowlat.engine.flow.synthetic import COMMANDS_MAX, SEED_MAX
from lowlat.errors import UsageError

BRANCHING: Final = 0.7
"""Commands that one of a burst brings on, on average."""
DECAY_SPACINGS: Final = 0.01
"""Mean delay until such a command, in mean spacings."""
SPAN_MAX_S: Final = 86_400

_PICOSECONDS: Final = 10**12
_ONE: Final = 1 << 32


class ArrivalsError(UsageError):
    """A schedule that cannot be made; the message names the value and its bounds."""


def arrivals(
    process: Process,
    count: int,
    rate_per_s: int,
    seed: int,
    *,
    branching: float | None = None,
    decay_spacings: float | None = None,
) -> NDArray[np.uint64]:
    """When each of `count` commands is due: shape (count,), picoseconds from the run's start, ascending.

    Picoseconds, since whole nanoseconds would round the 3.33 ns of 300 M/s by a tenth. The same bytes on every machine.
    `constant` puts arrival i, from 0, at i / rate, rounded down; the others begin where a stationary process is joined.

    A random process of `count` arrivals would last a little more or less than count / rate. It is stretched so that the
    arrival behind its last falls on count / rate: every seed then asks the engine for the same rate. That changes the
    unit of time only, by about 1 / ((1 - branching) sqrt(count)), and for a Poisson process not even its law: it gives
    the arrivals of one that is known to have `count` of them in that time.

    `branching` and `decay_spacings` are for `burst`; None means `BRANCHING` and `DECAY_SPACINGS`. Raises
    `ArrivalsError` for what is out of bounds.
    """
    check_schedule(count, rate_per_s, seed)
    branching = _bounded("branching", branching, BRANCHING, BRANCHING_MAX)
    decay_spacings = _bounded("decay_spacings", decay_spacings, DECAY_SPACINGS, DECAY_SPACINGS_MAX)
    times_ps = np.empty(count, dtype=np.uint64)
    span_ps = count * _PICOSECONDS // rate_per_s
    match process:
        case "constant":
            _core.constant_arrivals(rate_per_s, times_ps)
        case "poisson":
            _core.poisson_arrivals(seed, span_ps, times_ps)
        case "burst":
            # Multiplied by a power of two, a float is exact: no machine rounds it another way.
            _core.burst_arrivals(seed, int(branching * _ONE), int(decay_spacings * _ONE), span_ps, times_ps)
        case _:
            assert_never(process)
    return times_ps


def check_schedule(count: int, rate_per_s: int, seed: int) -> None:
    """Raises `ArrivalsError` if `arrivals` would: to ask before a long run, without making the schedule."""
    if not 1 <= count <= COMMANDS_MAX:
        raise ArrivalsError(f"arrivals: a count of {count} is outside 1..{COMMANDS_MAX}")
    if not 1 <= rate_per_s <= RATE_MAX:
        raise ArrivalsError(
            f"arrivals: a rate of {rate_per_s}/s is outside 1..{RATE_MAX}: spacings below 1 ns are below a clock's step"
        )
    if count > SPAN_MAX_S * rate_per_s:
        raise ArrivalsError(
            f"arrivals: {count} commands at {rate_per_s}/s take more than a day; give fewer, or a higher rate"
        )
    if not 0 <= seed <= SEED_MAX:
        raise ArrivalsError(f"arrivals: seed {seed} is outside 0..{SEED_MAX}")


def _bounded(name: str, value: float | None, default: float, maximum: float) -> float:
    if value is None:
        return default
    if not 0 <= value <= maximum:  # a NaN is in no range
        raise ArrivalsError(f"arrivals: {name} {value} is outside 0..{maximum:g}")
    return value

"""Intended start times of an open-loop run: when each command is due, independent of the engine.

Four processes, each with exactly the requested mean rate:

- `constant`: commands evenly spaced by 1 / rate.
- `poisson`: independent arrivals, as from very many senders.
- `burst`: self-exciting, like recorded order flow: a Hawkes process with an exponential kernel. Every command triggers
  `branching` others on average, each after an exponential delay of `decay_spacings` mean spacings. In the long run
  its counts have 1 / (1 - branching)^2 times the variance of a Poisson process.
- `long-memory`: a Hawkes process whose kernel is a sum of exponentials, `kernels`, each with its branching and delay.
  With delays a decade apart it is close to a power law: bursts within bursts, up to minutes.

`BRANCHING` follows V. Filimonov and D. Sornette, "Quantifying reflexivity in financial markets", Physical Review E 85,
056108 (2012): since 2007, less than 30% of the E-mini S&P 500's mid-price changes were exogenous, so at least 70% were
triggered by earlier ones. M. Lallouache and D. Challet, "The limits of statistical significance of Hawkes processes
fitted to financial data", Quantitative Finance 16 (2016), find about 0.8 and short delays in currency trades.
`DECAY_SPACINGS` is a maximum-likelihood estimate from the message times of LOBSTER's hour of AAPL (2012-06-21,
09:30-10:30): branching 0.66, mean delay 0.39 ms at 25.6 messages a second, which is 0.0099 mean spacings
(`tests/oracle/test_arrivals_fit.py`).

`KERNELS`, with delays a decade apart, reproduces how the same hour's counts vary in windows from 10 ms to 10 s
(`tests/oracle/test_arrivals_fit.py`): an arrival triggers 0.94 others in total, ever fewer at longer delays. S.
J. Hardiman, N. Bercot and J.-P. Bouchaud, "Critical reflexivity in financial markets: a Hawkes process analysis",
European Physical Journal B 86, 442 (2013), found the same for the E-mini S&P 500: a power-law kernel whose integral is
close to 1. E. Bacry, I. Mastromatteo and J.-F. Muzy, "Hawkes processes in finance", Market Microstructure and Liquidity
1 (2015), review such kernels and their estimation. A single exponential cannot do this: the hour's counts have 44 times
the variance of a Poisson process in windows of a second and 108 times in windows of 10 seconds, those of `burst` at
most 11 times.

Delays are in mean spacings, not seconds, so a seed gives the same pattern at every rate, only faster or slower. A sweep
over rates therefore compares the engine alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

import numpy as np
from numpy.typing import NDArray

from lowlat.engine import _core
from lowlat.engine.flow.profile import BRANCHING_MAX, DECAY_SPACINGS_MAX, RATE_MAX, Kernel, Process
from lowlat.engine.flow.synthetic import COMMANDS_MAX, SEED_MAX
from lowlat.errors import UsageError

BRANCHING: Final = 0.7
"""Mean number of commands that one command of a burst triggers."""
DECAY_SPACINGS: Final = 0.01
"""Mean delay of a triggered command, in mean spacings."""
KERNELS: Final[tuple[Kernel, ...]] = (
    (0.190, 0.0003),
    (0.157, 0.003),
    (0.234, 0.03),
    (0.157, 0.3),
    (0.087, 3.0),
    (0.068, 30.0),
    (0.047, 300.0),
)
"""Branching and delay of the exponentials of long-memory arrivals."""
SPAN_MAX_S: Final = 86_400

_PICOSECONDS: Final = 10**12
_ONE: Final = 1 << 32


def arrivals(
    process: Process,
    count: int,
    rate_per_s: int,
    seed: int,
    *,
    branching: float | None = None,
    decay_spacings: float | None = None,
    kernels: Sequence[Kernel] | None = None,
) -> NDArray[np.uint64]:
    """When each of `count` commands is due: shape (count,), picoseconds from the run's start, ascending.

    Picoseconds, because whole nanoseconds would round the 3.33 ns of 300 M/s by a tenth. The bytes are the same on
    every machine. `constant` puts arrival i, from 0, at i / rate, rounded down; the others start in the stationary
    state.

    A random process of `count` arrivals would last a little more or less than count / rate. It is stretched so that the
    arrival after its last falls on count / rate: every seed then demands the same rate of the engine. This only changes
    the unit of time, by about 1 / ((1 - branching) sqrt(count)). A Poisson process keeps its distribution: the result
    is the process conditioned on `count` arrivals in that time.

    `branching` and `decay_spacings` apply to `burst`, `kernels` to `long-memory`; None means `BRANCHING`,
    `DECAY_SPACINGS` and `KERNELS`. Raises `UsageError` for an argument out of range.
    """
    check_schedule(count, rate_per_s, seed)
    burst = (
        BRANCHING if branching is None else branching,
        DECAY_SPACINGS if decay_spacings is None else decay_spacings,
    )
    times_ps = np.empty(count, dtype=np.uint64)
    span_ps = count * _PICOSECONDS // rate_per_s
    match process:
        case "constant":
            _core.constant_arrivals(rate_per_s, times_ps)
        case "poisson":
            _core.poisson_arrivals(seed, span_ps, times_ps)
        case "burst":
            _core.hawkes_arrivals(seed, _native_kernels((burst,)), span_ps, times_ps)
        case "long-memory":
            _core.hawkes_arrivals(seed, _native_kernels(KERNELS if kernels is None else kernels), span_ps, times_ps)
        case _:
            assert_never(process)
    return times_ps


def check_schedule(count: int, rate_per_s: int, seed: int) -> None:
    """Raises `UsageError` if `arrivals` would, without making the schedule: a check before a long run."""
    if not 1 <= count <= COMMANDS_MAX:
        raise UsageError(f"arrivals: a count of {count} is outside 1..{COMMANDS_MAX}")
    if not 1 <= rate_per_s <= RATE_MAX:
        raise UsageError(
            f"arrivals: a rate of {rate_per_s}/s is outside 1..{RATE_MAX}: spacings below 1 ns are below the "
            "clock's resolution"
        )
    if count > SPAN_MAX_S * rate_per_s:
        raise UsageError(
            f"arrivals: {count} commands at {rate_per_s}/s take more than a day; use fewer, or a higher rate"
        )
    if not 0 <= seed <= SEED_MAX:
        raise UsageError(f"arrivals: seed {seed} is outside 0..{SEED_MAX}")


def _native_kernels(kernels: Sequence[Kernel]) -> NDArray[np.uint64]:
    """Rows of branching and decay in units of 2^-32. A float times a power of two is exact on every machine."""
    for branching, decay_spacings in kernels:
        _check_bounds("branching", branching, BRANCHING_MAX)
        _check_bounds("decay_spacings", decay_spacings, DECAY_SPACINGS_MAX)
    _check_bounds("branching of all kernels", sum(branching for branching, _ in kernels), BRANCHING_MAX)
    return np.array([[int(value * _ONE) for value in kernel] for kernel in kernels], dtype=np.uint64)


def _check_bounds(name: str, value: float, maximum: float) -> None:
    if not 0 <= value <= maximum:  # also rejects NaN
        raise UsageError(f"arrivals: {name} {value} is outside 0..{maximum:g}")

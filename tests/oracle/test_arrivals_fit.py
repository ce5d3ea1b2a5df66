"""The parameters of the default burst process are the maximum-likelihood fit to an hour of recorded messages, and the
long-memory process varies as they do at every time scale."""

from __future__ import annotations

import lzma
from collections.abc import Callable
from math import exp, log
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lowlat.engine.flow.arrivals import BRANCHING, DECAY_SPACINGS, arrivals
from lowlat.engine.flow.profile import Process

FITTED = (0.66, 0.0099)
"""Branching, and delay in mean spacings, that `engine/flow/arrivals.py` quotes."""


@pytest.fixture(scope="module")
def times_s(recorded: Callable[[str], Path]) -> list[float]:
    """Arrival times of the messages, in seconds from the first."""
    path = recorded("AAPL_2012-06-21_34200000_37800000_message_50.csv.xz")
    with lzma.open(path, "rt") as lines:
        times = [float(line.partition(",")[0]) for line in lines]
    return [time - times[0] for time in times]


def log_likelihood(times_s: list[float], branching: float, decay_spacings: float) -> float:
    """Of a Hawkes process with this exponential kernel and the mean rate seen.

    Y. Ogata, "The asymptotic behavior of maximum likelihood estimators for stationary point processes" (1978); the sum
    over earlier arrivals is carried from one to the next, as only an exponential kernel allows.
    """
    span_s = times_s[-1]
    rate = len(times_s) / span_s
    beta = rate / decay_spacings
    immigrants = (1 - branching) * rate
    excited, last, total = 0.0, 0.0, -immigrants * span_s
    for at, time in enumerate(times_s):
        if at:
            excited = (excited + 1) * exp(-beta * (time - last))
        last = time
        total += log(immigrants + branching * beta * excited) - branching * (1 - exp(-beta * (span_s - time)))
    return total


def test_the_parameters_quoted_are_the_most_likely(times_s: list[float]) -> None:
    branching, decay = FITTED
    best = log_likelihood(times_s, branching, decay)
    for other in ((0.62, decay), (0.70, decay), (branching, 0.0092), (branching, 0.0107)):
        assert log_likelihood(times_s, *other) < best


def test_the_defaults_explain_the_messages_nearly_as_well_and_no_memory_does_not(times_s: list[float]) -> None:
    best, poisson = log_likelihood(times_s, *FITTED), log_likelihood(times_s, 0.0, 1.0)
    defaults = log_likelihood(times_s, BRANCHING, DECAY_SPACINGS)
    assert (defaults - poisson) / (best - poisson) > 0.99


def fano(times_s: NDArray[np.float64], window_s: float) -> float:
    """Variance over mean of the counts in windows of this length."""
    windows = int(times_s[-1] / window_s)
    counts, _ = np.histogram(times_s, bins=windows, range=(0, windows * window_s))
    return float(counts.var() / counts.mean())


def fano_ratios(times_s: list[float], process: Process) -> list[float]:
    """The process's Fano factors over the recorded ones, in windows from 10 ms to 10 s."""
    recorded = np.array(times_s)
    rate = len(recorded) / recorded[-1]
    # Ten hours of the process: in a single one the counts of 10 seconds are too few.
    made = arrivals(process, 10 * len(recorded), 1_000_000, 1) * 1e-12 * 1_000_000 / rate
    return [fano(made, window_s) / fano(recorded, window_s) for window_s in (0.01, 0.1, 1, 10)]


def test_long_memory_clusters_as_the_messages_do_at_every_scale(times_s: list[float]) -> None:
    assert max(abs(ratio - 1) for ratio in fano_ratios(times_s, "long-memory")) < 0.15


def test_a_single_exponential_does_not(times_s: list[float]) -> None:
    assert fano_ratios(times_s, "burst")[-1] < 0.15

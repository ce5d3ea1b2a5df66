"""Finds the period of gaps without a cause: that of a timer outside this system, of the hypervisor or the firmware.

Where no counter of the kernel moved, only the time of a gap may tell what caused it. Starts modulo the right period
fall into a few phases. A Fourier transform of the starts, less that of the time watched, proposes a period, and a test
decides. Its null hypothesis is that starts are spread evenly over the time watched, so that thefts of the CPU at
regular times, which leave gaps only between them, are no period. Of the gaps in one phase of one turn of the period
only one counts, so that a burst is no period either. By the Chernoff bound of the Poisson distribution,

    P(count >= k) <= exp(-(k ln(k / e) - k + e)),        k > e, e expected

and `CHANCE` is the bound for all phases and periods tried together (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

CHANCE: Final = 1e-9
"""How likely, at most, gaps at random times of a stretch have a period."""
GAPS_MIN: Final = 30
FACTOR_MIN: Final = 4.0
"""A phase of a timer has at least so many gaps, and so many times as many as expected."""
SHARE_MIN: Final = 0.1
"""A timer has at least this share of the gaps that are looked at: a trace of regularity is not worth a name."""
PHASES: Final = 50
PERIOD_MIN_NS: Final = 400_000
READINGS_MIN: Final = 4
"""A period is at least so many times as long as it takes to read the counters: back to back, gaps come as regularly."""
AFTERMATH_NS: Final = 250_000
"""After an explained gap no start counts for so long: caches are cold, and the kernel's own tick has a period too."""
_STRETCH_NS: Final = 10_000_000_000
"""Periods are sought in parts of the watch of about this length: two clocks run apart in the long run."""
_PERIODS_MAX: Final = 3
_PROPOSED_MAX_NS: Final = 25_000_000
"""The Fourier transform proposes periods up to this one; a longer one is found as a multiple."""
_SLOT_NS: Final = 50_000
"""Resolution of the Fourier transform."""
_SCANNED: Final = 101
_SCANNED_GAPS_MAX: Final = 5_000
_LONGER_SCORE: Final = 0.9
"""Of a period and its multiples, the longest one that scores nearly as well as the best is taken."""

Times = NDArray[np.float64]


def periods_of(
    begin_ns: NDArray[np.int64],
    length_ns: NDArray[np.int64],
    reading_ns: NDArray[np.int64],
    unexplained: NDArray[np.bool_],
) -> Times:
    """For each gap the period of its timer in nanoseconds; 0 if it is explained, or comes at no regular time.

    Gaps are in order; nothing is watched in them, and while counters are read after them.
    """
    found = np.zeros(len(begin_ns))
    if unexplained.sum() < GAPS_MIN:
        return found
    end_ns = int(begin_ns[-1] + length_ns[-1] + reading_ns[-1])
    least_ns = max(PERIOD_MIN_NS, READINGS_MIN * float(np.median(reading_ns)))
    lost_ns = begin_ns + length_ns + reading_ns + np.where(unexplained, 0, AFTERMATH_NS)
    lost_ns = np.maximum.accumulate(lost_ns)
    sought = unexplained & (begin_ns >= np.concatenate(([0], lost_ns[:-1])))
    watched = _Watched(np.maximum(begin_ns, np.concatenate(([0], lost_ns[:-1]))), lost_ns)
    stretches = max(1, round(end_ns / _STRETCH_NS))
    for at in range(stretches):
        stretch = _Stretch(watched, at * end_ns / stretches, (at + 1) * end_ns / stretches, least_ns)
        inside = np.flatnonzero(sought & (begin_ns >= stretch.begin_ns) & (begin_ns < stretch.end_ns))
        for period_ns, gaps in stretch.periods((begin_ns[inside] - stretch.begin_ns).astype(np.float64)):
            found[inside[gaps]] = period_ns
    return found


class _Watched:
    """How much of the time until a moment was watched."""

    def __init__(self, begin_ns: NDArray[np.int64], end_ns: NDArray[np.int64]) -> None:
        self._moments = np.column_stack((begin_ns, end_ns)).ravel().astype(np.float64)
        lost = np.cumsum(end_ns - begin_ns).astype(np.float64)
        self._lost = np.column_stack((np.concatenate(([0.0], lost[:-1])), lost)).ravel()

    def between(self, edges_ns: Times) -> Times:
        """The time watched from each edge to the next."""
        return np.diff(edges_ns - np.interp(edges_ns, self._moments, self._lost))


class _Stretch:
    """A part of a watch, and the periods in it."""

    def __init__(self, watched: _Watched, begin_ns: float, end_ns: float, least_ns: float) -> None:
        self.begin_ns, self.end_ns = begin_ns, end_ns
        self._watched = watched
        self._span_ns = end_ns - begin_ns
        self._longest_ns = self._span_ns / GAPS_MIN
        self._turns = math.ceil(self._span_ns / _PROPOSED_MAX_NS), int(self._span_ns / least_ns)
        """Of the longest and of the shortest period that is proposed."""
        tests = 2 * PHASES * _SCANNED * max(self._turns[1], 1) * max(self._longest_ns / least_ns, 1)
        self._score_min = math.log(tests / CHANCE)

    def periods(self, starts_ns: Times) -> Iterator[tuple[float, NDArray[np.intp]]]:
        """Each period with its gaps, by index, the clearest first."""
        left = np.arange(len(starts_ns))
        for _ in range(_PERIODS_MAX):
            if len(left) < GAPS_MIN or self._turns[1] < max(self._turns[0], GAPS_MIN):
                return
            period_ns = self._proposed(starts_ns[left])
            of_timer = self._of_timer(starts_ns[left], period_ns)
            if of_timer.sum() < max(SHARE_MIN * len(starts_ns), 1):
                return
            yield period_ns, left[of_timer]
            left = left[~of_timer]

    def _proposed(self, starts_ns: Times) -> float:
        """The likeliest period."""
        slots = math.ceil(self._span_ns / _SLOT_NS)
        edges = np.arange(slots + 1, dtype=np.float64) * _SLOT_NS + self.begin_ns
        seen = self._watched.between(edges)
        counts = np.bincount((starts_ns // _SLOT_NS).astype(np.int64), minlength=slots)[:slots]
        lines = np.abs(np.fft.rfft(counts / len(starts_ns) - seen / max(seen.sum(), 1.0)))
        least, most = self._turns
        turns = least + int(np.argmax(lines[least : most + 1]))
        some = np.random.default_rng(0).permutation(starts_ns)[
            :_SCANNED_GAPS_MAX
        ]  # each second one has twice the period
        nearest = self._finest(some, self._span_ns / self._best_turns(some, turns))
        return self._finest(some, self._longest(some, nearest))

    def _best_turns(self, starts_ns: Times, turns: float) -> float:
        """The number of turns near `turns` at which starts agree best: the Rayleigh statistic is greatest."""
        for width in (1.0, 0.05):
            tried = np.maximum(turns + width * np.linspace(-1, 1, 41), self._turns[0])
            turns = float(max(tried, key=lambda each: abs(np.exp(2j * np.pi * each / self._span_ns * starts_ns).sum())))
        return turns

    def _longest(self, starts_ns: Times, period_ns: float) -> float:
        """The best one of a period and its multiples."""
        multiples = [period_ns * by for by in range(1, max(int(self._longest_ns / period_ns), 1) + 1)]
        scores = [_score_at(starts_ns, each) for each in multiples]
        best = max(scores)
        return max(each for each, score in zip(multiples, scores, strict=True) if score >= _LONGER_SCORE * best)

    def _finest(self, starts_ns: Times, period_ns: float) -> float:
        """The best period close to one; of several, their middle."""
        tried = period_ns * (1 + np.linspace(-0.5, 0.5, _SCANNED) * period_ns / self._span_ns)
        scores = np.array([_score_at(starts_ns, each) for each in tried])
        return float(tried[scores == scores.max()].mean())

    def _of_timer(self, starts_ns: Times, period_ns: float) -> NDArray[np.bool_]:
        """Which starts are in phases that hold too many for chance."""
        found, best = np.zeros(len(starts_ns), np.bool_), 0.0
        for shift in (0.0, 0.5):
            places = np.floor(starts_ns / period_ns * PHASES + shift).astype(np.int64)
            counts = np.bincount(np.unique(places) % PHASES, minlength=PHASES)
            expected = np.maximum(counts.sum() * self._exposure(period_ns, shift), 1.0)
            scores = _scores(counts, expected)
            filled = (scores > self._score_min) & (counts >= GAPS_MIN) & (counts >= FACTOR_MIN * expected)
            if filled.any() and scores.max() > best:
                found, best = filled[places % PHASES], float(scores.max())
        return found

    def _exposure(self, period_ns: float, shift: float) -> Times:
        """The share of the time watched that fell into each phase."""
        turns = math.ceil(self._span_ns / period_ns) + 1
        edges = (np.arange(turns * PHASES + 1) - shift) * period_ns / PHASES
        seen = self._watched.between(self.begin_ns + np.clip(edges, 0, self._span_ns))
        by_phase = seen.reshape(turns, PHASES).sum(axis=0)
        return np.asarray(by_phase / max(by_phase.sum(), 1.0))


def _score_at(starts_ns: Times, period_ns: float) -> float:
    """How unlikely the fullest phase is, for starts spread evenly."""
    places = (starts_ns / period_ns * (2 * PHASES)).astype(np.int64) % (2 * PHASES)
    halves = np.bincount(places, minlength=2 * PHASES)
    counts = halves + np.roll(halves, 1)
    return float(_scores(counts, np.full(len(counts), max(len(starts_ns) / PHASES, 1.0))).max())


def _scores(counts: NDArray[np.int64], expected: Times) -> Times:
    """The exponent of the Chernoff bound; 0 for no more than expected."""
    many = np.maximum(counts, expected)
    return np.asarray(many * np.log(many / expected) - many + expected)

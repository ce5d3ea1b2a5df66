"""The schedule of an open loop has the requested rate and process, and is the same on every machine."""

import hashlib
from math import exp, sqrt

import numpy as np
import pytest

from lowlat.engine.flow.arrivals import BRANCHING, DECAY_SPACINGS, KERNELS, arrivals
from lowlat.engine.flow.synthetic import COMMANDS_MAX
from lowlat.errors import UsageError

RATE = 1_000_000
SPACING_PS = 1_000_000
COUNT = 400_000
SEEDS = (1, 2, 3)

# SHA-256 of 5,000 arrivals at 3 M/s with seed 7, little-endian. They change only if a process changes on purpose;
# earlier open-loop figures then belong to another schedule.
HASHES = {
    "constant": "05a2032fd7b39015f40a1037e57ac0e05e480ee53b2fad566f6d8d78736df077",
    "poisson": "5a0a8b423700ca9d7b03c91e6e4727d60a70ddaa71b6c7add523d325449aa34d",
    "burst": "ab77323b6f37a14fe3c85d3a497a4b19e07431f3f63ef979f5988c221b7c6f44",
    "long-memory": "81862cb9bfc1f8da655cb0ec3881adf47763aefd3032e8fda23da703be579d5a",
}


@pytest.mark.parametrize("process", HASHES)
def test_same_seed_same_bytes_on_every_machine(process):
    times = arrivals(process, 5_000, 3_000_000, 7)
    assert hashlib.sha256(times.astype("<u8").tobytes()).hexdigest() == HASHES[process]


@pytest.mark.parametrize("rate", [1, 3, 7, RATE, 300_000_000, 999_999_937, 1_000_000_000])
def test_constant_spacing_gathers_no_rounding(rate):
    count = min(10_007, 86_400 * rate)
    assert arrivals("constant", count, rate, 1).tolist() == [i * 10**12 // rate for i in range(count)]


@pytest.mark.parametrize("process", ["poisson", "burst"])
@pytest.mark.parametrize("rate", [1, 3_000_000, 1_000_000_000])
def test_a_random_schedule_ascends_and_spans_exactly_its_time(process, rate):
    """The arrival after the last one falls on the end, so the last is slightly before it."""
    count = 20_000
    times = arrivals(process, count, rate, 5)
    span_ps = count * 10**12 // rate
    assert (times.shape, times.dtype) == ((count,), np.uint64)
    assert np.all(np.diff(times.astype(np.int64)) >= 0)
    assert span_ps * 0.99 < times[-1] < span_ps


@pytest.mark.parametrize("process", ["poisson", "burst"])
def test_a_seed_is_one_pattern_played_at_any_rate(process):
    slow, fast = (arrivals(process, 1_000, rate, 9).astype(np.int64) for rate in (RATE, 10 * RATE))
    assert np.all(np.abs(slow - 10 * fast) <= 10)
    assert not np.array_equal(slow, arrivals(process, 1_000, RATE, 10).astype(np.int64))


def dispersion(times, window_spacings):
    """Variance over mean of the counts in windows; 1 for a Poisson process, 0 for equal spacing."""
    window_ps = int(window_spacings * SPACING_PS)
    counts = np.bincount(times.astype(np.int64) // window_ps)[:-1]
    return counts.var() / counts.mean(), len(counts)


def check_poisson(times):
    """Intervals are exponential (Kolmogorov-Smirnov at the 1% level: 1.63 / sqrt(n)), and independent."""
    intervals = np.sort(np.diff(times.astype(np.int64)) / SPACING_PS)
    n = len(intervals)
    expected = 1 - np.exp(-intervals)
    off = max(np.abs(expected - np.arange(n) / n).max(), np.abs(expected - np.arange(1, n + 1) / n).max())
    assert off < 1.63 / sqrt(n)
    for window in (1, 10, 100):
        index, windows = dispersion(times, window)
        assert index == pytest.approx(1, abs=4 * sqrt((2 + 1 / window) / windows))


def check_burst(times, branching=BRANCHING, decay=DECAY_SPACINGS):
    """Counts vary as the theory of the process says, from windows about as short as its memory to long ones.

    Variance over mean in a window of t mean spacings (the covariance density in A. G. Hawkes, "Spectra of some
    self-exciting and mutually exciting point processes", 1971, integrated over the window): I - (I - 1)(1 - e^-x) / x
    with x = t (1 - n) / decay, and I = 1 / (1 - n)^2 for long windows.
    """
    limit = 1 / (1 - branching) ** 2
    for window in (5 * decay, 50 * decay, 500 * decay):
        x = window / decay * (1 - branching)
        index, _ = dispersion(times, window)
        assert index == pytest.approx(limit - (limit - 1) * (1 - exp(-x)) / x, rel=0.08)


@pytest.mark.parametrize("seed", SEEDS)
def test_poisson_is_poisson(seed):
    check_poisson(arrivals("poisson", COUNT, RATE, seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_burst_clusters_as_a_hawkes_process_does(seed):
    check_burst(arrivals("burst", COUNT, RATE, seed))


@pytest.mark.parametrize(("branching", "decay"), [(0.3, 0.01), (0.5, 1.0), (0.7, 0.1)])
def test_burst_takes_its_parameters(branching, decay):
    times = arrivals("burst", COUNT, RATE, 1, branching=branching, decay_spacings=decay)
    check_burst(times, branching, decay)


def check_long_memory(times, kernels=KERNELS):
    """Counts vary as the theory of the process says, over three decades of windows.

    The density of the covariance follows from the kernel's Fourier transform h (Hawkes, 1971): the spectrum of the
    counts is 1 / |1 - h|^2, and the variance over a window integrates it.
    """
    for window in (0.1, 1, 10, 100):
        index, _ = dispersion(times, window)
        assert index == pytest.approx(expected_dispersion(kernels, window), rel=0.1)


def expected_dispersion(kernels, window):
    """Variance over mean in a window: the integral of the spectrum times t (sin(wt/2) / (wt/2))^2 / 2 pi."""
    edges = np.geomspace(1e-7, 1e7, 40_001) / window
    at, step = np.sqrt(edges[1:] * edges[:-1]), np.diff(edges)
    transform = sum(branching / (1 - 1j * at * decay) for branching, decay in kernels)
    spectrum = 1 / np.abs(1 - transform) ** 2
    return 1 + np.sum((spectrum - 1) * np.sinc(at * window / 2 / np.pi) ** 2 * step) * window / np.pi


@pytest.mark.parametrize("seed", SEEDS)
def test_long_memory_clusters_at_every_scale(seed):
    check_long_memory(arrivals("long-memory", 5 * COUNT, RATE, seed))


def test_one_exponential_as_a_kernel_is_the_burst():
    kernels = ((BRANCHING, DECAY_SPACINGS),)
    assert np.array_equal(arrivals("long-memory", 999, RATE, 1, kernels=kernels), arrivals("burst", 999, RATE, 1))
    assert expected_dispersion(kernels, 5) == pytest.approx(1 / (1 - BRANCHING) ** 2, rel=0.01)


BROKEN_LONG_MEMORY = {
    "bursts of one scale": lambda: arrivals("burst", 5 * COUNT, RATE, 1),
    "the longest delay missing": lambda: arrivals("long-memory", 5 * COUNT, RATE, 1, kernels=KERNELS[:-1]),
    "the shortest delay missing": lambda: arrivals("long-memory", 5 * COUNT, RATE, 1, kernels=KERNELS[1:]),
}


@pytest.mark.parametrize("broken", BROKEN_LONG_MEMORY)
def test_the_check_rejects_what_lacks_a_scale(broken):
    with pytest.raises(AssertionError):
        check_long_memory(BROKEN_LONG_MEMORY[broken]())


def scheduled(intervals):
    """A schedule with these intervals, as `arrivals` returns it."""
    times = np.cumsum(intervals)
    return (times * (len(times) * SPACING_PS / times[-1])).astype(np.uint64)


def only_sons(random):
    """A burst whose children have no children."""
    immigrants = np.cumsum(random.exponential(1 + BRANCHING, int(COUNT / (1 + BRANCHING))))
    parents = np.repeat(immigrants, random.poisson(BRANCHING, len(immigrants)))
    times = np.sort(np.concatenate([immigrants, parents + random.exponential(DECAY_SPACINGS, len(parents))]))
    return scheduled(np.diff(times))


BROKEN_POISSON = {
    "equally spaced": lambda random: arrivals("constant", COUNT, RATE, 1),
    "evenly distributed intervals": lambda random: scheduled(random.random(COUNT)),
    "halving in steps": lambda random: scheduled(random.geometric(0.5, COUNT) + random.random(COUNT)),
    "every interval twice": lambda random: scheduled(np.repeat(random.exponential(1, COUNT // 2), 2)),
    "intervals ordered by length": lambda random: scheduled(np.sort(random.exponential(1, COUNT))),
    "bursts": lambda random: arrivals("burst", COUNT, RATE, 1, branching=0.05),
}
BROKEN_BURST = {
    "children forgotten": lambda random: arrivals("burst", COUNT, RATE, 1, branching=0.0),
    "children without children": only_sons,
    "children at once": lambda random: arrivals("burst", COUNT, RATE, 1, decay_spacings=0.0),
    "children too late": lambda random: arrivals("burst", COUNT, RATE, 1, decay_spacings=0.02),
    "too few children": lambda random: arrivals("burst", COUNT, RATE, 1, branching=0.65),
}


@pytest.mark.parametrize("broken", BROKEN_POISSON)
def test_the_check_rejects_what_is_not_poisson(broken):
    with pytest.raises(AssertionError):
        check_poisson(BROKEN_POISSON[broken](np.random.default_rng(1)))


@pytest.mark.parametrize("broken", BROKEN_BURST)
def test_the_check_rejects_what_is_no_such_burst(broken):
    with pytest.raises(AssertionError):
        check_burst(BROKEN_BURST[broken](np.random.default_rng(1)))


def test_a_burst_without_children_is_poisson():
    check_poisson(arrivals("burst", COUNT, RATE, 1, branching=0.0))


@pytest.mark.parametrize("process", HASHES)
def test_one_command(process):
    assert arrivals(process, 1, RATE, 1).shape == (1,)


@pytest.mark.parametrize(
    ("count", "rate", "seed", "said"),
    [
        (0, RATE, 1, "count of 0 is outside 1"),
        (-1, RATE, 1, "count of -1"),
        (COMMANDS_MAX + 1, RATE, 1, "count of 1073741825"),
        (10, 0, 1, "rate of 0/s is outside 1"),
        (10, -5, 1, "rate of -5/s"),
        (10, 1_000_000_001, 1, "below 1 ns"),
        (86_401, 1, 1, "more than a day"),
        (10, RATE, -1, "seed -1 is outside"),
        (10, RATE, 1 << 64, "seed 18446744073709551616"),
    ],
)
def test_what_cannot_be_scheduled_is_refused(count, rate, seed, said):
    with pytest.raises(UsageError, match=said):
        arrivals("poisson", count, rate, seed)


@pytest.mark.parametrize(("name", "value"), [("branching", 1.0), ("branching", -0.1), ("decay_spacings", 1e9)])
def test_a_burst_that_would_not_end_is_refused(name, value):
    with pytest.raises(UsageError, match=f"{name} .* is outside 0"):
        arrivals("burst", 10, RATE, 1, **{name: value})
    with pytest.raises(UsageError, match="nan"):
        arrivals("burst", 10, RATE, 1, **{name: float("nan")})


def test_kernels_that_together_would_not_end_are_refused():
    with pytest.raises(UsageError, match=r"branching of all kernels 1\.2 is outside 0..0\.95"):
        arrivals("long-memory", 10, RATE, 1, kernels=((0.6, 1.0), (0.6, 10.0)))

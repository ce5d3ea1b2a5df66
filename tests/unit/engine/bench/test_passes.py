"""A run's account of its passes: sums of the counters, and reasons for missing ones."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest

from lowlat.engine.bench.event_digest import EventDigest
from lowlat.engine.bench.passes import Pass, WatchedPasses, added, run_noise
from lowlat.engine.bench.run_setup import recorded_series
from lowlat.probes.clock.scale import TickScale
from lowlat.probes.os_noise import NoiseWatch
from lowlat.probes.reading import Reading, known, not_applicable
from lowlat.reports._core import Histogram as Recorder


def a_pass(**counted: Any) -> Pass:
    names = ("allocations", "minor_faults", "major_faults", "voluntary_switches", "involuntary_switches")
    timed = {"commands": 4, "events": 5, "wall_ns": 200, "cpu_ns": 100, "off_cpu_ns": 0}
    return Pass(**(timed | dict.fromkeys(names, 0) | counted))


def test_a_native_pass_is_told_in_nanoseconds() -> None:
    """At 10 ticks per nanosecond; zero stays zero, and a count that is not known is -1."""
    native = SimpleNamespace(
        **{"commands": 4, "events": 5, "ticks": 10, "cpu_ns": 7, "allocations": -1, "tail": b"end"},
        **{"minor_faults": 1, "major_faults": 2, "voluntary_switches": 3, "involuntary_switches": 4},
    )
    scale = TickScale.of_frequency(10e9)
    done = Pass.of_native(native, scale)  # type: ignore[arg-type]
    assert (done.wall_ns, done.off_cpu_ns, done.allocations, done.page_faults, done.tail) == (1, 0, None, 3, b"end")
    native.ticks, native.minor_faults = 100, -1
    waited = Pass.of_native(native, scale, ticks=5)  # type: ignore[arg-type]
    assert (waited.off_cpu_ns, waited.page_faults) == (3, None)
    native.cpu_ns = -1
    assert Pass.of_native(native, scale).off_cpu_ns is None  # type: ignore[arg-type]
    assert Pass.of_native(native, scale, ticks=0).wall_ns == 1  # type: ignore[arg-type]
    assert Pass.of_native(native, scale, ticks=200).throughput.ns_per_command == 5  # type: ignore[arg-type]


def test_a_count_is_known_if_it_is_of_every_pass() -> None:
    assert added([1, 2, 3]) == 6
    assert added([1, None, 3]) is None
    assert a_pass(minor_faults=None).page_faults is None


def test_what_is_counted_around_the_loop_replaces_what_the_thread_saw() -> None:
    """The call itself touches new pages, which are not part of the measurement."""
    passes = WatchedPasses(0)

    def touching(**counted: Any) -> Pass:
        bytearray(1 << 20)  # pages, first touched here
        return a_pass(**counted)

    passes.run("batched", lambda: touching(minor_faults=0, involuntary_switches=2))
    passes.run("timed", lambda: touching(minor_faults=1, involuntary_switches=3))
    seen, _ = run_noise(passes.os_noise, largest_gap_ns=9)
    assert (seen.minor_faults, seen.involuntary_switches, seen.largest_gap_ns) == (1, 5, 9)
    assert seen.noisy and "preempted 5 times" in seen.reasons


def test_a_counter_that_does_not_count_here_stays_unavailable() -> None:
    """A pass counts zeros where the kernel refuses or pretends to count; they must not read as "nothing happened"."""
    passes = WatchedPasses(0)
    unseen: Reading[int] = not_applicable("x", "the counter stands still")
    stop = passes._watch.stop
    passes._watch.stop = lambda: dataclasses.replace(stop(), voluntary_switches=unseen, minor_faults=unseen)  # type: ignore[method-assign]
    done = passes.run("timed", a_pass)
    seen, absent = run_noise(passes.os_noise, None)
    assert (seen.voluntary_switches, seen.minor_faults, seen.major_faults) == (None, None, 0)
    assert absent["voluntary_switches"] == absent["minor_faults"] == unseen.text
    assert done.page_faults is None and done.involuntary_switches == 0


@pytest.mark.parametrize(
    ("gap_ns", "reasons"),
    [(None, ()), (999_999, ()), (10_000_000, ("a gap of 10.0 ms between two timestamps",))],
)
def test_a_gap_beyond_any_service_time_is_noise(gap_ns: int | None, reasons: tuple[str, ...]) -> None:
    passes = WatchedPasses(0)
    quiet = {"off_cpu_ns": 0}
    passes.run("timed", lambda: a_pass(**quiet))
    around = dataclasses.replace(passes.os_noise, migrations=known(0, "x"), steal_ms=known(0, "x"))
    seen, _ = run_noise(dataclasses.replace(around, throttled_periods=known(0, "x")), gap_ns)
    assert (seen.reasons, seen.noisy) == (reasons, bool(reasons))


def test_stolen_time_is_nanoseconds_and_what_was_not_seen_says_why() -> None:
    watch = NoiseWatch(0)
    watch.start()
    unseen: Reading[int] = not_applicable("x", "there is no such counter")
    around = dataclasses.replace(
        watch.stop(),
        **{"steal_ms": known(20, "x"), "migrations": unseen, "timer_interrupts": known(0, "x")},
        **dict.fromkeys(("voluntary_switches", "involuntary_switches"), known(0, "x")),
        **dict.fromkeys(("minor_faults", "major_faults", "off_cpu_ns"), known(0, "x")),
    )
    seen, absent = run_noise(around, None)
    assert (seen.steal_ns, seen.migrations, seen.timer_interrupts) == (20_000_000, None, 0)
    assert absent == {"migrations": unseen.text}


def test_series_are_of_operations_with_samples_then_of_all() -> None:
    """Adds of 10 and 30 ns, one take of 20 ns, no cancel; one value beyond the histogram's range."""
    recorders = {("service", op): Recorder() for op in ("add", "take", "cancel")}
    for op, value in (("add", 10), ("add", 30), ("take", 20), ("cancel", 1 << 43)):
        recorders["service", op].record(value)
    series, out_of_range = recorded_series(recorders)
    assert [(each.op, each.measure, each.count, each.min, each.max) for each in series] == [
        ("add", "service", 2, 10, 30),
        ("take", "service", 1, 20, 20),
        ("all", "service", 3, 10, 30),
    ]
    assert out_of_range == 1


@pytest.mark.parametrize(
    ("tail", "same"), [(b"", True), (b"cd", True), (b"abcd", True), (b"bd", False), (b"xabcd", False)]
)
def test_a_pass_must_end_as_the_digested_one(tail: bytes, same: bool) -> None:
    digest = EventDigest("", 0, 0, 0, 0, 0, b"abcd")
    assert digest.ends_as(tail) is same

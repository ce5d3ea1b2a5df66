"""Every figure of a report depends on the clock: exact scaling, and a correct, repeatable frequency."""

from __future__ import annotations

import subprocess
import sys
import time
from fractions import Fraction

import pytest

from lowlat.documents import values
from lowlat.errors import NotValidError
from lowlat.probes import _core
from lowlat.probes.clock import counter, sources
from lowlat.probes.clock.counter import TickScale
from lowlat.probes.clock.sources import Candidate
from lowlat.probes.reading import known, not_applicable
from tests.waiting import PATIENCE_S


def raw_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)


CENTURY_S = 36_525 * 86_400
FREQUENCIES_HZ = (24e6, 1e9, 2_596_143_823.6186, 2_599_999_999.999, 3e9, 5e9, 1e3, 1e12)


@pytest.mark.parametrize("frequency_hz", FREQUENCIES_HZ)
def test_scale_is_exact_for_a_century_of_ticks(frequency_hz: float) -> None:
    scale = TickScale.of_frequency(frequency_hz)
    assert 2**63 <= scale.multiplier < 2**64
    century = min(int(CENTURY_S * Fraction(frequency_hz)), 2**64 - 1)
    for ticks in (0, 1, 7, 999_983, century // 3, century - 1, century):
        exact = Fraction(ticks) * 10**9 // Fraction(frequency_hz)
        if exact < 2**64:
            assert abs(scale.to_ns(ticks) - exact) <= 1


@pytest.mark.parametrize("frequency_hz", FREQUENCIES_HZ[:6])
def test_native_scale_agrees_with_big_integers(frequency_hz: float) -> None:
    scale = TickScale.of_frequency(frequency_hz)
    for ticks in (0, 1, 2**32 - 1, 2**32, 2**53 + 1, 2**63, 2**64 - 1):
        native = _core.apply_scale(ticks, scale.multiplier, scale.shift)
        assert native == ((ticks * scale.multiplier) >> scale.shift) % 2**64


@pytest.mark.parametrize("frequency_hz", FREQUENCIES_HZ[:6])
def test_scale_of_nanoseconds_is_exact_too(frequency_hz: float) -> None:
    multiplier, shift = _core.ticks_of_ns(frequency_hz)
    for nanoseconds in (0, 1, 10**9, 86_400 * 10**9, CENTURY_S * 10**9):
        exact = Fraction(nanoseconds) * Fraction(frequency_hz) // 10**9
        if exact < 2**64:
            assert abs(_core.apply_scale(nanoseconds, multiplier, shift) - exact) <= 1


def test_scale_of_a_round_frequency_can_be_checked_by_hand() -> None:
    assert TickScale.of_frequency(1e9) == TickScale(2**63, 63)
    assert TickScale.of_frequency(2e9).to_ns(7) == 3  # 3.5 ns, rounded down
    assert TickScale.of_frequency(25e6).to_ns(1) == 40


@pytest.mark.parametrize("frequency_hz", [0.0, -1.0, 999.0, 2e12, float("nan"), float("inf")])
def test_impossible_frequency_is_refused(frequency_hz: float) -> None:
    with pytest.raises(NotValidError, match="Hz cannot be scaled"):
        TickScale.of_frequency(frequency_hz)


@pytest.mark.parametrize("duration_s", [0.0, 0.009, 61.0, -1.0, float("nan")])
def test_unusable_window_is_refused(duration_s: float) -> None:
    with pytest.raises(NotValidError, match="is out of range"):
        counter.calibrate(duration_s)


def test_ticks_advance_as_the_calibration_says() -> None:
    calibration = counter.calibrate_quick()
    # Ticks around nanoseconds, then within them: a preemption between two reads only widens the bounds.
    first, after_start_ns, second = counter.ticks(), raw_ns(), counter.ticks()
    time.sleep(0.02)
    third, before_end_ns, last = counter.ticks(), raw_ns(), counter.ticks()
    elapsed_ns = before_end_ns - after_start_ns
    assert calibration.to_ns(third - second) * 0.9999 <= elapsed_ns <= calibration.to_ns(last - first) * 1.0001


def test_calibrations_agree_as_certainly_as_they_say() -> None:
    found: list[counter.Calibration] = []
    # Other work on the machine only adds uncertainty: on a busy one, some windows of a hundred are quiet.
    while len(found) < 4 or (len(found) < 100 and sum(each.uncertainty_ppm <= 0.05 for each in found) < 4):
        found.append(counter.calibrate(0.05))
    certain = [each.frequency_hz for each in found if each.uncertainty_ppm <= 0.05]
    assert len(certain) >= 4 and (max(certain) / min(certain) - 1) * 1e6 <= 0.1
    best = min(found, key=lambda each: each.uncertainty_ppm)
    for each in found:
        difference_ppm = abs(each.frequency_hz / best.frequency_hz - 1) * 1e6
        assert difference_ppm <= 2 * (each.uncertainty_ppm + best.uncertainty_ppm)


def test_a_window_takes_no_more_cpu_time_than_it_lasts() -> None:
    """It lasts longer where the thread is preempted, but then it does not run."""
    begin_s = time.thread_time()
    measured = _core.measure_frequency(50_000_000, 500)
    assert measured.window_ns >= 50_000_000
    assert time.thread_time() - begin_s < 0.1


def test_calibration_is_complete_and_has_a_json_form() -> None:
    calibration = counter.calibrate(0.02)
    assert calibration.uncertainty_ppm > 0.0
    assert calibration.scale == TickScale.of_frequency(calibration.frequency_hz)
    assert [candidate.name for candidate in calibration.candidates][-1] == "measured"
    assert 0.0 < calibration.costs.plain_ns < 10_000.0
    assert calibration.costs.plain_ns <= calibration.costs.fenced_ns * 1.5
    assert calibration.step_ticks >= 1.0
    assert calibration.backward_reads == 0
    for candidate in calibration.candidates:
        reading = candidate.frequency_hz
        assert (reading.value is None) == (reading.reason is not None)
    document = values(calibration)
    assert document["frequency_hz"] == calibration.frequency_hz
    assert set(document["flags"]["invariant"]) >= {"status", "value", "source"}


def test_measured_agrees_with_what_is_declared() -> None:
    calibration = counter.calibrate(0.05)
    declared = [c.frequency_hz.value for c in calibration.candidates[:-1] if c.frequency_hz.value is not None]
    if not declared:
        pytest.skip("no source on this host declares a frequency")
    # A crystal may be 100 ppm off what firmware declares; nominal MHz would be off by thousands.
    assert declared[0] == pytest.approx(calibration.frequency_hz, rel=200e-6)


def test_skew_between_cpus_is_bounded_and_shows_no_warp() -> None:
    skews = counter.measure_skew(1e9)
    if skews.value is None:
        pytest.skip(skews.text)
    for skew in skews.value:
        assert skew.warps == 0
        assert skew.rounds > 0
        assert abs(skew.offset_ns) <= skew.bound_ns + 1


def test_one_cpu_has_nothing_to_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counter, "allowed_cpus", lambda: (3,))
    assert counter.measure_skew(1e9).text == (
        "not available here, because this process may use CPU 3 only; measuring skew needs two"
    )


def test_good_measurement_beats_every_declaration() -> None:
    declared = Candidate("cpuid-0x15", known(1.9e9, "CPUID leaf 0x15"))
    measured = Candidate("measured", known(2e9, "measured"))
    assert counter._choose((declared, measured), 0.02) == (2e9, 0.02, "measured")


def test_uncertain_measurement_gives_way_to_the_best_declaration() -> None:
    absent = Candidate("cpuid-0x15", not_applicable("CPUID leaf 0x15", "no such leaf"))
    declared = Candidate("kernel", known(2.00002e9, "kernel"))
    measured = Candidate("measured", known(2e9, "measured"))
    frequency_hz, uncertainty_ppm, source = counter._choose((absent, declared, measured), 20.0)
    assert frequency_hz == 2.00002e9
    assert uncertainty_ppm == pytest.approx(10.0, rel=1e-3)
    assert source == "kernel; the measurement was uncertain by 20.00 ppm"


def test_counter_that_stands_still_is_no_clock() -> None:
    stuck = Candidate("measured", not_applicable("measured", "the counter did not advance"))
    with pytest.raises(NotValidError, match="did not advance"):
        counter._choose((stuck,), 0.0)


@pytest.mark.parametrize(
    ("leaves", "value", "reason"),
    [
        ({0: (0x16, 0, 0, 0), 0x15: (2, 216, 24_000_000, 0)}, 2.592e9, None),
        ({0: (0x16, 0, 0, 0), 0x15: (2, 216, 0, 0)}, None, "the ratio 216/2 but no crystal"),
        ({0: (0x16, 0, 0, 0), 0x15: (0, 0, 0, 0)}, None, "no ratio"),
        ({0: (0x0D, 0, 0, 0)}, None, "highest leaf is below"),
        ({}, None, "not x86-64"),
    ],
)
def test_crystal_leaf(
    monkeypatch: pytest.MonkeyPatch,
    leaves: dict[int, tuple[int, int, int, int]],
    value: float | None,
    reason: str | None,
) -> None:
    monkeypatch.setattr(sources._core, "cpuid", leaves.get)
    reading = sources._cpuid_crystal()
    assert reading.value == value
    assert reason is None or reason in str(reading.reason)


def _named(name: bytes, highest: int) -> tuple[int, int, int, int]:
    name = name.ljust(12, b"\0")
    return (highest, *(int.from_bytes(name[i : i + 4], "little") for i in (0, 4, 8)))


@pytest.mark.parametrize(
    ("leaves", "value", "reason"),
    [
        (
            {0x40000000: _named(b"VMwareVMware", 0x40000010), 0x40000010: (2_596_144, 0, 0, 0)},
            2.596144e9,
            None,
        ),
        ({0x40000000: _named(b"KVMKVMKVM", 0x40000001)}, None, "KVMKVMKVM's highest leaf is 0x40000001"),
        (
            {0x40000000: _named(b"Microsoft Hv", 0x40000082), 0x40000010: (1, 0, 0, 0)},
            None,
            "another meaning",
        ),
        ({0x40000000: _named(b"KVMKVMKVM", 0x40000010), 0x40000010: (0, 0, 0, 0)}, None, "value 0"),
        ({}, None, "no hypervisor"),
    ],
)
def test_hypervisor_leaf(
    monkeypatch: pytest.MonkeyPatch,
    leaves: dict[int, tuple[int, int, int, int]],
    value: float | None,
    reason: str | None,
) -> None:
    monkeypatch.setattr(sources._core, "cpuid", {0: (0x16, 0, 0, 0), **leaves}.get)
    reading = sources._hypervisor_leaf()
    assert reading.value == value
    assert reason is None or reason in str(reading.reason)


def test_cpuid_answers_nothing_beyond_the_highest_leaf() -> None:
    first = _core.cpuid(0)
    if first is None:
        pytest.skip("this processor is not x86-64")
    assert _core.cpuid(first[0]) is not None
    assert _core.cpuid(first[0] + 1) is None
    assert _core.cpuid(0x7FFFFFFF) is None


def test_measuring_leaves_the_other_threads_running() -> None:
    """The measurement spins without the GIL: a counting thread keeps running beside it."""
    program = (
        "import threading, time\n"
        "from lowlat.probes import _core\n"
        "turns = 0\n"
        "def count():\n"
        "    global turns\n"
        "    while not done.wait(0.001):\n"
        "        turns += 1\n"
        "done = threading.Event()\n"
        "thread = threading.Thread(target=count); thread.start()\n"
        "for _ in range(100):\n"  # a busy machine may not run it in one window
        "    before = turns\n"
        "    _core.measure_frequency(200_000_000, 1000)\n"
        "    during = turns - before\n"
        "    if during > 10: break\n"
        "done.set(); thread.join()\n"
        "assert during > 10, during\n"
    )
    subprocess.run([sys.executable, "-P", "-c", program], check=True, timeout=PATIENCE_S)

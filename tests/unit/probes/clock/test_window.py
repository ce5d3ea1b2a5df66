"""A clock that steps while the counter is measured is noticed by the residuals, and the window is measured again."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest

from lowlat.probes import _core
from lowlat.probes.clock import counter, window
from lowlat.probes.clock.read_costs import ReadCosts, clocksource_warnings
from lowlat.probes.clock.window import Window, is_stepped, measure_window, tilt_ppm
from lowlat.probes.reading import Reading, known, not_applicable, unknown

HZ = 2.1e9
WINDOW_NS = 100_000_000
STEPPED = "CLOCK_MONOTONIC_RAW stepped while the counter was measured"


def points(step_ns: float = 0.0, at: float = 0.5, drift_ppm: float = 0.0, noise_ticks: float = 8.0) -> SimpleNamespace:
    """A window of a thousand brackets with a step, or a frequency that drifts over the window."""
    draw = random.Random(7)
    found = []
    for index in range(1_000):
        share = index / 1_000
        ticks = WINDOW_NS * share * HZ / 1e9 * (1 + drift_ppm * 1e-6 * share) + draw.gauss(0, noise_ticks)
        clock_ns = WINDOW_NS * share + (step_ns if share >= at else 0.0)
        found.append((10**9 + int(ticks), 10**12 + int(clock_ns), 100 + draw.randrange(20)))
    return SimpleNamespace(raw=_core.fit_frequency(found), window_ns=WINDOW_NS)


@pytest.mark.parametrize("at", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("step_ns", [-200.0, 30.0, 200.0])
def test_a_step_is_found_and_measured(step_ns: float, at: float) -> None:
    measured = points(step_ns, at)
    assert is_stepped(measured)
    assert measured.raw.step_ns == pytest.approx(step_ns, abs=5)
    off_ppm = abs(measured.raw.frequency_hz / HZ - 1) * 1e6
    assert off_ppm > 0.05  # what the step costs
    assert off_ppm <= Window(measured, ()).uncertainty_ppm


def test_a_step_of_200_ns_is_3_ppm() -> None:
    measured = points(200.0)
    assert (measured.raw.frequency_hz / HZ - 1) * 1e6 == pytest.approx(-3.0, abs=0.1)
    assert tilt_ppm(measured) == pytest.approx(3.0, abs=0.1)


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_no_step(seed: int) -> None:
    draw = random.Random(seed)
    found = [(10**9 + int(index * 2.1e5 + draw.gauss(0, 20)), index * 100_000, 100) for index in range(200)]
    assert _core.fit_frequency(found).step_explains < 0.3


def test_a_tiny_step_is_left_alone() -> None:
    assert not is_stepped(points(2.0, noise_ticks=0.1))


def windows(monkeypatch: pytest.MonkeyPatch, *found: SimpleNamespace) -> list[int]:
    asked: list[int] = []
    rest = iter(found)

    def measure_frequency(duration_ns: int, _: int) -> SimpleNamespace:
        asked.append(duration_ns)
        return next(rest)

    monkeypatch.setattr(_core, "measure_frequency", measure_frequency)
    return asked


def test_a_stepped_window_is_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    good = points()
    asked = windows(monkeypatch, points(200.0), good)
    measured = measure_window(0.1)
    assert asked == [WINDOW_NS, WINDOW_NS]
    assert measured.measured is good and not measured.is_stepped
    assert measured.steps_ns == (pytest.approx(200.0, abs=5),)
    (said,) = counter._step_warnings(measured)
    assert said == f"{STEPPED} ({measured.steps_ns[0]:+.0f} ns); it was measured again"


def test_a_clock_that_always_steps_is_as_uncertain_as_its_best_window(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = windows(monkeypatch, points(200.0), points(100.0), points(300.0))
    measured = measure_window(0.1)
    assert len(asked) == len(measured.steps_ns) == window.WINDOWS_MAX
    assert measured.is_stepped
    assert 1.4 < measured.uncertainty_ppm < 3.0  # 100 ns in 0.1 s, and the spread of the residuals
    (said,) = counter._step_warnings(measured)
    assert said.endswith("; so it did in every one of 3 windows")


def test_without_the_check_a_step_claims_far_less_than_it_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the check is for: blind to it, the window claims half of its error."""
    monkeypatch.setattr(window, "STEP_EXPLAINS_MIN", 2.0)
    measured = points(200.0)
    assert 2 * Window(measured, ()).uncertainty_ppm < abs(measured.raw.frequency_hz / HZ - 1) * 1e6


# --- what the clock source makes of a read ---


def costs(vdso_ns: float, call_ns: float | None, plain_ns: float = 20.0) -> ReadCosts:
    call: Reading[float] = not_applicable("x", "y") if call_ns is None else known(call_ns, "x")
    return ReadCosts(plain_ns, plain_ns + 10, known(30.0, "x"), vdso_ns, call)


@pytest.mark.parametrize(
    ("found", "falls_back"),
    [
        (costs(254.0, 244.0), True),  # hpet
        (costs(27.1, 153.0), False),
        (costs(25.0, 60.0), False),
        (costs(1_040.0, 1_090.0, plain_ns=1_000.0), False),  # a hypervisor that traps each read of the counter
        (costs(254.0, None), None),
    ],
)
def test_a_vdso_that_costs_a_system_call_makes_one(found: ReadCosts, falls_back: bool | None) -> None:
    assert found.vdso_falls_back is falls_back


def test_another_clock_source_is_a_finding_with_its_consequence() -> None:
    (said,) = clocksource_warnings(known("hpet", "x"), costs(254.0, 244.0))
    assert said.startswith(
        "the kernel's clock source is hpet, not the processor's counter: each clock_gettime enters the kernel and "
        "takes 254 ns, in every program that takes timestamps with it; CLOCK_MONOTONIC_RAW follows it"
    )
    (said,) = clocksource_warnings(known("kvm-clock", "x"), costs(45.0, 153.0))
    assert "is kvm-clock, not the processor's counter: a clock_gettime takes 45 ns, without entering" in said


def test_the_processors_counter_is_none_unless_the_vdso_falls_back() -> None:
    assert list(clocksource_warnings(known("tsc", "x"), costs(27.0, 153.0))) == []
    assert list(clocksource_warnings(known("arch_sys_counter", "x"), costs(27.0, 153.0))) == []
    (said,) = clocksource_warnings(known("tsc", "x"), costs(150.0, 153.0))
    assert said.startswith("the vDSO makes system calls although the clock source is tsc: each clock_gettime enters")
    (said,) = clocksource_warnings(unknown("x", "y"), costs(150.0, 153.0))
    assert said.startswith("the vDSO makes system calls: each")

"""A window in which the counter's frequency is measured; one in which the clock stepped is measured again.

A clock that jumps in mid-window, as when the kernel changes its source or a guest is moved, tilts the line that gives
the frequency: 200 ns in 0.1 s are up to 3 ppm. The residuals show it, since one step explains most of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from lowlat.probes import _core

POINTS_PER_SECOND = 10_000
"""Points of the line: one in 100 us keeps some hundred brackets to choose the narrowest from."""

WINDOWS_MAX = 3
"""A clock that steps in this many windows in a row is measured with what uncertainty that leaves."""

STEP_EXPLAINS_MIN = 0.5
"""Share of the residuals' squares that a real step explains. Without one, the best step explains under 0.1."""
STEP_PPM_MIN = 0.05
"""Steps that tilt the line by less are within the aim."""


@dataclass(frozen=True, slots=True)
class Window:
    """A measurement; `steps_ns` are those of the windows that were dropped, and of its own, if it was the last try."""

    measured: _core.FrequencyMeasurement
    steps_ns: tuple[float, ...]

    @property
    def is_stepped(self) -> bool:
        """Whether the clock stepped in this window too."""
        return is_stepped(self.measured)

    @property
    def uncertainty_ppm(self) -> float:
        """Twice the larger of two standard errors: from the residuals, and from the difference between the halves.

        If errors are independent, the difference between the slopes of the two halves has four times the standard error
        of the slope of the whole window. If they are not, as under drift, only the halves show it. A step that could
        not be avoided adds all that it may tilt the line.
        """
        fit = self.measured.raw
        spread = 2.0 * max(fit.standard_error_ppm, abs(fit.halves_difference_ppm) / 4.0)
        return spread + tilt_ppm(self.measured) if self.is_stepped else spread


def measure_window(duration_s: float) -> Window:
    """Measure for the duration, and again if the clock stepped meanwhile, at most `WINDOWS_MAX` times."""
    duration_ns, points = round(duration_s * 1e9), round(duration_s * POINTS_PER_SECOND)
    steps: list[float] = []
    best: _core.FrequencyMeasurement | None = None
    for _ in range(WINDOWS_MAX):
        measured = _core.measure_frequency(duration_ns, points)
        if not is_stepped(measured):
            return Window(measured, tuple(steps))
        steps.append(measured.raw.step_ns)
        if best is None or tilt_ppm(measured) < tilt_ppm(best):
            best = measured
    assert best is not None
    return Window(best, tuple(steps))


def is_stepped(measured: _core.FrequencyMeasurement) -> bool:
    """Whether one step of the clock explains the residuals, and matters."""
    return measured.raw.step_explains >= STEP_EXPLAINS_MIN and tilt_ppm(measured) >= STEP_PPM_MIN


def tilt_ppm(measured: _core.FrequencyMeasurement) -> float:
    """How far a step in the middle of the window tilts its line: 1.5 times the step over the window, the worst case."""
    return 1.5e6 * abs(measured.raw.step_ns) / max(measured.window_ns, 1)

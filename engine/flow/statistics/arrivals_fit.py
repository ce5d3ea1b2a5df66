"""Fits a self-exciting arrival process to how the counts of arrivals vary in windows of each length."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lowlat.engine.flow.profile import BRANCHING_MAX, ArrivalProcess
from lowlat.engine.flow.statistics.arrivals import ArrivalStatistics

Floats = NDArray[np.float64]

DECAYS_SPACINGS: Final = np.array([0.0003, 0.003, 0.03, 0.3, 3.0, 30.0, 300.0])
"""Mean delays of the fitted kernels: a decade apart, they add up to about a power law."""
POISSON_MAX: Final = 1.5
"""Where no window has a larger Fano factor, arrivals are independent."""
_FREQUENCIES: Final = np.geomspace(1e-6, 1e5, 400)
"""Radians per mean spacing."""


def fit_arrivals(statistics: ArrivalStatistics) -> ArrivalProcess:
    """The arrivals of a profile, `poisson` or `long-memory`, without a rate: a benchmark at the rate of one recorded
    symbol would mostly wait.
    """
    if max(statistics.fano.values(), default=1) < POISSON_MAX:
        return ArrivalProcess(process="poisson")
    windows = np.array(list(statistics.fano)) * statistics.rate_per_s
    kernels = fit_kernels(windows, np.array(list(statistics.fano.values())))
    return ArrivalProcess(process="long-memory", kernels=kernels)


class CountVariance:
    """Fano factors of a Hawkes process with exponential kernels. All times are in mean spacings.

    The variance of counts is the integral of their spectral density, A. G. Hawkes, "Spectra of some self-exciting and
    mutually exciting point processes", Biometrika 58 (1971): rate / |1 - Phi(i w)|^2 at frequency w, where
    Phi(i w) = sum of branching / (1 + i w decay).
    """

    def __init__(self, decays: Floats, windows: Floats) -> None:
        self._responses = 1 / (1 + 1j * np.outer(_FREQUENCIES, decays))
        squared_sinc = np.sinc(np.outer(windows, _FREQUENCIES) / (2 * np.pi)) ** 2
        steps = np.gradient(_FREQUENCIES)
        self._weights = windows[:, None] * squared_sinc * steps / np.pi

    def fano(self, branchings: Floats) -> Floats:
        """The Fano factor in each window."""
        # 1 is that of independent arrivals; what remains of the density vanishes at high frequencies.
        excess = 1 / np.abs(1 - self._responses @ branchings) ** 2 - 1
        return np.asarray(1 + self._weights @ excess)


def fit_kernels(windows: Floats, fano: Floats) -> tuple[tuple[float, float], ...]:
    """Branching and decay of each kernel at which the Fano factors differ least from these, as ratios.

    Descent along the branchings and from one to another, with steps that halve.
    """
    variance, wanted = CountVariance(DECAYS_SPACINGS, windows), np.log(fano)

    def misfit(branchings: Floats) -> float:
        if branchings.min() < 0 or branchings.sum() > BRANCHING_MAX - 0.001:
            return np.inf
        return float(((np.log(variance.fano(branchings)) - wanted) ** 2).sum())

    unit = np.eye(len(DECAYS_SPACINGS))
    moves = [*unit, *-unit, *(one - other for one in unit for other in unit if one is not other)]
    branchings, step = np.full(len(unit), 0.5 / len(unit)), 0.1
    while step > 0.001:
        tried = min((branchings + step * move for move in moves), key=misfit)
        if misfit(tried) < misfit(branchings):
            branchings = tried
        else:
            step /= 2
    rounded = [(round(float(n), 4), float(decay)) for n, decay in zip(branchings, DECAYS_SPACINGS, strict=True)]
    return tuple((n, decay) for n, decay in rounded if n >= 0.001) or ((0.0, float(DECAYS_SPACINGS[0])),)

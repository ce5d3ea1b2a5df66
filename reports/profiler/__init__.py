"""Latency profiles of Python code."""

from lowlat.reports.profiler.profiler import LatencyProfile, Profiler
from lowlat.reports.profiler.span import Span

__all__ = ["LatencyProfile", "Profiler", "Span"]

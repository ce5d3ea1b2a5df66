"""Latency profiles of Python code."""

from lowlat.reports.profiler.profiler import LatencyProfile, Profiler, Span

__all__ = ["LatencyProfile", "Profiler", "Span"]

"""Latency profiles of one's own Python code."""

from lowlat.reports.profiler.profiler import LatencyProfile, Profiler, Span

__all__ = ["LatencyProfile", "Profiler", "Span"]

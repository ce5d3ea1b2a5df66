"""Latency profiles of one's own Python code."""

from lowlat.reports.profiler.profiler import Profile, Profiler, Span

__all__ = ["Profile", "Profiler", "Span"]

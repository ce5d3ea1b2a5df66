"""Latency profiles of one's own Python code."""

from lowlat.reports.profiler.profiler import Profiler

__all__ = ["Profiler"]

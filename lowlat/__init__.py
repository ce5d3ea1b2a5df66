"""Benchmarks and diagnostics for low-latency trading systems: `lowlat.engine`, `lowlat.probes`, `lowlat.reports`."""

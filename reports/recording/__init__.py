"""Reads the latencies that other programs print, into histograms by operation."""

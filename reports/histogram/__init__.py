"""Latency histograms: buckets, percentiles, and the formats of HdrHistogram."""

"""Probes of a host: one module for each property."""

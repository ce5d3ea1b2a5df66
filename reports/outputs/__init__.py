"""Output formats of reports, sweeps and interval logs: a module for each, and their registry."""

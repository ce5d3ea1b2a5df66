"""Completion of command lines: a script for each shell, and what may come next, which the scripts ask for."""

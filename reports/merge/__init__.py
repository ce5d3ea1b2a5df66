"""Merges several reports of the same work into one."""

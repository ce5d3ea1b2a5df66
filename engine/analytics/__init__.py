"""Exact price statistics and bulk level updates over arrays of records."""

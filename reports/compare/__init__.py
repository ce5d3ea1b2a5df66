"""Comparisons of reports: gates, the rank test, trends."""

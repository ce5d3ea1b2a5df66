"""Whether it got worse: gates, the rank test, trends."""

"""The reference engine: `docs/matching.md` in plain Python. It is the oracle of the native engine."""

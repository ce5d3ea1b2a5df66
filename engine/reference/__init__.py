"""The reference engine: what `docs/matching.md` says, in plain Python. The oracle of the native one."""

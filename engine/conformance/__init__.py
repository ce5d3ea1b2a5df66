"""Does an engine keep the contract of `docs/matching.md`? Examples, worlds and flows to compare it by."""

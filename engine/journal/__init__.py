"""Durability: a checksummed journal of commands, snapshots beside it, and recovery from both."""

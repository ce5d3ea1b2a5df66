"""Bounded queues of records between threads and processes, without locks."""

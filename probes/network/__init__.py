"""The network path to another host: round trips, split by timestamps."""

"""The way to another host: round trips, split by time stamps."""

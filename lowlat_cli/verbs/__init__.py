"""The verbs of `lowlat`, one per file: each parses, calls, prints."""

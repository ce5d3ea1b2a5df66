"""The verbs of `lowlat`, one a file: each parses, calls, prints."""

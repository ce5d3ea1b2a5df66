"""What a report, a sweep or an interval log can be turned into: a module for each output, and their registry."""

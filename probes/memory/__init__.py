"""Memory: its NUMA node, and the pages that back it."""

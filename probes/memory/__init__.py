"""Memory: the node it lies on, and the pages that back it."""

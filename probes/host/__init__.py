"""Facts of a host, from its own files or from a captured copy of them."""

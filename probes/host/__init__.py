"""What a host is, from its own files or from a captured copy of them."""

"""What each low-latency technique is worth on this host."""

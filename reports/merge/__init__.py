"""Several reports of the same work as one."""

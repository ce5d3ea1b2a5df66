"""CPUs: which exist, which this process may use, and which thread should run where."""

"""CPUs: which there are, which this process may use, and which thread should run where."""

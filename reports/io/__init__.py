"""Documents from and to files: read within bounds, validated, written as JSON."""

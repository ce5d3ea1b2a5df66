"""Document files: read with size limits, validated, written as JSON."""

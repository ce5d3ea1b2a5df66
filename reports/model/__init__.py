"""The report model, as plain frozen data."""

"""The report model, the histogram, and one file for each output."""

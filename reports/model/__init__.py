"""What a report says, as plain frozen data."""

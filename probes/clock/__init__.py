"""The processor's counter as a clock."""

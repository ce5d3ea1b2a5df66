"""An order book in a memory-mapped file: one process writes it, others read it live."""

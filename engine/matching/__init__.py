"""The contract of a matching engine: records, configuration, interface, and the native engine."""

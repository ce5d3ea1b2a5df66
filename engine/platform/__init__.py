"""What the engine needs of the operating system: mapped files that may be truncated while they are in use."""

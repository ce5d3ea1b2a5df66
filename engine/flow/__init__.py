"""Order flow: synthetic from a profile, or recorded, as one array of commands."""

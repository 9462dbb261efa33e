"""The engines: mathematics without user names."""

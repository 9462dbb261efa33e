"""The command line, derived from the registry."""

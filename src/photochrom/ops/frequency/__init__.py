"""Filters by frequency."""

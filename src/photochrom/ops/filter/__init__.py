"""Filters over a neighbourhood."""

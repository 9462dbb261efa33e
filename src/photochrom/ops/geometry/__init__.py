"""Sampling and geometry."""

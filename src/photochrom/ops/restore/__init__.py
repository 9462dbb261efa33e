"""Restoration: more pixels, less noise, by networks."""

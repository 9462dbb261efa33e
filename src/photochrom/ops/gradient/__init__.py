"""Editing in the gradient domain."""

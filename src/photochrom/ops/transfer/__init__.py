"""Colour transfer from one picture to another."""

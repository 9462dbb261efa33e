"""Giving colour to grey pictures."""

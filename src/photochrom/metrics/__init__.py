"""Scores of pictures against references, each with the protocol by which it was made."""

"""Runs under bad conditions. `make stress` sets PHOTOCHROM_STRESS and does them in full; else a short form is done."""

import os

FULL = bool(os.environ.get("PHOTOCHROM_STRESS"))


def many(full: int, short: int) -> int:
    """Return how often to do something."""
    return full if FULL else short

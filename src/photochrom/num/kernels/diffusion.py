"""Error diffusion, in reading order."""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def diffuse(planes, levels, out):
    """Floyd and Steinberg's weights over planes (n, H, W) float32; see `num.steps.diffused`."""
    count, height, width = planes.shape
    top, half, part = np.float32(levels - 1), np.float32(0.5), np.float32(1 / 16)
    seven, five, three = np.float32(7), np.float32(5), np.float32(3)
    above, below = np.zeros(width + 2, np.float32), np.zeros(width + 2, np.float32)
    gathered = np.empty(width, np.float32)
    for plane in range(count):
        above[:] = 0
        for y in range(height):
            source, target = planes[plane, y], out[plane, y]
            # What comes from above is known for the whole row; only the 7/16 from the left must wait.
            for x in range(width):
                gathered[x] = above[x] + above[x + 1] * five + above[x + 2] * three
            left = np.float32(0)
            for x in range(width):
                wanted = source[x] * top + (gathered[x] + left * seven) * part
                rounded = np.floor(wanted + half)
                left = wanted - rounded
                below[x + 1] = left
                target[x] = rounded / top
            above, below = below, above

"""Sending colours through turns of curves along axes. Imported on first use (Numba)."""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"})
def through(colours, axes, x, y, slope, count, starts, out):
    """out = colours (3, N) after every turn t: along axis k by the curve of count[t, k] knots x[t, k], y[t, k].

    `slope` is that of the piece above each knot, `starts[t, k]` the last knot at or below the start of each of as many
    equal parts of x[t, k, 0]..x[t, k, -1].
    """
    parts = np.float32(starts.shape[2])
    out[:] = colours
    for t in range(axes.shape[0]):
        m = axes[t]
        for k in range(3):
            m0, m1, m2 = m[k, 0], m[k, 1], m[k, 2]
            last = count[t, k] - 1
            knots, values, rise, start = x[t, k], y[t, k], slope[t, k], starts[t, k]
            low, high = knots[0], knots[last]
            per = parts / (high - low) if high > low else np.float32(0)
            for i in range(out.shape[1]):
                along = m0 * out[0, i] + m1 * out[1, i] + m2 * out[2, i]
                inside = along if along > low else low   # NaN is low: its way is NaN all the same
                inside = inside if inside < high else high
                place = min(np.int64((inside - low) * per), starts.shape[2] - 1)
                j = start[place]
                while j < last and knots[j + 1] <= inside:
                    j += 1
                # the axes are orthogonal, so the ways along them can be taken one after the other
                way = values[j] + (inside - knots[j]) * rise[j] - inside
                out[0, i] += way * m0
                out[1, i] += way * m1
                out[2, i] += way * m2

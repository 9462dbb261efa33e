"""Membranes over plain rectangles: waves along a side, how they decay, and the sum of all of them.

Imported on first use (Numba); what they are for is told in `num.solve.sides`.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

from math import exp

from numba import njit

_GONE = 30.0   # exp(-_GONE) of a wave is nothing in float32, but numbers too small for it are slow


@njit(nogil=True, cache=True)
def waves(table, each, first, step, out):
    """Write out[k, x] = table[(each k + first) (step x + 1)], the index being taken round the table.

    Args:
        table: (n,), one period of a wave.
        each: how many periods a wave has more than the one before it.
        first: how many the first has.
        step: from pixel to pixel.
        out: (K, X).
    """
    size = table.shape[0]
    for k in range(out.shape[0]):
        at = (each * k + first) % size
        jump = at * step % size
        for x in range(out.shape[1]):
            out[k, x] = table[at]
            at += jump
            at -= size if at >= size else 0


@njit(nogil=True, cache=True)
def decay(before, after, rates, length, free_before, free_after, start, out):
    """Write how much of each wave is left in lines of pixels beside two sides.

    Args:
        before: (C, N), the waves along the side before the first line.
        after: likewise behind the last; a free side has none.
        rates: (N,), float64: of a wave exp(-rate) is left a line further on.
        length: the number of lines.
        free_before: whether the side before the first line is free.
        free_after: likewise behind the last.
        start: the first line that is written.
        out: (C, lines, K), the first K waves.
    """
    lines = out.shape[1]
    d, e = start + 1, length - start   # lines from both sides
    to_before, to_after = (1 if free_before else 2), (1 if free_after else 2)
    for k in range(out.shape[2]):
        rate = rates[k]
        if rate == 0.0:   # no wave: even, or straight down to a side that holds it at 0
            for i in range(lines):
                p = 1.0 if free_after else 1.0 - (d + i) / (length + 1)
                q = 1.0 if free_before else 1.0 - (e - i) / (length + 1)
                for c in range(out.shape[0]):
                    out[c, i, k] = before[c, k] * p + after[c, k] * q
            continue
        less, more = exp(-rate), exp(rate)
        p = exp(-rate * d) if rate * d < _GONE else 0.0
        q = exp(-rate * e) if rate * (e - lines + 1) < _GONE else 0.0
        p_image, q_image, p_all, q_all = 0.0, 0.0, 1.0, 1.0
        if rate * length < _GONE:   # a wave has an image behind the other side
            p_whole, q_whole = 2 * length + to_after, 2 * length + to_before
            p_sign, q_sign = (1.0 if free_after else -1.0), (1.0 if free_before else -1.0)
            p_image, q_image = p_sign * exp(-rate * (p_whole - d)), q_sign * exp(-rate * (q_whole - e))
            p_all, q_all = 1.0 / (1.0 + p_sign * exp(-rate * p_whole)), 1.0 / (1.0 + q_sign * exp(-rate * q_whole))
        for i in range(lines):
            near, far = (p + p_image) * p_all, (q + q_image) * q_all
            for c in range(out.shape[0]):
                out[c, i, k] = before[c, k] * near + after[c, k] * far
            p *= less
            p_image *= more
            q *= more
            q_image *= less


@njit(nogil=True, cache=True)
def upright(inner, even, odd, height, top, left, tile, out):
    """Write inner + what is added in some columns of a rectangle.

    Args:
        inner: (C, H, W).
        even: (C, columns, half), what is alike in both halves of columns, from their ends inwards.
        odd: likewise, what has the other sign in the second.
        height: of the rectangle; half of it, or all if there is no second half.
        top: the first row.
        left: the first of the columns.
        tile: (rows, columns), memory to turn lines in, of at least as many columns.
        out: (C, H, W).
    """
    channels, columns, half = even.shape
    for c in range(channels):
        for y in range(0, half, tile.shape[0]):
            for second in range(2):
                rows = min(tile.shape[0], (height - half if second else half) - y)
                for x in range(columns):
                    a, b = even[c, x, y : y + rows], odd[c, x, y : y + rows]
                    for i in range(rows):
                        tile[i, x] = a[i] - b[i] if second else a[i] + b[i]
                for i in range(rows):
                    at = top + (height - 1 - y - i if second else y + i)
                    source, target, row = inner[c, at, left:], out[c, at, left:], tile[i]
                    for x in range(columns):
                        target[x] = source[x] + row[x]


@njit(nogil=True, cache=True, fastmath={"reassoc"})
def lay(outer, even, odd, width, top, left, out):
    """Add to some rows of a rectangle, and write outer beside it.

    Args:
        outer: (C, H, W).
        even: (C, rows, half), what is added, as of `upright`.
        odd: likewise.
        width: of the rectangle.
        top: the first of the rows.
        left: the first column.
        out: (C, H, W), changed.

    Returns:
        the sum of what was written and of outer in the rectangle: finite only if all is.
    """
    channels, rows, half = even.shape
    total = out.dtype.type(0)
    for c in range(channels):
        for i in range(rows):
            known, target, a, b = outer[c, top + i], out[c, top + i], even[c, i], odd[c, i]
            target[:left] = known[:left]
            target[left + width :] = known[left + width :]
            known, target = known[left : left + width], target[left : left + width]
            for x in range(half):
                made = target[x] + (a[x] + b[x])
                target[x] = made
                total += made + known[x]
            for x in range(half, width):
                made = target[x] + (a[width - 1 - x] - b[width - 1 - x])
                target[x] = made
                total += made + known[x]
    return total

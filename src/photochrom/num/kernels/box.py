"""The mean over a box by running sums: the cost does not depend on the radius. Imported on first use (Numba)."""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit

GROUP = 4  # rows summed side by side: one running sum alone waits for its own last addition


def block_rows(radius_y: int) -> int:
    """Return the rows of one unit of work: each unit starts a column sum afresh, from 2 radius + 1 rows."""
    return max(64, 4 * radius_y) // GROUP * GROUP


@njit(nogil=True, cache=True, fastmath={"contract", "nsz"})
def running(
    src, src_planes, src_row, dst, dst_planes, dst_row, height, width, step, fold_y, fold_x, scale_y, scale_x,
    block, first, last,
):  # fmt: skip
    """Sum boxes of fold_y.size - height by fold_x.size - pixels, plus one, and scale by scale_y[i] scale_x[q].

    The arguments mean what they mean in `separable.direct`; -1 in fold_y or fold_x reads as zero. Sums are float64:
    adding and taking away float32 values then costs at most about 1e-13 of the largest value.
    """
    ry, rx = (fold_y.size - height) // 2, (fold_x.size - width // step) // 2
    pixels, span = width // step, 2 * rx + 1
    blocks = (height + block - 1) // block
    margin = rx * step
    pitch = width + 2 * margin
    column = np.zeros(width, np.float64)
    rows = np.zeros(GROUP * pitch, np.float64)
    for unit in range(first, last):
        plane, top = unit // blocks, unit % blocks * block
        origin = src_planes[plane]
        column[:] = 0
        # rows top - 1 - ry .. top - 1 + ry: the sum of the row above, which the first step turns into row `top`
        for k in range(top, top + 2 * ry + 1):
            f = fold_y[k - 1] if k > 0 else -1
            if f >= 0:
                line = src[origin + f * src_row : origin + f * src_row + width]
                for j in range(width):
                    column[j] += line[j]
        for i in range(top, min(height, top + block), GROUP):
            count = min(GROUP, height - i)
            for r in range(count):
                new = fold_y[i + r + 2 * ry]
                old = fold_y[i + r - 1] if i + r > 0 else -1
                inner = rows[r * pitch + margin : r * pitch + margin + width]
                if new >= 0 and old >= 0:
                    a = src[origin + new * src_row : origin + new * src_row + width]
                    z = src[origin + old * src_row : origin + old * src_row + width]
                    for j in range(width):
                        column[j] += np.float64(a[j]) - np.float64(z[j])
                        inner[j] = column[j]
                else:
                    sign = 1.0 if new >= 0 else -1.0
                    f = max(new, old)
                    if f >= 0:
                        a = src[origin + f * src_row : origin + f * src_row + width]
                        for j in range(width):
                            column[j] += sign * a[j]
                    inner[:] = column
                for q in range(rx):
                    left, right = fold_x[q], fold_x[rx + pixels + q]
                    for c in range(step):
                        outer = r * pitch + q * step + c
                        rows[outer] = inner[left * step + c] if left >= 0 else 0.0
                        rows[outer + margin + width] = inner[right * step + c] if right >= 0 else 0.0
            target = dst_planes[plane] + i * dst_row
            for c in range(step):
                p0, p1, p2, p3 = rows[c:pitch], rows[pitch + c :], rows[2 * pitch + c :], rows[3 * pitch + c :]
                s0 = s1 = s2 = s3 = 0.0
                for q in range(span - 1):
                    s0, s1, s2, s3 = s0 + p0[q * step], s1 + p1[q * step], s2 + p2[q * step], s3 + p3[q * step]
                f0 = scale_y[i]
                f1, f2 = scale_y[min(i + 1, height - 1)], scale_y[min(i + 2, height - 1)]
                f3 = scale_y[min(i + 3, height - 1)]
                d0 = dst[target + c : target + width]
                d1 = dst[target + min(1, count - 1) * dst_row + c : target + min(1, count - 1) * dst_row + width]
                d2 = dst[target + min(2, count - 1) * dst_row + c : target + min(2, count - 1) * dst_row + width]
                d3 = dst[target + min(3, count - 1) * dst_row + c : target + min(3, count - 1) * dst_row + width]
                for q in range(pixels):
                    e, g, o = (q + span - 1) * step, scale_x[q], q * step
                    s0 += p0[e]
                    s1 += p1[e]
                    s2 += p2[e]
                    s3 += p3[e]
                    # short groups write their spare rows first, over the last row's place
                    d3[o] = np.float32(s3 * (f3 * g))
                    d2[o] = np.float32(s2 * (f2 * g))
                    d1[o] = np.float32(s1 * (f1 * g))
                    d0[o] = np.float32(s0 * (f0 * g))
                    s0 -= p0[o]
                    s1 -= p1[o]
                    s2 -= p2[o]
                    s3 -= p3[o]

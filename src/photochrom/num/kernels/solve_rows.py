"""Rows of a grid operator, the pieces the multigrid kernels are made of. Imported on first use (Numba).

Storage of a plane of height x width values, in all kernels of the solver: flat, pixel (i, j) at
(i + 1) pitch + MARGIN + j, with pitch > width and zeros wherever no pixel is. So a neighbour outside the frame reads 0
and no loop asks where it is. Weight k (order of `NEIGHBOURS` in num/solve/system.py) of the pixel at p is
stencil[offsets[k] + p]; a symmetric operator stores half of its weights and reads the others at the neighbour. `kind`
is the number of neighbours, 4 or 8; 0 means 4 neighbours whose weights are all 1 and not stored.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

from numba import njit

MARGIN = 16
FAST = {"contract", "nsz", "reassoc"}


@njit(nogil=True, cache=True, fastmath=FAST)
def gather(acc, x, at, pitch, width, stencil, offsets, p, kind):
    """Add to acc the weighted neighbours of a row: acc[j] += sum_k weight_k(p + j) x[at + j + step_k].

    At most five pointers meet in one loop: beyond about eight pairs LLVM gives up proving that they do not overlap,
    and the loop stays scalar.
    """
    left, right = x[at - 1 : at - 1 + width], x[at + 1 : at + 1 + width]
    above, below = x[at - pitch : at - pitch + width], x[at + pitch : at + pitch + width]
    if kind == 0:
        for j in range(width):
            acc[j] += (above[j] + below[j]) + (left[j] + right[j])
        return
    w0, w1 = stencil[offsets[0] + p : offsets[0] + p + width], stencil[offsets[1] + p : offsets[1] + p + width]
    for j in range(width):
        acc[j] += w0[j] * right[j] + w1[j] * left[j]
    w2, w3 = stencil[offsets[2] + p : offsets[2] + p + width], stencil[offsets[3] + p : offsets[3] + p + width]
    for j in range(width):
        acc[j] += w2[j] * below[j] + w3[j] * above[j]
    if kind == 8:
        w4, w5 = stencil[offsets[4] + p : offsets[4] + p + width], stencil[offsets[5] + p : offsets[5] + p + width]
        after, before = x[at + pitch + 1 : at + pitch + 1 + width], x[at - pitch - 1 : at - pitch - 1 + width]
        for j in range(width):
            acc[j] += w4[j] * after[j] + w5[j] * before[j]
        w6, w7 = stencil[offsets[6] + p : offsets[6] + p + width], stencil[offsets[7] + p : offsets[7] + p + width]
        after2, before2 = x[at + pitch - 1 : at + pitch - 1 + width], x[at - pitch + 1 : at - pitch + 1 + width]
        for j in range(width):
            acc[j] += w6[j] * after2[j] + w7[j] * before2[j]


@njit(nogil=True, cache=True, fastmath=FAST)
def relax(acc, x, at, pitch, width, stencil, offsets, inverse, p, rhs, q, kind, omega, out, to):
    """Take one damped Jacobi step on a row: out = (1 - omega) x + omega D^-1 (b + sum of weighted neighbours)."""
    b = rhs[q : q + width]
    here, d, target = x[at : at + width], inverse[p : p + width], out[to : to + width]
    if kind == 0:
        left, right = x[at - 1 : at - 1 + width], x[at + 1 : at + 1 + width]
        above, below = x[at - pitch : at - pitch + width], x[at + pitch : at + pitch + width]
        for j in range(width):
            near = b[j] + ((above[j] + below[j]) + (left[j] + right[j]))
            target[j] = here[j] + omega * (d[j] * near - here[j])
        return
    for j in range(width):
        acc[j] = b[j]
    gather(acc, x, at, pitch, width, stencil, offsets, p, kind)
    for j in range(width):
        # a constant such as 1 - omega would turn float32 into float64
        target[j] = here[j] + omega * (d[j] * acc[j] - here[j])


@njit(nogil=True, cache=True, fastmath=FAST)
def defect(acc, x, at, pitch, width, stencil, offsets, diagonal, p, rhs, q, kind):
    """Leave the residual of a row in acc: b + sum of weighted neighbours - D x."""
    b = rhs[q : q + width]
    if kind == 0:
        middle, e = x[at : at + width], diagonal[p : p + width]
        left, right = x[at - 1 : at - 1 + width], x[at + 1 : at + 1 + width]
        above, below = x[at - pitch : at - pitch + width], x[at + pitch : at + pitch + width]
        for j in range(width):
            acc[j] = (b[j] - e[j] * middle[j]) + ((above[j] + below[j]) + (left[j] + right[j]))
        return
    for j in range(width):
        acc[j] = b[j]
    gather(acc, x, at, pitch, width, stencil, offsets, p, kind)
    here, d = x[at : at + width], diagonal[p : p + width]
    for j in range(width):
        acc[j] -= d[j] * here[j]


@njit(nogil=True, cache=True, fastmath=FAST)
def split(acc, width, even, odd, to):
    """Part a row into its even and odd columns, which is what the transfers between grids work on."""
    half = width // 2
    e, o = even[to : to + half], odd[to : to + half]
    for j in range(half):
        e[j] = acc[2 * j]
        o[j] = acc[2 * j + 1]
    if width % 2:
        even[to + half] = acc[width - 1]
        odd[to + half] = 0


@njit(nogil=True, cache=True, fastmath=FAST)
def restrict(even, odd, row, span, transfer, size, p, pitch, count, out):
    """Write a row of R r into out (transfer holds R^T), from the fine rows row - span, row and row + span."""
    e, o, left = even[row : row + count], odd[row : row + count], odd[row - 1 : row - 1 + count]
    w, wl = transfer[p : p + count], transfer[size + p - 1 : size + p - 1 + count]
    for j in range(count):
        out[j] = e[j] + w[j] * o[j] + wl[j] * left[j]
    at = row + span
    e1, o1, l1 = even[at : at + count], odd[at : at + count], odd[at - 1 : at - 1 + count]
    a0, a1 = transfer[2 * size + p : 2 * size + p + count], transfer[4 * size + p : 4 * size + p + count]
    a2 = transfer[5 * size + p - 1 : 5 * size + p - 1 + count]
    for j in range(count):
        out[j] += a0[j] * e1[j] + a1[j] * o1[j] + a2[j] * l1[j]
    at, p = row - span, p - pitch
    e2, o2, l2 = even[at : at + count], odd[at : at + count], odd[at - 1 : at - 1 + count]
    b0, b1 = transfer[3 * size + p : 3 * size + p + count], transfer[6 * size + p : 6 * size + p + count]
    b2 = transfer[7 * size + p - 1 : 7 * size + p - 1 + count]
    for j in range(count):
        out[j] += b0[j] * e2[j] + b1[j] * o2[j] + b2[j] * l2[j]


@njit(nogil=True, cache=True, fastmath=FAST)
def prolong(coarse, at, pitch, transfer, size, p, count, low, even, odd):
    """Write a fine row of P e, parted into even and odd columns: an even row, or (low) the odd row below it."""
    e, r = coarse[at : at + count], coarse[at + 1 : at + 1 + count]
    ev, od = even[:count], odd[:count]
    if not low:
        w, wr = transfer[p : p + count], transfer[size + p : size + p + count]
        for j in range(count):
            ev[j] = e[j]
            od[j] = w[j] * e[j] + wr[j] * r[j]
        return
    d, dr = coarse[at + pitch : at + pitch + count], coarse[at + pitch + 1 : at + pitch + 1 + count]
    v0, v1 = transfer[2 * size + p : 2 * size + p + count], transfer[3 * size + p : 3 * size + p + count]
    for j in range(count):
        ev[j] = v0[j] * e[j] + v1[j] * d[j]
    c0, c1 = transfer[4 * size + p : 4 * size + p + count], transfer[5 * size + p : 5 * size + p + count]
    for j in range(count):
        od[j] = c0[j] * e[j] + c1[j] * r[j]
    c2, c3 = transfer[6 * size + p : 6 * size + p + count], transfer[7 * size + p : 7 * size + p + count]
    for j in range(count):
        od[j] += c2[j] * d[j] + c3[j] * dr[j]

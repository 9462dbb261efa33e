"""Rows of a grid operator, the pieces the multigrid kernels are made of. Imported on first use (Numba).

Storage of a plane of height x width values, in all kernels of the solver: flat, pixel (i, j) at (i + 1) pitch + j, with
pitch > width and zeros wherever no pixel is. So a neighbour outside the frame reads 0 and no loop asks where it is.
Weight k of pixel p (see `NEIGHBOURS` in num/solve/system.py for the order) is stencil[offsets[k] + p]; a symmetric
operator stores half of its weights and reads the others at the neighbour. `kind` is the number of neighbours: 4 or 8;
0 means 4 neighbours whose weights are all 1 and not stored.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

from numba import njit

FAST = {"contract", "nsz", "reassoc"}


@njit(nogil=True, cache=True, fastmath=FAST)
def gather(acc, x, at, pitch, width, stencil, offsets, p, kind):
    """Add to acc the weighted neighbours of a row: acc[j] += sum_k weight_k(p + j) x[at + j + step_k].

    At most six pointers meet in one loop: beyond about eight pairs LLVM gives up proving that they do not overlap,
    and the loop stays scalar.
    """
    north, south = x[at - pitch - 1 :], x[at + pitch - 1 :]
    if kind == 0:
        above, below = x[at - pitch : at - pitch + width], x[at + pitch : at + pitch + width]
        left, right = x[at - 1 : at - 1 + width], x[at + 1 : at + 1 + width]
        for j in range(width):
            acc[j] += (above[j] + below[j]) + (left[j] + right[j])
        return
    w0, w1 = stencil[offsets[0] + p : offsets[0] + p + width], stencil[offsets[1] + p : offsets[1] + p + width]
    left, right = x[at - 1 : at - 1 + width], x[at + 1 : at + 1 + width]
    for j in range(width):
        acc[j] += w0[j] * right[j] + w1[j] * left[j]
    w2, w3 = stencil[offsets[2] + p : offsets[2] + p + width], stencil[offsets[3] + p : offsets[3] + p + width]
    above, below = x[at - pitch : at - pitch + width], x[at + pitch : at + pitch + width]
    for j in range(width):
        acc[j] += w2[j] * below[j] + w3[j] * above[j]
    if kind == 8:
        w4, w5 = stencil[offsets[4] + p : offsets[4] + p + width], stencil[offsets[5] + p : offsets[5] + p + width]
        after, before = x[at + pitch + 1 : at + pitch + 1 + width], north[:width]
        for j in range(width):
            acc[j] += w4[j] * after[j] + w5[j] * before[j]
        w6, w7 = stencil[offsets[6] + p : offsets[6] + p + width], stencil[offsets[7] + p : offsets[7] + p + width]
        after, before = south[:width], x[at - pitch + 1 : at - pitch + 1 + width]
        for j in range(width):
            acc[j] += w6[j] * after[j] + w7[j] * before[j]


@njit(nogil=True, cache=True, fastmath=FAST)
def relax(acc, x, at, pitch, width, stencil, offsets, inverse, rhs, p, kind, omega, out, to):
    """Take one damped Jacobi step on a row: out = (1 - omega) x + omega D^-1 (b + sum of weighted neighbours)."""
    b = rhs[p : p + width]
    for j in range(width):
        acc[j] = b[j]
    gather(acc, x, at, pitch, width, stencil, offsets, p, kind)
    here, d, target = x[at : at + width], inverse[p - offsets[8] : p - offsets[8] + width], out[to : to + width]
    keep = x.dtype.type(1) - omega
    for j in range(width):
        target[j] = keep * here[j] + omega * d[j] * acc[j]

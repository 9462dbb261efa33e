"""Rows of a grid operator, the pieces the multigrid kernels are made of. Imported on first use (Numba).

Storage of a plane of height x width values, in all kernels of the solver: flat, pixel (i, j) at
(i + 1) pitch + MARGIN + j, with pitch > width and zeros wherever no pixel is. So a neighbour outside the frame reads 0
and no loop asks where it is. Weight k (order of `NEIGHBOURS` in num/solve/system.py) of the pixel at p is
stencil[offsets[k] + p]; a symmetric operator stores half of its weights and reads the others at the neighbour. `kind`
is the number of neighbours, 4 or 8; 0 means 4 neighbours whose weights are all 1 and not stored.

Far from the edge of a region of weights 1 the operators of all grids are the same at every pixel, `uniform`: the weight
of a neighbour, that of a diagonal one, the diagonal, its inverse; and the ways between grids are bilinear. A row's
`run`, lo to hi, lies there: nothing is read about its pixels.

In the functions for rows w and o are the stencil and its offsets, t a way between grids; `many` vectors, 1 or 2, lie a
`step` of their own from one another. They are compiled into their callers, and give no array a second name: Numba would
count it, which takes longer than a short row.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

from numba import njit

from photochrom.num.kernels.nine import nine
from photochrom.num.kernels.streams import stream, weighted

MARGIN = 16
FAST = {"contract", "nsz", "reassoc"}


def _four(a, b, c, d):
    return (a + b) + (c + d)


def _relaxed(here, rhs, inverse, near, omega):
    return here + omega * (inverse * (rhs + near) - here)


def _uniform(above, below, left, right, c0, c1, c2, c3, edge, corner):
    return edge * _four(above, below, left, right) + corner * _four(c0, c1, c2, c3)


def _relax(near, rows, numbers=0):
    """Return the step for neighbours that are summed by `near`; the last number is omega."""
    return stream(lambda x, b, d, *rest: _relaxed(x, b, d, near(*rest[:-1]), rest[-1]), rows=rows, numbers=numbers + 1)


def _defect(near, rows, numbers=0):
    """Return the residual likewise."""
    return stream(lambda x, b, d, *rest: (b - d * x) + near(*rest), rows=rows, numbers=numbers)


_relax_ones, _defect_ones = _relax(_four, 7), _defect(_four, 7)
_relax_4, _defect_4 = (make(lambda *pairs: weighted(pairs), 11) for make in (_relax, _defect))
_relax_8, _relax_both = (nine(_relaxed, planes) for planes in (1, 2))
_defect_8, _defect_both = (nine(lambda x, b, d, near, _: (b - d * x) + near, planes) for planes in (1, 2))
_relax_fine = stream(lambda x, b, n, s, w, e, d, omega: _relaxed(x, b, d, _four(n, s, w, e), omega), rows=6, numbers=2)
_defect_fine = stream(lambda x, b, n, s, w, e, d: (b - d * x) + _four(n, s, w, e), rows=6, numbers=1)
_relax_coarse = stream(lambda x, b, *n: _relaxed(x, b, n[-2], _uniform(*n[:-2]), n[-1]), rows=10, numbers=4)
_defect_coarse = stream(lambda x, b, *n: (b - n[-1] * x) + _uniform(*n[:-1]), rows=10, numbers=3)
_image_8, _image_both = (nine(lambda x, _, d, near, __: d * x - near, planes) for planes in (1, 2))
_restrict = stream(lambda e, *pairs: e + weighted(pairs), rows=17)
_restrict_uniform = stream(lambda e, *n: e + _uniform(*n), rows=9, numbers=2)
_two, _four_weighted = (stream(lambda *pairs: weighted(pairs), rows=rows) for rows in (4, 8))
_mean = stream(lambda a, b, half: half * (a + b), rows=2, numbers=1)
_mean_of_four = stream(lambda a, b, c, d, quarter: quarter * _four(a, b, c, d), rows=4, numbers=1)
_same = stream(lambda a: a, rows=1)


@njit(nogil=True, forceinline=True, _nrt=False)
def relax(x, step, at, pitch, width, w, o, inverse, p, rhs, size, q, kind, omega, out, out_step, to, many):
    """Take one damped Jacobi step on a row: out = (1 - omega) x + omega D^-1 (b + sum of weighted neighbours)."""
    if kind == 8:
        if many == 2:
            _relax_both(width, out, to, out_step, x, at, step, pitch, rhs, q, size, w, o, p, inverse, omega)
        else:
            _relax_8(width, out, to, out_step, x, at, step, pitch, rhs, q, size, w, o, p, inverse, omega)
        return
    for m in range(many):
        here, goal, b = at + m * step, to + m * out_step, q + m * size
        up, down = here - pitch, here + pitch
        if kind == 0:
            _relax_ones(width, out, goal, x, here, rhs, b, inverse, p, x, up, x, down, x, here - 1, x, here + 1, omega)
        else:
            _relax_4(
                width, out, goal, x, here, rhs, b, inverse, p, w, o[0] + p, x, here + 1, w, o[1] + p, x, here - 1,
                w, o[2] + p, x, down, w, o[3] + p, x, up, omega,
            )  # fmt: skip


@njit(nogil=True, forceinline=True, _nrt=False)
def relax_uniform(x, step, at, pitch, width, uniform, rhs, size, q, omega, out, out_step, to, many):
    """Take the same step where the operator is `uniform`."""
    edge, corner, inverse = uniform[0], uniform[1], uniform[3]
    for m in range(many):
        here, goal, b = at + m * step, to + m * out_step, q + m * size
        up, down = here - pitch, here + pitch
        if corner == 0:
            _relax_fine(width, out, goal, x, here, rhs, b, x, up, x, down, x, here - 1, x, here + 1, inverse, omega)
        else:
            _relax_coarse(
                width, out, goal, x, here, rhs, b, x, up, x, down, x, here - 1, x, here + 1, x, up - 1, x, up + 1,
                x, down - 1, x, down + 1, edge, corner, inverse, omega,
            )  # fmt: skip


@njit(nogil=True, forceinline=True, _nrt=False)
def defect(x, step, at, pitch, width, w, o, diagonal, p, rhs, size, q, kind, out, out_step, to, many):
    """Write the residual of a row: b + sum of weighted neighbours - D x."""
    if kind == 8:
        one = x.dtype.type(1)
        if many == 2:
            _defect_both(width, out, to, out_step, x, at, step, pitch, rhs, q, size, w, o, p, diagonal, one)
        else:
            _defect_8(width, out, to, out_step, x, at, step, pitch, rhs, q, size, w, o, p, diagonal, one)
        return
    for m in range(many):
        here, goal, b = at + m * step, to + m * out_step, q + m * size
        up, down = here - pitch, here + pitch
        if kind == 0:
            _defect_ones(width, out, goal, x, here, rhs, b, diagonal, p, x, up, x, down, x, here - 1, x, here + 1)
        else:
            _defect_4(
                width, out, goal, x, here, rhs, b, diagonal, p, w, o[0] + p, x, here + 1, w, o[1] + p, x, here - 1,
                w, o[2] + p, x, down, w, o[3] + p, x, up,
            )  # fmt: skip


@njit(nogil=True, forceinline=True, _nrt=False)
def image(x, step, at, pitch, width, w, o, diagonal, p, out, out_step, to, many):
    """Write a row of A x, for eight neighbours."""
    one = x.dtype.type(1)
    if many == 2:
        _image_both(width, out, to, out_step, x, at, step, pitch, x, at, step, w, o, p, diagonal, one)
    else:
        _image_8(width, out, to, out_step, x, at, step, pitch, x, at, step, w, o, p, diagonal, one)


@njit(nogil=True, forceinline=True, _nrt=False)
def defect_uniform(x, step, at, pitch, width, uniform, rhs, size, q, out, out_step, to, many):
    """Write the residual of a row where the operator is `uniform`."""
    edge, corner, diagonal = uniform[0], uniform[1], uniform[2]
    for m in range(many):
        here, goal, b = at + m * step, to + m * out_step, q + m * size
        up, down = here - pitch, here + pitch
        if corner == 0:
            _defect_fine(width, out, goal, x, here, rhs, b, x, up, x, down, x, here - 1, x, here + 1, diagonal)
        else:
            _defect_coarse(
                width, out, goal, x, here, rhs, b, x, up, x, down, x, here - 1, x, here + 1, x, up - 1, x, up + 1,
                x, down - 1, x, down + 1, edge, corner, diagonal,
            )  # fmt: skip


@njit(nogil=True, forceinline=True, _nrt=False, fastmath=FAST)
def split(acc, at, width, even, odd, to):
    """Part a row into its even and odd columns, which is what the transfers between grids work on."""
    half = width // 2
    e, o = even[to : to + half], odd[to : to + half]
    for j in range(half):
        e[j] = acc[at + 2 * j]
        o[j] = acc[at + 2 * j + 1]
    if width % 2:
        even[to + half] = acc[at + width - 1]
        odd[to + half] = 0


@njit(nogil=True, forceinline=True, _nrt=False)
def restrict(even, odd, row, span, t, size, p, pitch, count, out, to):
    """Write a row of R r (t holds R^T), from the fine rows row - span, row and row + span."""
    before, after, above = row - span, row + span, p - pitch
    _restrict(
        count, out, to, even, row, t, p, odd, row, t, size + p - 1, odd, row - 1,
        t, 2 * size + p, even, after, t, 4 * size + p, odd, after, t, 5 * size + p - 1, odd, after - 1,
        t, 3 * size + above, even, before, t, 6 * size + above, odd, before, t, 7 * size + above - 1, odd, before - 1,
    )  # fmt: skip


@njit(nogil=True, forceinline=True, _nrt=False)
def restrict_uniform(even, odd, row, span, count, out, to):
    """Write a row of R r where the way is bilinear."""
    before, after, half, quarter = row - span, row + span, out.dtype.type(0.5), out.dtype.type(0.25)
    _restrict_uniform(
        count, out, to, even, row, odd, row, odd, row - 1, even, before, even, after, odd, before, odd, before - 1,
        odd, after, odd, after - 1, half, quarter,
    )  # fmt: skip


@njit(nogil=True, forceinline=True, _nrt=False)
def prolong(c, at, pitch, t, size, p, count, low, even, odd, to):
    """Write a fine row of P e, parted into even and odd columns: an even row, or (low) the odd row below it."""
    down = at + pitch
    if low:
        _two(count, even, to, t, 2 * size + p, c, at, t, 3 * size + p, c, down)
        _four_weighted(
            count, odd, to, t, 4 * size + p, c, at, t, 5 * size + p, c, at + 1, t, 6 * size + p, c, down,
            t, 7 * size + p, c, down + 1,
        )  # fmt: skip
    else:
        _same(count, even, to, c, at)
        _two(count, odd, to, t, p, c, at, t, size + p, c, at + 1)


@njit(nogil=True, forceinline=True, _nrt=False)
def prolong_uniform(c, at, pitch, count, low, even, odd, to):
    """Write a fine row of P e where the way is bilinear."""
    down, half = at + pitch, even.dtype.type(0.5)
    if low:
        _mean(count, even, to, c, at, c, down, half)
        _mean_of_four(count, odd, to, c, at, c, at + 1, c, down, c, down + 1, even.dtype.type(0.25))
    else:
        _same(count, even, to, c, at)
        _mean(count, odd, to, c, at, c, at + 1, half)

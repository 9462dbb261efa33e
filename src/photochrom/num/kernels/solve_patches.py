"""The steps of a membrane's cycle on rows of patches: smoothing, residuals, and the ways between grids.

Imported on first use (Numba); the storage is told in `solve_membrane`.
"""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit

from photochrom.num.kernels.patches import WIDE, patch
from photochrom.num.kernels.streams import weighted

HEIGHT, WIDTH, INVERSE, DIAGONAL = range(4)   # columns of `levels`
WEIGHTS, WAYS, COLUMNS = 4, 12, 20
X, Y, Z, R = range(4)   # columns of `work`
MIXED, PURE, GHOST, LEFT, LEFT_PURE, NEAR, DEEP, FILL, EDGE, ENDING, LISTS = range(11)   # lists of `parts`
# columns of `tiles`; a patch of NEAR has its first finer one and those beside that where others have coarser ones
DOWN, ACROSS, PLACE, BEFORE, AFTER, OTHER, OTHER_AFTER, OTHER_BEFORE, FIELDS = range(9)
ROW = WIDE * 4
_HALF, QUARTER = np.float32(0.5), np.float32(0.25)


def _four(x, left, right, n, s):
    return (n + s) + (x.behind(left) + x.ahead(right))


def _eight(x, left, right, n, n_left, n_right, s, s_left, s_right, *w):
    return weighted((
        w[0], x.ahead(right), w[1], x.behind(left), w[2], s, w[3], n, w[4], s.ahead(s_right), w[5], n.behind(n_left),
        w[6], s.behind(s_left), w[7], n.ahead(n_right),
    ))  # fmt: skip


def _uniform(x, left, right, n, n_left, n_right, s, s_left, s_right, edge, corner):
    corners = (n.behind(n_left) + n.ahead(n_right)) + (s.behind(s_left) + s.ahead(s_right))
    return edge * _four(x, left, right, n, s) + corner * corners


def _step(x, b, inverse, near, omega):
    return x + omega * (inverse * (b + near) - x)


def _way_down(*rows):
    """Restrict: three fine rows of three patches, eight ways, and three of the patch on the left."""
    t, t_left = rows[9:17], dict(zip((7, 1, 5), rows[17:], strict=True))
    total = rows[4].even(rows[5])
    for (left, here, right), straight, after, even in (
        (rows[0:3], 6, 7, 3), (rows[3:6], 0, 1, None), (rows[6:9], 4, 5, 2),
    ):  # fmt: skip
        odd = here.odd(right)   # and the last column on the left is odd
        total = total + (t[straight] * odd + t[after].behind(t_left[after]) * odd.behind(left))
        if even is not None:
            total = total + t[even] * here.even(right)
    return total


def _way_up(second):
    def formula(y0, y1, c, c_right, d, d_right, *t):
        c1, d1 = (row.ahead(right) for row, right in ((c, c_right), (d, d_right)))
        upper = (c.half(second), weighted((t[0], c, t[1], c1)).half(second))
        lower = (weighted((t[2], c, t[3], d)), weighted((t[4], c, t[5], c1, t[6], d, t[7], d1)))
        return y0 + upper[0].between(upper[1]), y1 + lower[0].half(second).between(lower[1].half(second))

    return formula


def _bilinear(second, c, c_right, d, d_right, half):
    """Return the two rows of half a patch that begin at row c of the next coarser grid."""
    below = half * (c + d)
    beside = half * (c + c.ahead(c_right))
    amid = half * (beside + half * (d + d.ahead(d_right)))
    return c.half(second).between(beside.half(second)), below.half(second).between(amid.half(second))


def _added(second):
    def formula(y0, y1, *rest):
        upper, lower = _bilinear(second, *rest)
        return (y0 + upper, y1 + lower) * 2

    return formula


def _harmonic(second, b, b_right, c_left, c, c_right, d_left, d, d_right, quarter):
    """Return the same rows of a harmonic function: amid four known pixels, then between two of these and two known."""
    c1, d1 = c.ahead(c_right), d.ahead(d_right)
    below, above = quarter * ((c + c1) + (d + d1)), quarter * ((c + c1) + (b + b.ahead(b_right)))
    before = quarter * ((c.behind(c_left) + c) + (d.behind(d_left) + d))
    beside, under = quarter * ((c + c1) + (above + below)), quarter * ((c + d) + (before + below))
    return c.half(second).between(beside.half(second)), under.half(second).between(below.half(second))


def _laid(second):
    def formula(y0, y1, *rest):
        upper, lower = _harmonic(second, *rest)
        return y0 + upper, y1 + lower

    return formula


_one = (ROW,)
_relax_five = patch(lambda *v: _step(v[0], v[5], v[6], _four(*v[:5]), v[7]), _one, _one * 7, 1)
_relax_five_pure = patch(lambda *v: _step(v[0], v[5], v[6], _four(*v[:5]), v[7]), _one, _one * 6, 2)
_relax = patch(lambda *v: _step(v[0], v[9], v[10], _eight(*v[:9], *v[11:19]), v[19]), _one, _one * 19, 1)
_relax_pure = patch(lambda *v: _step(v[0], v[9], v[12], _uniform(*v[:9], *v[10:12]), v[13]), _one, _one * 10, 4)
_left_five = patch(lambda *v: (v[5] - v[6] * v[0]) + _four(*v[:5]), _one, _one * 7)
_left_five_pure = patch(lambda *v: (v[5] - v[6] * v[0]) + _four(*v[:5]), _one, _one * 6, 1)
_left = patch(lambda *v: (v[9] - v[10] * v[0]) + _eight(*v[:9], *v[11:]), _one, _one * 19)
_left_pure = patch(lambda *v: (v[9] - v[12] * v[0]) + _uniform(*v[:9], *v[10:12]), _one, _one * 10, 3)
_own = patch(lambda *v: _uniform(*v[:9], *v[9:11]) - v[11] * v[0], _one, _one * 9, 3)
first = patch(lambda b, d, omega: omega * (d * b), _one, _one * 2, 1)
first_pure = patch(lambda b, d: d * b, _one, _one, 1)
both = patch(lambda x: (x, x), _one * 2, _one)
set_both = patch(lambda zero: (zero, zero), _one * 2, (), 1)
set_to = patch(lambda zero: zero, _one, (), 1)
add = patch(lambda x, z, weight: x + weight * z, _one, _one * 2, 1)
move = patch(lambda x, z, far, weight: (x + weight * (z - x), far.farther(z - x)), (ROW, 0), (ROW, ROW, 0), 1)
copy_rows = patch(lambda x: x, _one, (-1,))
sum_rows = patch(lambda near, x: near + x, (-1,), (-1, ROW))
_restrict = patch(_way_down, _one, (2 * ROW,) * 9 + _one * 11)
_prolong, _prolong_second = (patch(_way_up(k), (2 * ROW,) * 2, (2 * ROW,) * 2 + _one * 12) for k in (False, True))
_prolong_pure, _prolong_pure_second = (
    patch(_added(k), (2 * ROW,) * 4, (2 * ROW,) * 2 + _one * 4, 1) for k in (False, True)
)
between, between_second = (
    patch(lambda *v, k=k: _harmonic(k, *v), (2 * ROW,) * 2, _one * 8, 1) for k in (False, True)
)
sum_between, sum_between_second = (patch(_laid(k), (-1, -1), (-1, -1, *_one * 8), 1) for k in (False, True))


@njit(nogil=True, forceinline=True, _nrt=False)
def place_of(levels, g, tiles, k):
    """Return the rows of a patch, and its place in planes."""
    return min(WIDE, levels[g, HEIGHT] - WIDE * tiles[k, DOWN]), tiles[k, PLACE]


@njit(nogil=True, _nrt=False)
def smooth(levels, g, tiles, parts, row, uniform, source, rhs, target, omega):
    """Take a damped Jacobi step on the patches that have unknowns."""
    w = WEIGHTS
    edge, corner, inverse = uniform[g, 0], uniform[g, 1], uniform[g, 3]
    for k in range(parts[g, MIXED, row], parts[g, MIXED, row + 1]):
        rows, at = place_of(levels, g, tiles, k)
        x, to, b, i = source + at, target + at, rhs + at, levels[g, INVERSE] + at
        left, right = source + tiles[k, BEFORE], source + tiles[k, AFTER]
        if g == 0:
            _relax_five(rows, to, x, left, right, x - ROW, x + ROW, b, i, omega)
        else:
            n, s = x - ROW, x + ROW
            _relax(
                rows, to, x, left, right, n, left - ROW, right - ROW, s, left + ROW, right + ROW, b, i,
                levels[g, w] + at, levels[g, w + 1] + at, levels[g, w + 2] + at, levels[g, w + 3] + at,
                levels[g, w + 4] + at, levels[g, w + 5] + at, levels[g, w + 6] + at, levels[g, w + 7] + at, omega,
            )  # fmt: skip
    for k in range(parts[g, PURE, row], parts[g, PURE, row + 1]):
        rows, at = place_of(levels, g, tiles, k)
        x, to, b = source + at, target + at, rhs + at
        left, right = source + tiles[k, BEFORE], source + tiles[k, AFTER]
        n, s = x - ROW, x + ROW
        if g == 0:
            _relax_five_pure(rows, to, x, left, right, n, s, b, inverse, omega)
        else:
            _relax_pure(
                rows, to, x, left, right, n, left - ROW, right - ROW, s, left + ROW, right + ROW, b, edge, corner,
                inverse, omega,
            )  # fmt: skip


@njit(nogil=True, _nrt=False)
def residual(levels, g, tiles, parts, row, uniform, source, rhs, target):
    """Write b - A x."""
    w = WEIGHTS
    edge, corner, diagonal = uniform[g, 0], uniform[g, 1], uniform[g, 2]
    for k in range(parts[g, LEFT, row], parts[g, LEFT, row + 1]):
        rows, at = place_of(levels, g, tiles, k)
        x, to, b, d = source + at, target + at, rhs + at, levels[g, DIAGONAL] + at
        left, right = source + tiles[k, BEFORE], source + tiles[k, AFTER]
        if g == 0:
            _left_five(rows, to, x, left, right, x - ROW, x + ROW, b, d)
        else:
            n, s = x - ROW, x + ROW
            _left(
                rows, to, x, left, right, n, left - ROW, right - ROW, s, left + ROW, right + ROW, b, d,
                levels[g, w] + at, levels[g, w + 1] + at, levels[g, w + 2] + at, levels[g, w + 3] + at,
                levels[g, w + 4] + at, levels[g, w + 5] + at, levels[g, w + 6] + at, levels[g, w + 7] + at,
            )  # fmt: skip
    for k in range(parts[g, LEFT_PURE, row], parts[g, LEFT_PURE, row + 1]):
        rows, at = place_of(levels, g, tiles, k)
        x, to, b = source + at, target + at, rhs + at
        left, right = source + tiles[k, BEFORE], source + tiles[k, AFTER]
        n, s = x - ROW, x + ROW
        if g == 0:
            _left_five_pure(rows, to, x, left, right, n, s, b, diagonal)
        else:
            _left_pure(
                rows, to, x, left, right, n, left - ROW, right - ROW, s, left + ROW, right + ROW, b, edge, corner,
                diagonal,
            )  # fmt: skip


@njit(nogil=True, _nrt=False)
def own_residual(levels, g, tiles, parts, row, uniform, source, target):
    """Write -A x: the residual where the next finer grid only interpolates x, and its right-hand side is 0."""
    edge, corner, diagonal = uniform[g, 0], uniform[g, 1], uniform[g, 2]
    for k in range(parts[g, DEEP, row], parts[g, DEEP, row + 1]):
        rows, at = place_of(levels, g, tiles, k)
        x, left, right = source + at, source + tiles[k, BEFORE], source + tiles[k, AFTER]
        n, s = x - ROW, x + ROW
        _own(
            rows, target + at, x, left, right, n, left - ROW, right - ROW, s, left + ROW, right + ROW, edge, corner,
            diagonal,
        )  # fmt: skip


@njit(nogil=True, _nrt=False)
def down(levels, g, tiles, parts, row, source, target):
    """Restrict what grid g has to the next coarser one."""
    t = WAYS
    for k in range(parts[g + 1, NEAR, row], parts[g + 1, NEAR, row + 1]):
        rows, at = place_of(levels, g + 1, tiles, k)
        left, here, right = source + tiles[k, OTHER_BEFORE], source + tiles[k, OTHER], source + tiles[k, OTHER_AFTER]
        above, before = at - ROW, tiles[k, BEFORE]
        _restrict(
            rows, target + at, left - ROW, here - ROW, right - ROW, left, here, right, left + ROW, here + ROW,
            right + ROW, levels[g, t] + at, levels[g, t + 1] + at, levels[g, t + 2] + at, levels[g, t + 3] + above,
            levels[g, t + 4] + at, levels[g, t + 5] + at, levels[g, t + 6] + above, levels[g, t + 7] + above,
            levels[g, t + 7] + before - ROW, levels[g, t + 1] + before, levels[g, t + 5] + before,
        )  # fmt: skip


@njit(nogil=True, forceinline=True, _nrt=False)
def _parent(tiles, k):
    """Return the places of the rows of the next coarser grid that a patch belongs to, and of those on their right."""
    half = (tiles[k, DOWN] % 2) * (WIDE // 2 * ROW)
    return tiles[k, OTHER] + half, tiles[k, OTHER_AFTER] + half


@njit(nogil=True, _nrt=False)
def up(levels, g, tiles, parts, row, source, target, other):
    """Add to grid g what the next coarser one has; where a grid is only interpolated, in a second plane too."""
    t = WAYS
    for which in range(MIXED, GHOST):
        for k in range(parts[g, which, row], parts[g, which, row + 1]):
            rows, at = place_of(levels, g, tiles, k)
            to, right = _parent(tiles, k)
            y, c, d = target + at, source + to, source + right
            if tiles[k, ACROSS] % 2:
                _prolong_second(
                    (rows + 1) // 2, y, y + ROW, y, y + ROW, c, d, c + ROW, d + ROW,
                    levels[g, t] + to, levels[g, t + 1] + to, levels[g, t + 2] + to, levels[g, t + 3] + to,
                    levels[g, t + 4] + to, levels[g, t + 5] + to, levels[g, t + 6] + to, levels[g, t + 7] + to,
                )  # fmt: skip
            else:
                _prolong(
                    (rows + 1) // 2, y, y + ROW, y, y + ROW, c, d, c + ROW, d + ROW,
                    levels[g, t] + to, levels[g, t + 1] + to, levels[g, t + 2] + to, levels[g, t + 3] + to,
                    levels[g, t + 4] + to, levels[g, t + 5] + to, levels[g, t + 6] + to, levels[g, t + 7] + to,
                )  # fmt: skip
    for k in range(parts[g, GHOST, row], parts[g, GHOST, row + 1]):
        rows, at = place_of(levels, g, tiles, k)
        to, right = _parent(tiles, k)
        y, z, c, d = target + at, other + at, source + to, source + right
        if tiles[k, ACROSS] % 2:
            _prolong_pure_second(rows // 2, y, y + ROW, z, z + ROW, y, y + ROW, c, d, c + ROW, d + ROW, _HALF)
        else:
            _prolong_pure(rows // 2, y, y + ROW, z, z + ROW, y, y + ROW, c, d, c + ROW, d + ROW, _HALF)



"""Connected regions of unknown pixels, by union of labels. Imported on first use (Numba)."""

# mypy: disable-error-code="no-untyped-call, no-untyped-def, call-arg"

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def find(parent, a):
    """Return the root of a."""
    while parent[a] != a:
        parent[a] = parent[parent[a]]
        a = parent[a]
    return a


@njit(nogil=True, cache=True)
def joined(weights, kind, k, y, x, dy, dx):
    """Tell whether the pixel (y, x) hangs together with its neighbour up or left, through the weight of either."""
    if kind == 0:
        return k < 2
    if kind == 8:  # weights 1, 3, 5, 7 lead there, 0, 2, 4, 6 of the neighbour lead back
        return weights[2 * k + 1, y, x] > 0 or weights[2 * k, y + dy, x + dx] > 0
    return k < kind and weights[k, y + dy, x + dx] > 0


@njit(nogil=True, cache=True)
def regions(unknown, weights, diagonal, kind, labels):
    """Label connected unknown pixels from 1 and return, by label, whether anything holds the region.

    Held is a region with a pixel whose diagonal exceeds its weights towards unknowns: a known neighbour or a screen.
    kind is the number of planes of weights; 0 stands for four neighbours of weight 1.
    """
    height, width = unknown.shape
    parent, held = np.zeros(1024, np.int32), np.zeros(1024, np.bool_)
    steps = ((0, -1), (-1, 0), (-1, -1), (-1, 1))
    used = 1
    for y in range(height):
        for x in range(width):
            if not unknown[y, x]:
                continue
            label = 0
            for k in range(4):
                dy, dx = steps[k]
                v, u = y + dy, x + dx
                if v < 0 or u < 0 or u >= width or not unknown[v, u] or not joined(weights, kind, k, y, x, dy, dx):
                    continue
                other = labels[v, u]
                if label == 0:
                    label = other
                elif other != label:
                    a, b = find(parent, label), find(parent, other)
                    parent[max(a, b)] = min(a, b)
            if label == 0:
                if used == parent.size:
                    parent = np.concatenate((parent, np.zeros(used, np.int32)))
                    held = np.concatenate((held, np.zeros(used, np.bool_)))
                label = used
                parent[label] = label
                used += 1
            labels[y, x] = label
            if not held[label]:
                held[label] = holds(unknown, weights, diagonal, kind, y, x)
    number = np.zeros(used, np.int32)
    result = np.zeros(used, np.bool_)
    count = 0
    for a in range(1, used):
        root = find(parent, a)
        if root == a:
            count += 1
            number[a] = count
        number[a] = number[root]
        result[number[a]] |= held[a]
    result[0] = True
    if count < used - 1:
        for y in range(height):
            for x in range(width):
                labels[y, x] = number[labels[y, x]]
    return result[: count + 1]


@njit(nogil=True, cache=True)
def holds(unknown, weights, diagonal, kind, y, x):
    """Tell whether the diagonal of a pixel exceeds its weights towards unknown neighbours by more than rounding."""
    height, width = unknown.shape
    steps = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1))
    total = 0.0
    for k in range(8):
        dy, dx = steps[k]
        v, u = y + dy, x + dx
        if v < 0 or u < 0 or v >= height or u >= width or not unknown[v, u]:
            continue
        if kind == 0:
            total += 1.0 if k < 4 else 0.0
        elif kind == 8:
            total += weights[k, y, x]
        elif k // 2 < kind:
            total += weights[k // 2, y, x] if k % 2 == 0 else weights[k // 2, v, u]
    return diagonal[y, x] - total > 1e-6 * diagonal[y, x]


@njit(nogil=True, cache=True)
def box(marks):
    """Return the first row, last row, first column and last column that hold a mark; -1 where there is none.

    Only what may still widen the box is read.
    """
    height, width = marks.shape
    top, bottom, left, right = -1, -1, width, -1
    for i in range(height):
        line, found = marks[i], False
        for j in range(left):
            if line[j]:
                left, found = j, True
                break
        for j in range(width - 1, max(right, left - 1), -1):
            if line[j]:
                right, found = j, True
                break
        if not found:
            for j in range(left, right + 1):
                if line[j]:
                    found = True
                    break
        if found:
            top, bottom = (i if top < 0 else top), i
    return top, bottom, left, right

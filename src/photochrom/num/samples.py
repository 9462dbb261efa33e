"""Stored samples (rows, W, bands) and planes (bands, rows, W): tables, and the way from floats back to integers."""

from __future__ import annotations

import numpy as np

from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows

_CALL = 262144
"""Samples in one call of a kernel: enough that the call costs nothing beside its work."""


def pack(planes: np.ndarray, out: np.ndarray) -> None:
    """Write planes in display range as integer samples: rounded half to even, clipped, NaN as 0.

    Args:
        planes: (bands, rows, W), float32.
        out: (rows, W, bands), uint8 or uint16; written.
    """
    top = np.float32(np.iinfo(out.dtype).max)
    kernels = load("tables")
    parallel_rows(lambda a, b: kernels.pack(planes[:, a:b], top, out[a:b]), 0, out.shape[0], _grain(out))


def look_up(raw: np.ndarray, table: np.ndarray, alpha: bool) -> np.ndarray:
    """Send samples through a table of their own type.

    Args:
        raw: (rows, W, bands), uint8 or uint16.
        table: (256,) or (65536,), of the same type.
        alpha: the last band is alpha and passes untouched.

    Returns:
        (rows, W, bands), same type.
    """
    source = np.ascontiguousarray(raw)
    result = np.empty_like(source)
    rows, bands = source.shape[0], source.shape[-1]
    flat, out = source.reshape(rows, -1), result.reshape(rows, -1)
    kernels = load("tables")
    if alpha:
        parallel_rows(lambda a, b: kernels.look_up_colour(flat[a:b], table, bands, out[a:b]), 0, rows, _grain(raw))
    else:
        parallel_rows(lambda a, b: kernels.look_up(flat[a:b], table, out[a:b]), 0, rows, _grain(raw))
    return result


def look_up_planes(raw: np.ndarray, table: np.ndarray, alpha: bool) -> np.ndarray:
    """Send samples through a float table into planes.

    Args:
        raw: (rows, W, bands), uint8 or uint16.
        table: (256,) or (65536,), float32.
        alpha: the last band is alpha and is only scaled to 0..1.

    Returns:
        (bands, rows, W), float32.
    """
    source = np.ascontiguousarray(raw)
    rows, width, bands = source.shape
    planes = np.empty((bands, rows, width), np.float32)
    plain = np.arange(len(table), dtype=np.float32) / np.float32(len(table) - 1)
    kernels = load("tables")
    parallel_rows(lambda a, b: kernels.look_up_planes(source[a:b], table, plain, bands - alpha, planes[:, a:b]),
                  0, rows, _grain(raw))
    return planes


def _grain(samples: np.ndarray) -> int:
    return max(1, _CALL // max(1, int(samples.shape[1] * samples.shape[2])))

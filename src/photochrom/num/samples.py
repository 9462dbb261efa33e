"""Stored samples (rows, W, bands) and planes (bands, rows, W): tables, and the way from floats back to integers."""

from __future__ import annotations

import numpy as np

from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows

_CALL = 262144
"""Samples in one call of a kernel: enough that the call costs nothing beside its work."""
_PAIRS = 1 << 20
"""From so many bytes on, a table of all pairs of bytes pays for its making."""


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
    if alpha:
        flat, out = source.reshape(rows, -1), result.reshape(rows, -1)
        colours = load("tables").look_up_colour
        parallel_rows(lambda a, b: colours(flat[a:b], table, bands, out[a:b]), 0, rows, _grain(raw))
    else:
        look_up_all(source.reshape(-1), table, result.reshape(-1))
    return result


def look_up_all(source: np.ndarray, table: np.ndarray, out: np.ndarray) -> None:
    """Send every sample through a table of its own type; bytes by twos, which halves the look-ups.

    Args:
        source: (N,), contiguous, uint8 or uint16.
        table: (256,) or (65536,), of the same type.
        out: (N,), contiguous, same type; written.
    """
    kernels = load("tables")
    size = source.size
    aligned = source.ctypes.data % 8 == 0 and out.ctypes.data % 8 == 0
    done = size - size % 8 if source.dtype == np.uint8 and size >= _PAIRS and aligned else 0
    if done:
        words, made = source[:done].view(np.uint64), out[:done].view(np.uint64)
        both = (table.astype(np.uint16)[:, None] << 8 | table).reshape(-1)   # [256 high + low], whatever the order
        parallel_rows(lambda a, b: kernels.look_up_pairs(words[a:b], both, made[a:b]), 0, words.size, _CALL // 8)
    parallel_rows(lambda a, b: kernels.look_up(source[a:b], table, out[a:b]), done, size, _CALL)


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

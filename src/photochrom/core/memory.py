"""Fresh memory for results; memory that is freed is kept for the next picture."""

import ctypes
import functools
import math
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np
import torch
from torch import Tensor

_HUGE = 2 << 20
_LINE = 64
_MADV_HUGEPAGE = 14
# What glibc's allocator is told: name in the environment, number in malloc.h, value. One heap for all threads, and the
# largest piece and the longest unused end of it that are kept.
_KEEP = (("MALLOC_ARENA_MAX", -8, 1), ("MALLOC_MMAP_THRESHOLD_", -3, 1 << 28), ("MALLOC_TRIM_THRESHOLD_", -1, 1 << 29))
_ROOMY, _TIGHT = 2 << 30, {-3: 8 << 20, -1: 32 << 20}
KEEP_FREED = {name: str(value) for name, _, value in _KEEP}
"""What `keep_freed` sets, as environment variables of a process that is still to be started."""


@functools.cache
def _madvise() -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL(None, use_errno=True).madvise
    except (AttributeError, OSError):
        return None


def empty(shape: Sequence[int], dtype: torch.dtype = torch.float32) -> Tensor:
    """Return an uninitialised contiguous tensor on the processor, on large memory pages where there are any.

    A first write to 144 MB of fresh small pages took 25 ms on two cores, of large ones 9: as long as a small filter.

    Args:
        shape: of the tensor.
        dtype: of the tensor.

    Returns:
        A tensor of `shape`.

    Example:
        >>> empty((2, 3)).shape
        torch.Size([2, 3])
    """
    return _on_large_pages(torch.empty(tuple(shape), dtype=dtype))


def zeros(shape: Sequence[int], dtype: torch.dtype = torch.float32) -> Tensor:
    """Return a contiguous tensor of zeros on the processor, whose pages are taken when they are first used.

    It begins at a line of the cache: a vector of the processor then lies in one line. Arguments as of `empty`.

    Example:
        >>> zeros((1, 2)).tolist()
        [[0.0, 0.0]]
    """
    size = math.prod(shape) * dtype.itemsize
    if size < 4 * _HUGE:
        return torch.zeros(tuple(shape), dtype=dtype)
    room = np.zeros(size + _LINE, np.uint8)   # not written, as torch would: fresh pages are 0
    first = -room.ctypes.data % _LINE
    return _on_large_pages(torch.from_numpy(room[first : first + size]).view(dtype).view(tuple(shape)))


def _on_large_pages(made: Tensor) -> Tensor:
    """Ask for large pages where a tensor has not been written yet."""
    size = made.numel() * made.element_size()
    advise = _madvise() if size >= 4 * _HUGE else None
    if advise is not None:
        # only a hint: whole large pages inside the tensor; a refusal changes nothing
        start = -(-made.data_ptr() // _HUGE) * _HUGE
        stop = (made.data_ptr() + size) // _HUGE * _HUGE
        advise(ctypes.c_void_p(start), ctypes.c_size_t(stop - start), _MADV_HUGEPAGE)
    return made


def written(tensor: Tensor) -> np.ndarray:
    """Return what kernels write fresh memory through; unlike `Tensor.numpy`, the tensor stays the owner.

    What torch has shown to NumPy counts as shared from then on, and is copied where an array goes out.

    Args:
        tensor: on the processor, contiguous.

    Returns:
        an array over the same memory.

    Example:
        >>> ones = torch.ones(2)
        >>> written(ones)[:] = 3
        >>> ones.tolist()
        [3.0, 3.0]
    """
    return np.asarray(_Shown(tensor))


class _Shown:
    """Memory of a tensor, as NumPy asks for it; an array over it keeps the tensor alive."""

    def __init__(self, tensor: Tensor) -> None:
        """Show a tensor."""
        kind = np.dtype(str(tensor.dtype).removeprefix("torch."))
        self._tensor = tensor
        self.__array_interface__ = {"version": 3, "shape": tuple(tensor.shape), "typestr": kind.str,
                                    "data": (tensor.data_ptr(), False)}  # fmt: skip


def keep_freed(memory: int | None = None) -> None:
    """Let this process keep what it frees instead of handing it back to the system, to take it anew a moment later.

    Tiles, and what lies between their steps, are freed and taken again hundreds of times a picture. glibc gives each
    thread a heap of its own whose unused end goes back at once, and every page taken anew is cleared by the system: a
    photograph of 12 megapixels took 39,000 pages and 90 ms of 350. One heap for all, that keeps its end, takes 3500 and
    17 ms. For processes that make pictures, not for libraries, and before threads are started: each keeps the heap it
    has. Where the C library is another one nothing changes.

    Args:
        memory: what the process may take; below 2 GiB large pieces go back at once, since between those that are kept
            holes are left.
    """
    with suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        for _, number, value in _KEEP:
            if memory is not None and memory < _ROOMY:
                value = _TIGHT.get(number, value)
            libc.mallopt(number, value)

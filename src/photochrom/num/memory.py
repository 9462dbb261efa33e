"""Fresh memory for results."""

import ctypes
import functools
import sys
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

_HUGE = 2 << 20
_MADV_HUGEPAGE = 14


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
    made = torch.empty(tuple(shape), dtype=dtype)
    size = made.numel() * made.element_size()
    advise = _madvise() if size >= 4 * _HUGE else None
    if advise is not None:
        # only a hint: whole large pages inside the tensor; a refusal changes nothing
        start = -(-made.data_ptr() // _HUGE) * _HUGE
        stop = (made.data_ptr() + size) // _HUGE * _HUGE
        advise(ctypes.c_void_p(start), ctypes.c_size_t(stop - start), _MADV_HUGEPAGE)
    return made

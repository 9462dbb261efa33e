"""Engine 1: pixel functions over cache-sized strips instead of full frames."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from photochrom.core.memory import empty
from photochrom.num.parallel import limit_threads, parallel_rows, threads

PIXELS = 65536
"""Pixels in a strip: three float32 channels of it are 0.75 MB, and with a temporary fit a second-level cache of 2 MB.
Measured on `transfer_statistics` over 12 megapixels: 406 ms with 16384, 283 with 32768, 227 with 65536."""

Part = tuple[Tensor, Tensor | None]


def strip_rows(width: int) -> int:
    """Return the number of rows in a strip of a picture `width` pixels wide."""
    return max(1, PIXELS // max(1, width))


def in_strips(function: Callable[[Tensor, Tensor | None, slice], Part], image: Tensor, alpha: Tensor | None = None,
              first_row: int = 0) -> Part:
    """Apply a function of pixels strip by strip, on all threads.

    Args:
        function: takes the image and alpha of some rows and the slice of those rows in the whole picture, and returns
            the same for its result; it must look at no other row.
        image: (B, C, H, W).
        alpha: (B, 1, H, W) or None.
        first_row: the row of the whole picture at which `image` starts.

    Returns:
        The image and alpha that `function(image, alpha, all rows)` would give, without its full-frame temporaries.
    """
    height, grain = image.shape[-2], strip_rows(image.shape[-1])
    if height <= grain or image.device.type != "cpu":
        return function(image, alpha, slice(first_row, first_row + height))

    def part(start: int, stop: int) -> Part:
        cut = None if alpha is None else alpha[..., start:stop, :]
        return function(image[..., start:stop, :], cut, slice(first_row + start, first_row + stop))

    with limit_threads(1):
        first, first_alpha = part(0, grain)
    result = empty((*first.shape[:2], height, first.shape[3]), first.dtype)
    same_alpha = alpha is None or first_alpha is None or first_alpha.data_ptr() == alpha.data_ptr()
    covered = alpha if same_alpha or first_alpha is None else torch.empty_like(alpha)   # type: ignore[arg-type]
    result[..., :grain, :] = first
    if covered is not alpha and covered is not None and first_alpha is not None:
        covered[..., :grain, :] = first_alpha

    def rows(start: int, stop: int) -> None:
        for top in range(start, stop, grain):
            bottom = min(top + grain, stop)
            done, done_alpha = part(top, bottom)
            result[..., top:bottom, :] = done
            if covered is not alpha and covered is not None and done_alpha is not None:
                covered[..., top:bottom, :] = done_alpha

    parallel_rows(rows, grain, height, _share(height, grain), torch_inside=True)
    return result, covered


def pointwise(function: Callable[..., Tensor], *pictures: Tensor, reuse: bool = False) -> Tensor:
    """Apply a function of pixels to pictures (B, C, H, W) of one size, strip by strip on all threads.

    For the pixel part of operations that look further. Where the strips are cut does not depend on the number of
    threads, so neither do the bits of the result: torch rounds the ends of a run differently from its middle.

    Args:
        function: takes as many tensors as there are pictures, and looks at no other row.
        pictures: the tensors; where one of them wants a gradient the function is called once on all rows.
        reuse: the first picture is the caller's own and may be overwritten by the result.

    Returns:
        The result (B, C, H, W).
    """
    first = pictures[0]
    if torch.is_grad_enabled() and any(picture.requires_grad for picture in pictures):
        return function(*pictures)
    if first.device.type != "cpu" or first.numel() <= 3 * PIXELS:
        return function(*pictures)
    grain = strip_rows(first.shape[-1])
    result = first if reuse else empty(first.shape, first.dtype)

    def rows(start: int, stop: int) -> None:
        with torch.no_grad():
            for top in range(start, stop, grain):
                bottom = min(top + grain, stop)
                result[..., top:bottom, :] = function(*(picture[..., top:bottom, :] for picture in pictures))

    parallel_rows(rows, 0, first.shape[-2], _share(first.shape[-2], grain), torch_inside=True)
    return result


def _share(height: int, grain: int) -> int:
    """Return the rows of one call: whole strips, and enough calls to keep every thread busy to the end."""
    return grain * max(1, height // (4 * threads() * grain))

"""Banded matrices as blocked dense products of views, in plain torch: any dtype and device."""

import torch
from torch import Tensor

from photochrom.core.memory import empty
from photochrom.num.matrices import Band, Block
from photochrom.num.parallel import parallel_rows

_BATCH = 1 << 18  # values of small planes multiplied together; larger planes go one by one


def _size(band: Band) -> int:
    """Return the rows of a block: 128 keeps the product near full speed; wider kernels waste less in taller blocks."""
    return 128 if band.width <= 257 else 256


def _multiply(block: Block, planes: Tensor, out: Tensor) -> None:
    """Write A X, rows of `block`, for planes (P, n_in, W) into out (P, rows, W)."""
    for number, (i0, i1, weights) in enumerate(block.pieces):
        part = planes[:, i0:i1]
        if len(planes) == 1:
            torch.addmm(out[0], weights, part[0], beta=float(number > 0), out=out[0])
        else:
            torch.baddbmm(out, weights.expand(len(planes), -1, -1), part, beta=float(number > 0), out=out)


def _multiply_right(block: Block, planes: Tensor, out: Tensor) -> None:
    """Write X A^T, columns of `block`, for planes (P, H, n_in) into out (P, H, columns)."""
    for number, (j0, j1, weights) in enumerate(block.pieces):
        part = planes[:, :, j0:j1]
        if len(planes) == 1:
            torch.addmm(out[0], part[0], weights.t(), beta=float(number > 0), out=out[0])
        else:
            torch.baddbmm(out, part, weights.t().expand(len(planes), -1, -1), beta=float(number > 0), out=out)


def products(image: Tensor, rows: Band, columns: Band) -> Tensor:
    """Return `A_y X A_x^T` of every plane.

    Args:
        image: (B, C, H, W), float32 or float64; not differentiated here.
        rows: A_y, (H', H).
        columns: A_x, (W', W).

    Returns:
        (B, C, H', W'), contiguous, same dtype and device.
    """
    image = image.detach()  # workers would see a forward-mode tangent, which the caller's forward has switched off
    batch, channels, height, width = image.shape
    on_cpu = image.device.type == "cpu"
    # Interleaved channels: the product down takes whole rows as they lie, and the strip is taken apart in the cache.
    # Rows of neighbours may lie anywhere; any other layout is copied once, not block by block.
    lanes = channels if on_cpu and channels > 1 and image.permute(0, 2, 3, 1).is_contiguous() else 1
    if lanes > 1:
        planes = image.permute(0, 2, 3, 1).reshape(batch, height, width * channels)
    else:
        planes = (image if image.stride(-1) == 1 else image.contiguous()).flatten(0, 1)
    count = len(planes)
    shape = (count, lanes, rows.n_out, columns.n_out)
    out = empty(shape, image.dtype) if on_cpu else image.new_empty(shape)
    down = rows.blocks(_size(rows), image.dtype, image.device)
    across = columns.blocks(_size(columns), image.dtype, image.device)
    group = max(1, min(count, _BATCH // max(1, height * width * lanes))) if on_cpu else max(1, count)
    # both settings are per thread; a tensor made in inference mode may be written in inference mode only
    mode = torch.inference_mode if torch.is_inference_mode_enabled() else torch.no_grad

    def work(first: int, last: int) -> None:
        with mode():
            for unit in range(first, last):
                start, block = unit // len(down) * group, down[unit % len(down)]
                part = planes[start : start + group]
                tall = block.stop - block.start
                strip = part.new_empty((len(part), tall, width * lanes))
                _multiply(block, part, strip)
                strip = strip.view(len(part), tall, width, lanes).permute(0, 3, 1, 2).reshape(-1, tall, width)
                target = out[start : start + group].flatten(0, 1)[:, block.start : block.stop]
                for other in across:
                    _multiply_right(other, strip, target[:, :, other.start : other.stop])

    units = -(-count // group) * len(down)
    if on_cpu:
        parallel_rows(work, 0, units, 1, torch_inside=True)
    else:
        work(0, units)
    return out.view(batch, channels, rows.n_out, columns.n_out)

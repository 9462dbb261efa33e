"""Running a network over pictures of any size: in tiles, in several precisions, by torch or by another runtime."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from photochrom.core.errors import ControlError
from photochrom.nets.network import Network
from photochrom.nets.ready import ready
from photochrom.num.sampling import resample_planes, windows

Precision = Literal["fp32", "bf16"]
Backend = Literal["torch", "onnx", "openvino"]
Run = Callable[[Tensor], Tensor]

SPREAD = 8
"""Pixels far that colour is spread into what is transparent."""
BICUBIC_HALO = 2
"""Pixels on each side that a cubic interpolation reads."""
_VALUES = 1 << 24
"""Values in a layer of a tile: 64 MB of float32, for a few of which there is always room."""
_LEAST = 192
"""Pixels along a tile, so that its overlap does not outweigh it."""


def restore(network: Network, planes: Tensor, *, scale: int | None = None, tile: int | None = None,
            precision: Precision = "fp32", backend: Backend = "torch", ensemble: bool = False,
            progress: Callable[[int], None] = lambda pixels: None) -> Tensor:
    """Run a network over a picture in the network's own channels.

    The picture is cut into tiles that overlap by as much as the network looks beyond a pixel, so that no seam is
    left. A network that looks at the whole picture, such as RCAN by its channel attention, gets the whole picture.

    Args:
        network: what `photochrom.nets.weights.load` gives.
        planes: (B, C, H, W) in 0..1, C as the network was trained; for super-resolution the small picture, also for
            networks that expect it enlarged: they get MATLAB's bicubic enlargement in floating point.
        scale: how much larger, where the network offers several.
        tile: pixels along a tile, before the overlap; chosen by the width of the network's layers if not given.
        precision: bf16 computes convolutions with bfloat16 factors and float32 sums, where that is faster; the picture
            itself, to which a residual network adds what it found, stays as it is.
        backend: what computes the convolutions; onnx and openvino where they are installed, without a gradient.
        ensemble: take the mean over the eight ways to turn and mirror the picture, which takes eight times as long.
        progress: called with the number of pixels of `planes` finished since the last call.

    Returns:
        (B, C, scale H, scale W), dtype and device of `planes`; not clipped.

    Raises:
        ControlError: another number of channels, a scale that is not offered, or a backend that is not there.

    Example:
        >>> from photochrom.nets.weights import Descriptor
        >>> network = Network.new(Descriptor("small", "espcn", {"scale": 2}, scale=2))
        >>> restore(network, torch.zeros(1, 1, 5, 4)).shape
        torch.Size([1, 1, 10, 8])
    """
    known = network.descriptor
    scale = known.scales[0] if scale is None else scale
    if scale not in known.scales:
        raise ControlError(f"{known.name}: expected a scale of {', '.join(map(str, known.scales))}, got {scale}")
    channels = 3 if known.channels == "rgb" else 1
    if planes.shape[1] != channels:
        raise ControlError(f"{known.name}: expected {channels} channel(s), got {planes.shape[1]}")
    dtype = planes.dtype if planes.dtype == torch.float64 else torch.float32
    given = planes.to(dtype)
    if known.interpolated:
        given = enlarge_bicubic(given, scale)
    larger = 1 if known.interpolated or known.task != "upscale" else scale
    run = _runner(network, scale, precision, backend, given)
    if ensemble:
        run = _eight_ways(run)
    side = tile or tile_side(network)
    told = planes.shape[-1] * planes.shape[-2] / (given.shape[-1] * given.shape[-2])
    made = [_in_tiles(run, part, larger, known.halo, side, lambda pixels: progress(round(pixels * told)))
            for part in given.split(1)]
    return (torch.cat(made) if len(made) > 1 else made[0]).to(planes.dtype)


def tile_side(network: nn.Module) -> int:
    """Return how many pixels along a tile may have, so that a layer of it stays small."""
    widest = max((max(part.in_channels, part.out_channels) for part in network.modules()
                  if isinstance(part, nn.Conv2d)), default=1)
    return max(_LEAST, min(1024, math.isqrt(_VALUES // widest)))


def enlarge_bicubic(image: Tensor, scale: int) -> Tensor:
    """Enlarge as MATLAB's imresize does floating-point pictures.

    Example:
        >>> enlarge_bicubic(torch.ones(1, 1, 2, 3), 3).shape
        torch.Size([1, 1, 6, 9])
    """
    height, width = image.shape[-2:]
    rows = windows(height, height * scale, 0, height, "bicubic", -0.5, True, "replicate")
    return resample_planes(image, rows, windows(width, width * scale, 0, width, "bicubic", -0.5, True, "replicate"))


def drift(before: Tensor, after: Tensor) -> Tensor:
    """Return by how much the mean of every channel moved, (B, C, 1, 1).

    Example:
        >>> drift(torch.zeros(1, 1, 2, 2), torch.full((1, 1, 4, 4), 0.25)).item()
        0.25
    """
    return after.mean((-2, -1), keepdim=True) - before.mean((-2, -1), keepdim=True)


def _runner(network: Network, scale: int, precision: Precision, backend: Backend, like: Tensor) -> Run:
    several = len(network.descriptor.scales) > 1
    if backend != "torch":
        from photochrom.nets.runtimes import runtime

        outside = runtime(network, scale, precision, backend)
        return lambda image: outside(image.detach()).to(image)
    low = precision == "bf16" and like.dtype == torch.float32
    native = like.dtype == torch.float32 and like.device.type == "cpu"

    def run(image: Tensor) -> Tensor:
        quick = native and not image.requires_grad and bool(image.isfinite().all())
        body = ready(network, like.dtype, like.device, precision if quick else None)
        with torch.autocast(image.device.type, torch.bfloat16, enabled=low):
            made: Tensor = body(image, scale=scale if several else None)
        return made.to(image.dtype)

    return run


def _in_tiles(run: Run, image: Tensor, larger: int, halo: int | None, side: int,
              progress: Callable[[int], None]) -> Tensor:
    height, width = image.shape[-2:]
    if halo is None or (height <= side and width <= side):
        made = run(image)
        progress(height * width)
        return made
    result: Tensor | None = None
    for top, bottom in _cuts(height, side):
        for left, right in _cuts(width, side):
            up, ahead = min(halo, top), min(halo, left)
            part = run(image[..., top - up:bottom + halo, left - ahead:right + halo].contiguous())
            if result is None:
                result = part.new_empty((*part.shape[:2], height * larger, width * larger))
            down, across = (bottom - top) * larger, (right - left) * larger
            result[..., top * larger:bottom * larger, left * larger:right * larger] = (
                part[..., up * larger:up * larger + down, ahead * larger:ahead * larger + across])
            progress((bottom - top) * (right - left))
    assert result is not None
    return result


def _cuts(length: int, side: int) -> list[tuple[int, int]]:
    """Cut a length into pieces as even as can be, so that tiles are of few sizes."""
    count = -(-length // side)
    return [(length * i // count, length * (i + 1) // count) for i in range(count)]


def _eight_ways(run: Run) -> Run:
    def mean(image: Tensor) -> Tensor:
        total: Tensor | None = None
        for turns in range(4):
            for mirrored in (False, True):
                turned = torch.rot90(image, turns, (-2, -1))
                made = run((turned.flip(-1) if mirrored else turned).contiguous())
                back = torch.rot90(made.flip(-1) if mirrored else made, -turns, (-2, -1))
                total = back if total is None else total + back
        assert total is not None
        return total / 8

    return mean

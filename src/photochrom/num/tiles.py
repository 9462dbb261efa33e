"""Curves made of local histograms: a grid of tiles, contrast limited, blended between tiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from photochrom.num.histograms import count_levels, on_knots, through_knots
from photochrom.num.kernels import load
from photochrom.num.leveling import fold, ramp_of
from photochrom.num.parallel import parallel_rows
from photochrom.num.strips import in_strips


@dataclass(frozen=True)
class Axis:
    """One direction of a grid of tiles over a picture, as OpenCV lays it."""

    count: int
    size: int
    """Pixels in a tile."""
    fold: np.ndarray
    """Where each pixel of the tiles is read: beyond the picture lies its mirror image."""
    near: np.ndarray
    """(pixels, 2): the tiles before and after each pixel of the picture."""
    share: np.ndarray
    """How much of the tile after it a pixel takes, float32."""
    origin: np.ndarray
    """The number of the tile before each pixel, -1 before the first centre."""


def grid(height: int, width: int, tiles: tuple[int, int]) -> tuple[Axis, Axis]:
    """Lay tiles over a picture.

    Where either side does not divide, both grow to the next multiple: OpenCV's way, which a comparison asks for.

    Args:
        height: of the picture.
        width: of the picture.
        tiles: how many down and across; at most as many as there are pixels are laid.

    Returns:
        The grid downwards and across.
    """
    down, across = min(tiles[0], height), min(tiles[1], width)
    grow = height % down != 0 or width % across != 0
    return _axis(height, down, grow), _axis(width, across, grow)


def _axis(length: int, count: int, grow: bool) -> Axis:
    whole = length + (count - length % count if grow else 0)
    size = whole // count
    place = np.arange(whole)
    period = max(1, 2 * (length - 1))
    place = place % period
    # OpenCV places a pixel by its corner, not its centre; its float32 is kept so that the same tiles are blended.
    exact = np.arange(length, dtype=np.float32) * np.float32(1 / size) - np.float32(0.5)
    before = np.floor(exact)
    near = np.stack([np.maximum(before, 0), np.minimum(before + 1, count - 1)], 1).astype(np.int64)
    return Axis(count, size, np.minimum(place, period - place), near, (exact - before).astype(np.float32),
                before.astype(np.int64))


def limited(counts: Tensor, area: int, clip_limit: float) -> Tensor:
    """Return the curves (..., levels) of histograms whose peaks are cut off and spread over all levels.

    Args:
        counts: (..., levels), whole numbers.
        area: pixels in a tile.
        clip_limit: the most a level may hold, as a multiple of what it would hold if all held the same; 0 for no limit.

    Returns:
        Rising curves, float64, that end at 1.
    """
    levels = counts.shape[-1]
    held = counts.round().long()
    if clip_limit > 0:
        most = max(int(clip_limit * area / levels), 1)
        excess = (held - most).clamp(min=0).sum(-1, keepdim=True)
        held = held.clamp(max=most)
        each = excess // levels
        rest = excess - each * levels
        # What cannot be shared out evenly goes to every step-th level.
        step = (levels // rest.clamp(min=1)).clamp(min=1)
        place = torch.arange(levels, device=counts.device)
        held = held + each + ((place % step == 0) & (place // step < rest))
    return held.cumsum(-1).double() / area


def tile_curves(image: Tensor, down: Axis, across: Axis, levels: int, clip_limit: float) -> Tensor:
    """Return the curves of all tiles, (B, C, ty, tx, levels), float64; the identity for a band of a single tone."""
    batch, channels = image.shape[:2]
    rows = torch.from_numpy(down.fold).to(image.device)
    columns = torch.from_numpy(across.fold).to(image.device)
    found = []
    for t in range(down.count):
        band = image.detach()[..., rows[t * down.size:(t + 1) * down.size], :]
        for s in range(across.count):
            part = band[..., columns[s * across.size:(s + 1) * across.size]]
            found.append(count_levels(part, None, levels).counts)
    counts = torch.stack(found, 2).reshape(batch, channels, down.count, across.count, levels)
    return _or_identity(limited(counts, down.size * across.size, clip_limit), counts)


def _or_identity(curves: Tensor, counts: Tensor) -> Tensor:
    several = (counts.sum((2, 3), keepdim=True) > 0).sum(-1, keepdim=True) > 1
    line = torch.linspace(0, 1, curves.shape[-1], dtype=curves.dtype, device=curves.device)
    return torch.where(several, curves, line)


def blend(image: Tensor, curves: Tensor, down: Axis, across: Axis) -> Tensor:
    """Send values through the curves of the four tiles around each, blended by its distance to their centres.

    Args:
        image: (B, C, H, W).
        curves: (B, C, ty, tx, levels), at knots spread evenly over 0..1; beyond both ends they go on with slope 1.
        down: the grid downwards.
        across: the grid across.

    Returns:
        (B, C, H, W), of the dtype of the image.
    """
    batch, channels = image.shape[:2]
    levels = curves.shape[-1]
    short = image.dtype not in (torch.float32, torch.float64)
    flat = curves.to(torch.float32 if short else image.dtype).reshape(batch * channels, -1)
    device = image.device
    columns = torch.from_numpy(across.near).to(device) * levels
    side = torch.from_numpy(across.share).to(flat)

    def part(picture: Tensor, alpha: Tensor | None, rows: slice) -> tuple[Tensor, Tensor | None]:
        wide = picture.float() if short else picture
        inside = wide.clamp(0, 1)
        place = on_knots(inside, levels)
        lower = place.detach().nan_to_num(0.0).floor().clamp(0, levels - 2)
        level, between = lower.long(), place - lower
        lines = torch.from_numpy(down.near[rows]).to(device) * (levels * across.count)

        def through(row: int, column: int) -> Tensor:
            index = (level + lines[:, row, None] + columns[None, :, column]).reshape(batch * channels, -1)
            low, high = flat.gather(1, index).reshape(wide.shape), flat.gather(1, index + 1).reshape(wide.shape)
            return low + between * (high - low)

        above = torch.lerp(through(0, 0), through(0, 1), side)
        below = torch.lerp(through(1, 0), through(1, 1), side)
        share = torch.from_numpy(down.share[rows]).to(flat)[:, None]
        done = torch.lerp(above, below, share) + (wide - inside)
        return done.to(picture.dtype), alpha

    if image.requires_grad and torch.is_grad_enabled():
        return part(image, None, slice(0, image.shape[-2]))[0]
    return in_strips(part, image)[0]


def level_samples(samples: np.ndarray, tiles: tuple[int, int], levels: int, clip_limit: float) -> np.ndarray:
    """Do the same on stored samples (H, W, bands) of uint8 or uint16, every band by itself; the type is kept."""
    height, width, bands = samples.shape
    down, across = grid(height, width, tiles)
    result = np.empty(samples.shape, samples.dtype)
    for band in range(bands):
        plane = np.ascontiguousarray(samples[..., band])
        if bands == 1:
            _level_plane(plane, down, across, levels, clip_limit, result[..., 0])
        else:
            done = np.empty_like(plane)
            _level_plane(plane, down, across, levels, clip_limit, done)
            result[..., band] = done
    return result


def _level_plane(plane: np.ndarray, down: Axis, across: Axis, levels: int, clip_limit: float, out: np.ndarray) -> None:
    kernels = load("tiles")
    top = int(np.iinfo(plane.dtype).max)
    counts = np.zeros((down.count, across.count, top + 1), np.int64)

    def count(start: int, stop: int) -> None:
        table = np.empty((4, top + 1), np.int32)
        for tile in range(start, stop):
            t, s = divmod(tile, across.count)
            table[:] = 0
            kernels.count_tile(plane, down.fold, across.fold, t * down.size, s * across.size, down.size, across.size,
                               table)
            counts[t, s] = table.sum(0)

    parallel_rows(count, 0, down.count * across.count, 1)
    knots = fold(counts.reshape(-1, top + 1), plane.dtype, levels).reshape(1, 1, down.count, across.count, levels)
    curves = _or_identity(limited(knots, down.size * across.size, clip_limit), knots).reshape(-1, 1, levels)
    if levels != top + 1:
        curves = through_knots(ramp_of(plane.dtype).expand(len(curves), -1, -1, -1), curves)
    tables = (curves.reshape(down.count, across.count, top + 1).float() * top).clamp_(0, top).numpy()
    # Columns between the same two tiles are one run.
    starts = np.flatnonzero(np.diff(across.origin, prepend=across.origin[0] - 1))
    runs = np.concatenate([across.near[starts], across.origin[starts, None]], 1)
    starts = np.append(starts, plane.shape[1])
    kernel = kernels.blend_few if top < 256 else kernels.blend_many
    inverse = np.float32(1 / across.size)
    parallel_rows(lambda a, b: kernel(plane[a:b], tables, down.near, down.share, starts, runs, inverse, a, out[a:b]),
                  0, plane.shape[0], max(1, (1 << 18) // plane.shape[1]))

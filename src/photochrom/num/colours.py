"""The colours of a picture: how often each occurs, gathered by parts, and functions of colour as a lattice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows

EXACT = 2048
"""Up to this many pixels every pixel is an entry of its own."""
FINE, COARSE = 256, 64
"""Boxes along an axis of colour: one an 8-bit level while few are occupied, else one for four levels."""
MOST = 65536
"""The most boxes that are kept fine."""
PENDING = 1 << 20
"""Entries that wait to be added up."""
CHUNK = 1 << 18
NUDGE = 1 / 1024
"""Of a box: what float32 makes of a stored level is taken for the level."""
OUTSIDE = (0.2126, 0.7152, 0.0722)
_FIBONACCI = 0x9E3779B1


class Part(NamedTuple):
    """Entries of colours. All tensors have a row an entry; where `cells` is 0 each entry is a pixel."""

    cells: int
    """Boxes along an axis, of 256 / cells 8-bit levels each."""
    keys: Tensor
    """(K,) int32: (r cells + g) cells + b."""
    sums: Tensor
    """(K, 4) float64: weight, and weighted red, green, blue."""
    off: Tensor
    """(K,) bool: whether some pixel of the box has another colour than its lower corner."""

    @property
    def weight(self) -> Tensor:
        """(K,): the weight of each entry."""
        return self.sums[:, 0]

    @property
    def colours(self) -> Tensor:
        """(K, 3): the mean colour of each entry that has weight."""
        return self.sums[:, 1:] / torch.where(self.weight > 0, self.weight, 1)[:, None]


@dataclass(frozen=True, eq=False)
class Colours:
    """The colours of a batch of pictures, or of parts of them: for each picture some parts not yet added up."""

    pictures: tuple[tuple[Part, ...], ...]
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _kept: dict[Hashable, object] = field(default_factory=dict, repr=False)

    def merge(self, other: Colours) -> Colours:
        """Return the colours of both parts together."""
        merged = []
        for own, more in zip(self.pictures, other.pictures, strict=True):
            parts = (*own, *more)
            merged.append((_settle(parts),) if sum(len(part.sums) for part in parts) > PENDING else parts)
        return Colours(tuple(merged))

    def settled(self, picture: int) -> Part:
        """Return the colours of one picture, each once."""
        return self.keep(picture, lambda: _settle(self.pictures[picture]))   # type: ignore[return-value]

    def keep(self, key: Hashable, make: Callable[[], object]) -> object:
        """Return what `make` gave the first time for this key: what all strips of a picture share."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
            return self._kept[key]


def colours_of(image: Tensor, weights: Tensor | None = None) -> Colours:
    """Gather the colours of a part of a picture.

    Args:
        image: (B, 3, H, W); colours outside 0..1 fall into the outermost boxes, their means stay true.
        weights: (B or 1, 1, H, W), how much each pixel counts; None for all alike.

    Returns:
        Its colours.

    Example:
        >>> two = torch.tensor([0.0, 1.0, 1.0]).reshape(1, 1, 1, 3).expand(1, 3, 1, 3)
        >>> colours_of(two).settled(0).weight.tolist()
        [1.0, 1.0, 1.0]
    """
    pixels = image.shape[-2] * image.shape[-1]
    pictures = []
    for index, picture in enumerate(image):
        cover = None if weights is None else weights.expand(len(image), -1, -1, -1)[index, 0]
        plain = image.dtype == torch.float32 and image.device.type == "cpu" and not (
            torch.is_grad_enabled() and (image.requires_grad or (cover is not None and cover.requires_grad)))
        if pixels > EXACT and plain:
            pictures.append(_collected(picture, cover))
            continue
        flat = picture.flatten(1).T.double()
        weight = torch.ones_like(flat[:, 0]) if cover is None else cover.flatten().to(flat)
        sums = torch.cat([weight[:, None], flat * weight[:, None]], 1)
        if pixels <= EXACT:
            pictures.append((Part(0, torch.zeros(0), sums, torch.zeros(0)),))
        else:
            place = _place(flat.detach(), FINE)
            pictures.append((_settle((Part(FINE, _key(place.floor(), FINE), sums,
                                           (place - place.floor() > 2 * NUDGE).any(1)),)),))
    return Colours(tuple(pictures))


def _place(flat: Tensor, cells: int) -> Tensor:
    """Return where colours (K, 3) lie among boxes, moved up by the nudge; NaN is 0."""
    return (flat.clamp(0, 1).nan_to_num(0.0) * 255 + NUDGE).mul_(cells / 256)


def _key(box: Tensor, cells: int) -> Tensor:
    r, g, b = box.to(torch.int32).unbind(1)
    return (r * cells + g) * cells + b


def _box(keys: Tensor, cells: int) -> Tensor:
    """Return the lower corners (K, 3) that belong to keys."""
    return torch.stack([keys // (cells * cells), keys // cells % cells, keys % cells], 1)


def _collected(picture: Tensor, cover: Tensor | None) -> tuple[Part, ...]:
    """Gather a large picture (3, H, W) by kernel, chunk by chunk."""
    planes = [plane.contiguous().reshape(-1).numpy() for plane in picture.detach()]
    counts = np.ones(1, np.float32) if cover is None else (
        cover.detach().float().contiguous().reshape(-1).numpy())
    size = planes[0].size
    found: dict[int, Part] = {}
    many = threading.Event()   # one chunk of many colours makes the picture one of many colours

    def chunk(start: int, stop: int) -> None:
        cut = [plane[start:stop] for plane in planes]
        own = counts if cover is None else counts[start:stop]
        for cells in (COARSE,) if many.is_set() else (FINE, COARSE):
            room = MOST if cells == FINE else min(stop - start, COARSE**3)
            keys, sums, off = np.empty(room, np.int32), np.zeros((room, 4)), np.zeros(room, np.bool_)
            table = np.full(4 * MOST if cells == FINE else COARSE**3, -1, np.int32)
            count = load("colours").collect(*cut, own, cover is not None, cells, _FIBONACCI if cells == FINE else 1,
                                            table, keys, sums, off)
            if count >= 0:
                found[start] = Part(cells, torch.from_numpy(keys[:count].copy()),
                                    torch.from_numpy(sums[:count].copy()), torch.from_numpy(off[:count].copy()))
                return
            many.set()

    chunk(0, min(CHUNK, size))
    parallel_rows(chunk, CHUNK, size, CHUNK)
    return tuple(found[start] for start in sorted(found))


def _settle(parts: tuple[Part, ...]) -> Part:
    """Add up parts: pixels while they are few, then fine boxes while these are few, then coarse ones."""
    if all(part.cells == 0 for part in parts) and sum(len(part.sums) for part in parts) <= EXACT:
        return parts[0] if len(parts) == 1 else Part(0, parts[0].keys, torch.cat([part.sums for part in parts]),
                                                     parts[0].off)
    boxes = [_boxed(part) for part in parts]
    if all(part.cells == FINE for part in boxes):
        fine = regrouped(boxes, FINE)
        if len(fine.sums) <= MOST:
            return fine
        boxes = [fine]
    return regrouped(boxes, COARSE)


def _boxed(part: Part) -> Part:
    if part.cells:
        return part
    place = _place(part.colours.detach(), FINE)
    return Part(FINE, _key(place.floor(), FINE), part.sums, (place - place.floor() > 2 * NUDGE).any(1))


def regrouped(parts: list[Part], cells: int) -> Part:
    """Return the entries of all parts, added up in boxes that are no finer than theirs."""
    keys = torch.cat([_coarser(part.keys, part.cells, cells) for part in parts])
    sums = torch.cat([part.sums for part in parts])
    off = torch.cat([part.off | (part.cells != cells) for part in parts])
    if cells <= COARSE and sums.device.type == "cpu" and not sums.requires_grad:   # counting beats sorting
        counted = [np.bincount(keys.numpy(), column, cells**3) for column in (np.ones(len(keys)), *sums.numpy().T)]
        known = np.flatnonzero(counted[0])
        total = torch.from_numpy(np.stack(counted[1:], 1)[known])
        return Part(cells, torch.from_numpy(known.astype(np.int32)), total, torch.ones(len(known), dtype=torch.bool))
    boxes, place = keys.unique(return_inverse=True)
    return Part(cells, boxes, sums.new_zeros(len(boxes), 4).index_add(0, place, sums),
                off.new_zeros(len(boxes), dtype=torch.int32).index_add(0, place, off.to(torch.int32)) > 0)


def _coarser(keys: Tensor, cells: int, wanted: int) -> Tensor:
    return keys if cells == wanted else _key(_box(keys, cells) // (cells // wanted), wanted)


def gathered(part: Part, share: float) -> Tensor:
    """Return fewer entries (K, 4): boxes are joined, pairs of them along each axis, while they hold little weight.

    Args:
        part: the colours, each once.
        share: of the whole weight; boxes that hold more are not joined, so that no common colour is moved.

    Returns:
        Weight, and weighted red, green, blue, float64.
    """
    most, keys, sums, cells, done = share * part.weight.sum(), part.keys, part.sums, part.cells, []
    while cells > 1 and len(keys):
        joined, place = _coarser(keys, cells, cells // 2).unique(return_inverse=True)
        total = sums.new_zeros(len(joined), 4).index_add(0, place, sums)
        light = total[:, 0] <= most
        done.append(sums[~light[place]])
        keys, sums, cells = joined[light], total[light], cells // 2
    return torch.cat([*done, sums])


class Lattice(NamedTuple):
    """A function of colour, known at the corners of the boxes a picture occupies."""

    cells: int
    table: Tensor
    """((cells + 1)^3,); 0 at corners that nothing needs."""


def corners(part: Part) -> Tensor:
    """Return (T,), the corners that colours within the boxes of `part` are interpolated from, as lattice places."""
    side = part.cells + 1
    needed = torch.zeros(side ** 3, dtype=torch.bool, device=part.keys.device)
    base = _box(part.keys, part.cells).long() @ torch.tensor([side * side, side, 1], device=part.keys.device)
    needed[base] = True
    wide = base[part.off]
    for step in (side * side, side, 1, side * side + side, side * side + 1, side + 1, side * side + side + 1):
        needed[wide + step] = True
    return needed.nonzero()[:, 0]


def lattice(part: Part, places: Tensor, values: Tensor) -> Lattice:
    """Return the lattice that has `values` at `places` (see `corners`)."""
    size = (part.cells + 1) ** 3
    if values.requires_grad or values.device.type != "cpu":
        return Lattice(part.cells, values.new_zeros(size).index_put((places,), values))
    table = torch.from_numpy(np.zeros(size, values.numpy().dtype))   # untouched pages cost nothing
    table[places] = values
    return Lattice(part.cells, table)


def place_colours(places: Tensor, cells: int) -> Tensor:
    """Return the colours (T, 3), float64, of lattice places."""
    return _box(places, cells + 1).double() * (256 / cells / 255)


def interpolate(image: Tensor, known: Lattice) -> Tensor:
    """Look colours up in a lattice, over tetrahedra, so that greys depend on greys alone.

    Args:
        image: (3, H, W), of colours whose boxes are known; what lies outside 0..1 is added by its luminance.
        known: the lattice.

    Returns:
        (1, H, W).
    """
    wants = torch.is_grad_enabled() and (image.requires_grad or known.table.requires_grad)
    if image.dtype == torch.float32 and image.device.type == "cpu" and not wants:
        return _kernel_look_up(image, known)
    flat, side, cells = image.flatten(1).T, known.cells + 1, known.cells
    inside = flat.clamp(0, 1)
    base = _place(inside.detach(), cells).floor()
    share = inside * (255 * cells / 256) - base
    share = torch.where(share > NUDGE, share, 0)
    share, order = share.sort(1, descending=True)
    steps = torch.tensor([side * side, side, 1], device=image.device)
    walk = (base.long() @ steps)[:, None] + torch.cat([torch.zeros_like(order[:, :1]), steps[order].cumsum(1)], 1)
    value = known.table[walk]
    result = value[:, 0] + (share * value.diff(dim=1)).sum(1)
    return (result + (flat - inside) @ flat.new_tensor(OUTSIDE)).reshape(1, *image.shape[1:])


def _kernel_look_up(image: Tensor, known: Lattice) -> Tensor:
    planes = [plane.contiguous().reshape(-1).numpy() for plane in image.detach()]
    out = torch.empty(1, *image.shape[1:])
    result, table = out.view(-1).numpy(), known.table.detach().float().numpy()
    kernel = load("colours").look_up_lattice
    parallel_rows(lambda start, stop: kernel(*(plane[start:stop] for plane in planes), table, known.cells,
                                             result[start:stop]), 0, result.size, 1 << 16)
    return out

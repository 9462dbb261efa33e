"""Grey that keeps what colours differ in, over the whole picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import torch
from torch import Tensor

from photochrom.color.lab import lab_to_rgb, rgb_to_lab
from photochrom.core.op import Measured, op
from photochrom.core.types import Image, Range
from photochrom.num.colours import (
    COARSE,
    MOST,
    Colours,
    Lattice,
    Part,
    colours_of,
    corners,
    gathered,
    interpolate,
    lattice,
    place_colours,
    regrouped,
)
from photochrom.num.signed import Rule, signed_sums

_EXACT = 16384
"""Up to this many colours every pair of them is looked at."""
_SHARE = 2e-4
"""Of more colours those that make up less than this of the picture are gathered with their neighbours."""
_PAIRS = 600_000_000
"""Pairs of colours that are worth their time: a fifth of a second on two cores."""


def _measure(picture: Tensor, weights: Tensor | None = None, *, theta: float = 45.0, bound: float = 10.0) -> Colours:
    return colours_of(picture, weights)


def _lab(colours: Tensor) -> Tensor:
    """Convert colours (K, 3), RGB, to CIELAB."""
    return rgb_to_lab(colours.T[None, :, None])[0, :, 0].T


def _grey(light: Tensor) -> Tensor:
    """Return the encoded greys (K,) of a CIELAB lightness."""
    flat = torch.zeros_like(light)
    return lab_to_rgb(torch.stack([light, flat, flat])[None, :, None])[0, 1, 0]


def _greys(colours: Tensor, sums: Tensor, rule: Rule, dtype: torch.dtype) -> Tensor:
    """Return the grey (T,) that each of `colours` (T, 3) takes in a picture.

    `sums` (K, 4) are the weights of the picture's colours, and weighted red, green, blue.

    With f = sum over pairs of ((g_i - g_j) - delta_ij)^2 and delta_ij = -delta_ji, the slope of f in g_i is 0 for
    g_i = mean of g + mean over j of delta_ij; the mean of g, which f leaves free, is that of the lightness.
    """
    sums = sums[sums[:, 0] > 0]
    weight = sums[:, 0]
    lab, own = _lab(sums[:, 1:] / weight[:, None]), _lab(colours.double())
    if len(weight) == 0:   # nothing counts: lightness
        return _grey(own[:, 0]).to(dtype)
    share = weight / weight.sum()
    ask = signed_sums(own.to(dtype), lab.to(dtype), share.to(dtype), rule)
    return _grey(share @ lab[:, 0] + ask.double()).to(dtype)


def _table(part: Part, rule: Rule, dtype: torch.dtype) -> Lattice:
    """Solve for the corners of all boxes that hold colours."""
    places = corners(part)
    if part.cells > COARSE and len(places) > MOST:
        part = regrouped([part], COARSE)
        places = corners(part)
    sums, share = part.sums, _SHARE
    if len(sums) > _EXACT:
        sums = gathered(part, share)
    while len(places) * len(sums) > _PAIRS and share < 1:
        share *= 2
        sums = gathered(part, share)
    return lattice(part, places, _greys(place_colours(places, part.cells), sums, rule, dtype))


def _apply(image: Tensor, statistics: Mapping[str, Colours], *, theta: float = 45.0, bound: float = 10.0) -> Tensor:
    known, rule = statistics["image"], Rule(theta, bound)
    wide = torch.float64 if image.dtype == torch.float64 else torch.float32
    pictures = []
    for index, picture in enumerate(image):
        part = known.settled(index)
        if part.cells == 0:
            flat = picture.flatten(1).T.double()
            pictures.append(_greys(flat, part.sums, rule, torch.float64).reshape(1, *picture.shape[1:]))
            continue
        if part.sums.requires_grad and torch.is_grad_enabled():
            table = _table(part, rule, wide)
        else:
            table = known.keep((index, rule, wide), lambda part=part: _table(part, rule, wide))   # type: ignore
        pictures.append(interpolate(picture.to(wide), table))
    return torch.stack(pictures).to(image.dtype)


@op(reach="image", channels=3, gives=1, measured=Measured(_measure, _apply))
def color2gray(image: Image, *,
               theta: Annotated[float, Range(-360, 360, soft=(0, 360), unit="deg")] = 45.0,
               bound: Annotated[float, Range(0.01, 200, soft=(1, 50), scale="log")] = 10.0) -> Tensor:
    """Turn a picture grey so that colours of one lightness stay apart.

    Every pair of pixels asks for a difference in grey: that of its lightness in CIELAB or, where its chroma differs
    more, that of the chroma, which makes warm colours lighter and cool ones darker. The greys that meet all pairs
    best, by least squares, have a closed form. Up to 16384 colours of 8 bits are solved exactly and up to 65536 within
    a third of an 8-bit level. Of more, or of more than 8 bits, colours are gathered in boxes of four levels: on a
    photograph of 367109 colours that moved greys by 0.02 of a level on average, one in a thousand by a level, and the
    worst by two, where a frequent colour is on the edge between two decisions.
    A grey picture stays as it is.

    Args:
        image: (B, 3, H, W), sRGB-encoded.
        theta: the hue, in degrees from a (red) towards b (yellow), that becomes lighter; its opposite becomes darker.
        bound: alpha of the paper: the largest difference of lightness, of 0 to 100, that chroma may make.

    Returns:
        (B, 1, H, W), sRGB-encoded grey whose mean CIELAB lightness is that of the image; values may leave [0, 1].

    Raises:
        ControlError: a picture without three channels, or a control outside its range.

    Reference:
        Gooch, Olsen, Tumblin, Gooch: Color2Gray: salience-preserving color removal. ACM TOG 24(3), 2005.
        Differs from the paper in how the same objective is minimised, in that a pair exactly across theta keeps its
        difference of lightness, and in the neighbourhood, which is the whole picture; `color2gray_local` has a window.

    Example:
        >>> import torch
        >>> image = torch.tensor([[0.7, 0.2], [0.3, 0.5], [0.3, 0.6]])[None, :, None]
        >>> [round(v, 3) for v in color2gray(image).flatten().tolist()]
        [0.496, 0.398]
    """
    return _apply(image, {"image": _measure(image)}, theta=theta, bound=bound)

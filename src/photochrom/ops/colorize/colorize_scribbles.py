"""Colour from a few strokes."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Image, Layer, Matrix, Range, Weights
from photochrom.num.affinity import affinities
from photochrom.num.poisson import check_finite, solve_well
from photochrom.num.solve import GridSystem
from photochrom.num.strokes import dotted, drawn

_Y = (0.299, 0.587, 0.114)
"""The luminance of YIQ, in which the paper works. Its chroma may be spread in any basis: the equations are linear."""
_TOLERANCE = {("square", torch.float32): 2e-4, ("cross", torch.float32): 2e-5}
"""Of the chroma. With four neighbours pixels may hang together by threads, where the estimate of the error is low."""


@op(reach="image", channels=3, gives=3)
def colorize_scribbles(image: Image, scribbles: Layer = None, scribbles_mask: Weights = None, *,
                       dots: Matrix | None = None,
                       threshold: Annotated[float, Range(0, 3, soft=(0, 0.5))] = 0.01,
                       solid: Annotated[float, Range(0, 1)] = 0.75,
                       weighting: Literal["exponential", "correlation"] = "exponential",
                       spread: Annotated[float, Range(0.01, 100, soft=(0.1, 4), scale="log")] = 0.6,
                       neighbourhood: Literal["square", "cross"] = "square",
                       hints: Literal["hard", "soft"] = "hard",
                       firmness: Annotated[float, Range(0.001, 1000, soft=(0.01, 10), scale="log")] = 1.0) -> Tensor:
    """Colour a grey picture from a few strokes of colour drawn over it, or from single dots.

    The chroma of every pixel that is not marked is a mean of that of its neighbours, and the more alike their luminance
    is to its own, the more they count. So colour spreads from the strokes and stops where the light changes. Every
    stroke shows somewhere; where strokes of different colours meet on an even ground, the colours between them pass
    gradually into each other, and no chroma lies outside the range of those marked.

    Args:
        image: (B, 3, H, W), sRGB-encoded; a grey one as a rule. Of a coloured one only the luminance stays.
        scribbles: (B or 1, 3, H, W), the image with strokes drawn on it; or a transparent layer with the strokes alone.
            Without them there must be dots.
        scribbles_mask: (B or 1, 1, H, W), where the strokes are, from 1/2 upwards: the transparency of a layer. Where
            nothing is transparent, strokes are found by their difference to the image.
        dots: rows x, y, red, green, blue: single pixels and their colour, in pixels and 0..1. They are drawn over the
            strokes, and over each other in their order.
        threshold: how much a marked pixel differs from the image, summed over the channels.
        solid: what becomes of the soft edge of a stroke that is found by its difference: a pixel counts if its chroma
            has changed at least so many times as much as that of any within 2 pixels; 0 takes all, as the paper does.
            Needed because a faint edge around a stroke holds its colour in.
        weighting: how alike two pixels are: by the exponential of the squared difference of their luminance, or by
            their correlation in the window, where what is opposed does not count at all.
        spread: the denominator of the exponential, in variances of the window; 2 in the paper, 0.6 in its authors'
            code.
        neighbourhood: the eight pixels around, or the four that share an edge.
        hints: `hard` strokes keep their chroma, `soft` ones only pull towards it.
        firmness: how much the chroma of a soft stroke counts beside the neighbours, which count 1 together.

    Returns:
        (B, 3, H, W), same encoding. The luminance, in the weights of YIQ, is that of the image. Chroma that would leave
        [0, 1] is reduced with hue and luminance fixed; where luminance lies outside, there is none. What no stroke can
        reach is grey.

    Raises:
        ControlError: scribbles of another size, neither a stroke nor a dot, a dot outside the picture or without a
            colour of 0..1, or a value that is not finite.
        SolverError: the equations were not solved within the bound on the solver's rounds.

    Reference:
        Levin, Lischinski, Weiss: Colorization using optimization. ACM TOG 23(3), 2004.

    Example:
        >>> import torch
        >>> grey = torch.full((1, 3, 5, 8), 0.5)
        >>> grey[..., 4:] = 0.7
        >>> marked = grey.clone()
        >>> marked[..., 2, 1] = torch.tensor([0.9, 0.4, 0.2])
        >>> marked[..., 2, 6] = torch.tensor([0.2, 0.4, 0.9])
        >>> made = colorize_scribbles(grey, marked)
        >>> [round(v, 1) for v in made[0, 0, 0].tolist()]
        [0.9, 0.9, 0.9, 0.9, 0.6, 0.6, 0.6, 0.6]
    """
    work = image.to(torch.float64 if image.dtype == torch.float64 else torch.float32)
    check_finite("colorize_scribbles", "image", work)
    weights = work.new_tensor(_Y)[:, None, None]
    marks = torch.zeros_like(work[:1]) if scribbles is None else scribbles.to(work)
    marked = _strokes(work, marks, scribbles_mask, weights, threshold, solid, scribbles is None)
    if dots is not None:
        over, here = _dots(dots, work)
        marks, marked = torch.where(here, over, marks), marked | here
    if not bool(marked.flatten(1).any(1).all()):
        raise ControlError(f"colorize_scribbles: scribbles must hold at least one stroke, a part that differs from the "
                           f"image by more than threshold {threshold:g} or is opaque in a layer, or there must be "
                           "dots; got none")
    luminance = (work * weights).sum(1, keepdim=True)
    colour = marks - (marks * weights).sum(1, keepdim=True)
    hint = torch.where(marked, colour[:, ::2], 0)   # red and blue less luminance; green follows
    found = []
    for k in range(len(work)):
        own, wanted = marked[min(k, len(marked) - 1), 0], hint[min(k, len(hint) - 1)][None]
        alike = affinities(luminance[k, 0], spread=spread, correlation=weighting == "correlation",
                           cross=neighbourhood == "cross")
        if hints == "hard":
            system, right, held = GridSystem(~own, alike), torch.zeros_like(wanted), wanted
        else:
            pull = firmness * own.to(wanted)
            system, right, held = GridSystem(torch.ones_like(own), alike, pull), pull * wanted, None
        found.append(solve_well("colorize_scribbles", system, right, boundary=held,
                                tolerance=_TOLERANCE.get((neighbourhood, work.dtype), 1e-12)))
    return _coloured(luminance, torch.cat(found)).to(image.dtype)


def _strokes(image: Tensor, marks: Tensor, mask: Tensor | None, weights: Tensor, threshold: float, solid: float,
             none: bool) -> Tensor:
    """Return where strokes are, (B or 1, 1, H, W), bool."""
    if none:
        return torch.zeros_like(image[:1, :1], dtype=torch.bool)
    if marks.shape[-2:] != image.shape[-2:]:
        raise ControlError(f"colorize_scribbles: scribbles must have the size of the image, {image.shape[-1]} x "
                           f"{image.shape[-2]} pixels, got {marks.shape[-1]} x {marks.shape[-2]}")
    if marks.shape[0] not in (1, image.shape[0]):
        raise ControlError(f"colorize_scribbles: {marks.shape[0]} scribbles do not fit a batch of {image.shape[0]}")
    if mask is not None and bool((mask < 0.5).any()):
        marked = mask[:, :1] >= 0.5
        check_finite("colorize_scribbles", "scribbles", torch.where(marked, marks, 0))
        return marked
    check_finite("colorize_scribbles", "scribbles", marks)
    return drawn(image, marks, weights, threshold, solid)


def _dots(dots: tuple[tuple[float, ...], ...], image: Tensor) -> tuple[Tensor, Tensor]:
    """Return dots as a picture and where it is; see `dotted`."""
    height, width = image.shape[-2:]
    for number, row in enumerate(dots, 1):
        if len(row) != 5 or not all(0 <= value <= 1 for value in row[2:]):
            raise ControlError("colorize_scribbles: dots must be rows x, y, red, green, blue with colours of 0..1, got "
                               f"{', '.join(f'{value:g}' for value in row)} in row {number}")
        if not (0 <= row[0] < width and 0 <= row[1] < height):
            raise ControlError(f"colorize_scribbles: dots must lie in the picture, {width} x {height} pixels, got "
                               f"{row[0]:g},{row[1]:g} in row {number}")
    return dotted(image.new_tensor(dots), height, width)


def _coloured(luminance: Tensor, chroma: Tensor) -> Tensor:
    """Return the colours of a luminance and of red and blue less it, brought into [0, 1] towards grey."""
    red, blue = chroma[:, :1], chroma[:, 1:]
    green = -(_Y[0] * red + _Y[2] * blue) / _Y[1]
    above, below = torch.maximum(torch.maximum(red, green), blue), -torch.minimum(torch.minimum(red, green), blue)
    share = torch.minimum(_share(above, 1 - luminance), _share(below, luminance))
    return torch.cat([luminance + share * part for part in (red, green, blue)], 1)


def _share(size: Tensor, room: Tensor) -> Tensor:
    """Return how much of a size there is room for, 0..1."""
    room = room.clamp(min=0)
    return torch.where(size > room, room / torch.where(size > 0, size, 1), 1)

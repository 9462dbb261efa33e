"""A pencil drawing."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Border, Image, Range
from photochrom.num.bands import gaussian_halo, gaussian_kernel, separable
from photochrom.num.histograms import luminance

_BLACK = 0.1
"""Light added to both sides of the quotient: without it the noise of dark parts would be drawn as heavily as edges."""


@op(reach="window", halo=gaussian_halo, gives=1)
def sketch(image: Image, *,
           sigma: Annotated[float, Range(0.3, 30, soft=(1, 10), scale="log", unit="px")] = 4.0,
           darkness: Annotated[float, Range(0, 20, soft=(0.5, 4))] = 3.0,
           shade: Annotated[float, Range(0, 1)] = 0.15,
           border: Border = "reflect") -> Tensor:
    """Draw a picture in pencil: edges as strokes on white paper, with a little shading.

    Where a pixel is darker than its surroundings, a stroke is drawn, the darker the greater the quotient of both:
    s = min(1, (r + 0.1) / (blur(r) + 0.1))^darkness. The dark side of every edge becomes a line, flat parts stay paper.

    Args:
        image: (B, C, H, W), encoded; of three channels the luminance is taken, of others the mean.
        sigma: standard deviation of the surroundings in pixels; fine strokes or broad ones.
        darkness: how hard the pencil is pressed.
        shade: how much of the picture's own light and dark lies under the strokes; 0 is white paper.
        border: what lies outside the picture.

    Returns:
        (B, 1, H, W), 0..1, encoded.

    Raises:
        ControlError: a control outside its range.

    Reference:
        None: the studio practice of dodging a picture by its own blurred negative, written as a quotient. For its
        relatives see Winnemoeller, Kyprianidis, Olsen: XDoG. Computers & Graphics 36(6), 2012.

    Example:
        >>> import torch
        >>> sketch(torch.full((1, 3, 9, 9), 0.5), shade=0.0).mean().item()
        1.0
    """
    wide = image.to(torch.float64 if image.dtype == torch.float64 else torch.float32)
    grey = luminance(wide).clamp(0, 1)
    kernel = gaussian_kernel(sigma)
    around = separable(grey, kernel, kernel, border)
    strokes = ((grey + _BLACK) / (around.clamp(min=0) + _BLACK)).clamp(max=1 - 1e-6) ** darkness
    strokes = torch.where(strokes > 0.995, 1.0, strokes)
    paper = 1 - shade * (1 - grey)
    return (strokes * paper).to(image.dtype)

"""Smoothing that keeps edges, by weighted least squares."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.num.affinity import edge_stops
from photochrom.num.histograms import luminance
from photochrom.num.poisson import check_finite, solve_well
from photochrom.num.solve import GridSystem

_DARK = 1e-4
"""Added before the logarithm, as in the authors' code."""
_TOLERANCE = {torch.float32: 3e-5, torch.float64: 1e-12}


@op(reach="image", copies=20)
def smooth_wls(image: Image, *,
               smoothing: Annotated[float, Range(0, 1000, soft=(0.01, 10))] = 1.0,
               exponent: Annotated[float, Range(1, 4, soft=(1, 2))] = 1.2,
               detail: Annotated[float, Range(0, 10, soft=(0, 3), neutral=1)] = 0.0) -> Tensor:
    """Smooth a picture without blurring its edges; or boost the detail that such smoothing takes away.

    The result stays near the picture and changes little from pixel to pixel, except where the picture's own luminance
    does: minimises sum (u - g)^2 + smoothing sum (u_p - u_q)^2 / (|l_p - l_q|^exponent + 0.0001), l the logarithm of
    luminance. Every channel is smoothed by the same weights, so that no edge gets a coloured fringe.

    Args:
        image: (B, C, H, W), any encoding, of any range; luminance below 0 counts as 0.
        smoothing: lambda of the paper, the weight of smoothness; 0 changes nothing.
        exponent: alpha of the paper: the greater, the more small changes are smoothed and large ones kept.
        detail: gain of what the smoothing takes away; 0 removes it, 1 changes nothing, more boosts it.

    Returns:
        (B, C, H, W), same encoding; the mean of each channel stays. With `detail` above 1 values may leave [0, 1].

    Raises:
        ControlError: a value that is not finite.
        SolverError: the equations were not solved within the bound on the solver's rounds.

    Reference:
        Farbman, Fattal, Lischinski, Szeliski: Edge-preserving decompositions for multi-scale tone and detail
        manipulation. ACM TOG 27(3), 2008.

    Example:
        >>> import torch
        >>> step = torch.tensor([0.2, 0.22, 0.2, 0.8, 0.82, 0.8]).expand(1, 1, 4, 6)
        >>> [round(v, 2) for v in smooth_wls(step)[0, 0, 0].tolist()]
        [0.29, 0.3, 0.31, 0.71, 0.72, 0.72]
    """
    if smoothing == 0 or detail == 1:
        return image.clone()
    check_finite("smooth_wls", "image", image)
    work = image.to(torch.float64 if image.dtype == torch.float64 else torch.float32).contiguous()
    light = (luminance(work).clamp(min=0) + _DARK).log()
    found = []
    for picture, plane in zip(work.split(1), light, strict=True):
        everywhere = torch.ones(picture.shape[-2:], dtype=torch.bool, device=picture.device)
        system = GridSystem(everywhere, smoothing * edge_stops(plane[0], exponent), 1.0)
        found.append(solve_well("smooth_wls", system, picture, start=picture.detach(),
                                tolerance=_TOLERANCE[work.dtype]))
    base = torch.cat(found)
    return (base if detail == 0 else base + detail * (work - base)).to(image.dtype)

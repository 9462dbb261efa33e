"""The response curve of a camera."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import torch
from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Images, Port, Range
from photochrom.num.exposures import fog as find_fog
from photochrom.num.exposures import solve_response
from photochrom.ops.hdr._stack import Fog, log_times, sampled
from photochrom.ops.hdr._tables import table

LEVELS = 256
_SAMPLES = 2048
"""Pixels that are compared: hundreds to a level, and still solved in a moment."""
Times = Annotated[Tensor | None, Port(kind="numbers", optional=True)]


class Response(NamedTuple):
    """How a camera answers to light."""

    log_exposure: Tensor
    """(C, 256): the natural logarithm of the exposure (light times seconds) that gives each level; 0 at the middle."""


@op(reach="image")
def response_curve(images: Images, times: Times = None, *,
                   smoothness: Annotated[float, Range(0.01, 10000, soft=(1, 500), scale="log")] = 50.0,
                   fog: Fog = "find") -> Response:
    """Find the response curve of a camera from pictures of one scene with different exposure times.

    Where a pixel has level a at one time and level b at twice that, the exposures of a and b are a factor of two apart.
    All such facts together, weighted towards the middle levels, and a smooth curve, are a least-squares problem.

    Args:
        images: the exposures, each (B, C, H, W) of one size, encoded as the camera made them; a batch is of one camera.
        times: (N,), exposure times in seconds.
        smoothness: weight of the curve's second differences; more for noisy pictures.
        fog: `find` leaves out the dark levels that do not grow with time, as scanned film has them; `none` trusts all.

    Returns:
        `log_exposure`, one curve a channel, 256 levels over 0..1. `merge_hdr` takes it, flattened. Levels that no
        picture has follow the smoothness, and where the pictures tell nothing (all black, all white), the sRGB curve.

    Raises:
        ControlError: times that are missing, not above 0, or all equal; pictures of several sizes.

    Reference:
        Debevec, Malik: Recovering High Dynamic Range Radiance Maps from Photographs. SIGGRAPH 1997, eq. 3.
        Differs from the paper in the samples: 2048 pixels of a regular grid, their radiances eliminated.

    Example:
        >>> import torch
        >>> scene = torch.linspace(0.02, 4, 900).reshape(1, 1, 30, 30)
        >>> pictures = [(scene * t).clamp(0, 1) ** 0.5 for t in (0.25, 0.5, 1, 2)]
        >>> found = response_curve(pictures, torch.tensor([0.25, 0.5, 1, 2]), smoothness=1).log_exposure[0]
        >>> round((found[200] - found[100]).exp().item(), 1)   # (200 / 100)^2
        4.0
    """
    logs = log_times("response_curve", times, len(images))
    if float(logs.max() - logs.min()) < 1e-6:
        raise ControlError(f"response_curve needs exposures of at least two different times, got {len(images)} of "
                           f"{float(logs[0].exp()):g} s")
    stack = sampled(images, _SAMPLES)
    logs = logs.to(stack.device)
    black = find_fog(stack, logs).tolist() if fog == "find" else [0.0] * len(stack)
    prior = table("srgb", LEVELS)[0].to(stack.device)
    curves = [solve_response(channel, logs, LEVELS, smoothness, prior, least)
              for channel, least in zip(stack, black, strict=True)]
    return Response(torch.stack(curves).to(images[0]))

"""Radiance from several exposures."""

from __future__ import annotations

import torch
from torch import Tensor

from photochrom.color.srgb import linear_to_srgb
from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Images
from photochrom.num.exposures import fog as find_fog
from photochrom.num.exposures import radiance
from photochrom.num.strips import pointwise
from photochrom.ops.hdr._stack import Fog, aligned, log_times, sampled
from photochrom.ops.hdr._tables import Assumed, table
from photochrom.ops.hdr.response_curve import Times, response_curve

_SAMPLES = 2048
"""Pixels in which fog is looked for."""
_MOST = 88.0
"""exp of more is infinite in float32."""


@op(reach="image")
def merge_hdr(images: Images, times: Times = None, response: Times = None, *,
              assume: Assumed = "nothing",
              fog: Fog = "find",
              align: bool = False) -> Tensor:
    """Merge pictures of one scene with different exposure times to one of its radiance.

    Each picture tells the light of the pixels it neither clips nor drowns. Their logarithms are averaged, weighted
    towards the middle levels, which are the most exact. The result has the whole range of the scene: write it as
    OpenEXR or Radiance HDR, or give it to `tonemap`.

    Args:
        images: the exposures, each (B, C, H, W) of one size, encoded as the camera made them; outside 0..1 is clipped.
        times: (N,), exposure times in seconds, one for each picture.
        response: (levels,) or (C levels,), `response_curve` of the camera: ln exposure of each level.
        assume: what is known of the camera where no response is given: `nothing` (the curve is found from the pictures,
            which takes two times or more), `srgb` or `linear`.
        fog: `find` takes for black the dark levels that do not grow with time, as scanned film has them, up to a
            quarter of white; `none` takes 0 alone.
        align: move hand-held pictures onto each other first (by up to 64 pixels; see `align_exposures`).

    Returns:
        (B, C, H, W), the radiance, sRGB-encoded with open range as every picture here, so that a file of linear light
        holds the radiance itself. Light that gives the middle level in one second has radiance 1; for `srgb` and
        `linear`, light that gives white in one second. Where all pictures are black or white, the radiance is the bound
        they leave: black in the longest of the black ones, white in the shortest of the white ones, the mean of the two
        logarithms if there are both. It is always finite and above 0.

    Raises:
        ControlError: times that are missing, too few, too many or not above 0; equal times and no response; pictures of
            several sizes; a response of the wrong length.

    Reference:
        Debevec, Malik: Recovering High Dynamic Range Radiance Maps from Photographs. SIGGRAPH 1997, eq. 6.

    Example:
        >>> import torch
        >>> pictures = [torch.full((1, 1, 1, 1), value) for value in (0.2, 0.4)]
        >>> merged = merge_hdr(pictures, torch.tensor([1.0, 2.0]), assume="linear")
        >>> round(((merged.item() + 0.055) / 1.055) ** 2.4, 4)   # decoded
        0.2
    """
    logs = log_times("merge_hdr", times, len(images))
    exposures = aligned(images) if align else images
    first = exposures[0]
    if response is not None:
        tables = _given(response, first.shape[1])
    elif assume != "nothing":
        tables = table(assume)
    elif float(logs.max() - logs.min()) < 1e-6:
        raise ControlError(f"merge_hdr cannot find the camera's response from {len(images)} picture(s) of one exposure "
                           "time; give a response, or assume srgb or linear")
    else:
        tables = response_curve.operation.function(exposures, times, fog=fog).log_exposure   # type: ignore[attr-defined]
    wide = [part if part.dtype in (torch.float32, torch.float64) else part.float() for part in exposures]
    found = radiance(wide, logs, tables, _black(wide, logs, fog))
    return pointwise(lambda part: linear_to_srgb(part.clamp(-_MOST, _MOST).exp()), found,
                     reuse=not found.requires_grad).to(first.dtype)


def _black(exposures: list[Tensor], logs: Tensor, fog: Fog) -> Tensor:
    if fog == "none":
        return torch.zeros(exposures[0].shape[1])
    return find_fog(sampled(exposures, _SAMPLES), logs.to(exposures[0].device))


def _given(response: Tensor, channels: int) -> Tensor:
    per = len(response) // channels if len(response) % channels == 0 and len(response) // channels in _USUAL else 0
    levels = per or len(response)
    if levels < 2 or not bool(response.isfinite().all()):
        raise ControlError(f"merge_hdr: response must be finite and hold the curve's levels, one curve or one for each "
                           f"of the {channels} channels, got {len(response)} numbers")
    return response.reshape(-1, levels)


_USUAL = {2 ** bits for bits in range(1, 17)}
"""Numbers of levels by which a curve for each channel is told from one curve for all."""

"""The dynamic range of a picture."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import torch
from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image, Range
from photochrom.num.tones.light import luminance
from photochrom.ops.hdr._light import decoded

_SHARES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


class DynamicRange(NamedTuple):
    """Luminance of a picture in linear light; every field has one entry a picture."""

    stops: Tensor
    """(B,): doublings from the darkest to the lightest, both without the share left out; 0 where nothing is lit."""
    darkest: Tensor
    """(B,): the luminance at the lower end."""
    lightest: Tensor
    """(B,): at the upper end."""
    mean: Tensor
    """(B,): the log-average of all that is lit."""
    black: Tensor
    """(B,): the share of pixels without light, which count for nothing else."""
    percentiles: Tensor
    """(B, 9): luminance below which lie 0, 1, 5, 25, 50, 75, 95, 99, 100 per cent of the lit pixels."""


@op(reach="image")
def dynamic_range(image: Image, *,
                  clipped: Annotated[float, Range(0, 20, soft=(0, 2), unit="%")] = 0.1) -> DynamicRange:
    """Tell how many stops lie between the darkest and the lightest parts of a picture.

    The picture is decoded to linear light; a stop is a doubling of luminance. A photograph of 8 bits holds at most
    about 12, a display shows 8 to 10, a church with sunlit windows has 17 and more. Pixels without light are counted
    apart: their logarithm has no value.

    Args:
        image: (B, C, H, W), sRGB-encoded, range open upwards.
        clipped: the share of lit pixels, in %, left out at either end, so that a few do not decide.

    Returns:
        `stops`, `darkest`, `lightest`, `mean`, `black` and `percentiles`, in linear light.

    Raises:
        ControlError: a control outside its range.

    Reference:
        ISO 22028-1:2016 for luminance ratios of scenes; Reinhard et al. 2002, eq. 1, for the log-average.

    Example:
        >>> import torch
        >>> dynamic_range(torch.tensor([0.0, 0.5, 1.0]).reshape(1, 1, 1, 3), clipped=0).stops.round(decimals=3).tolist()
        [2.224]
    """
    lum = luminance(decoded(image)).flatten(1).double()
    rows = [_of(part, clipped / 100) for part in lum]
    return DynamicRange(*(torch.stack(parts).to(image.device) for parts in zip(*rows, strict=True)))


def _of(values: Tensor, share: float) -> tuple[Tensor, ...]:
    lit = values[values > 0].sort().values
    black = 1 - lit.numel() / values.new_tensor(values.numel())
    if not lit.numel():
        nothing = values.new_zeros(())
        return nothing, nothing, nothing, nothing, black, values.new_zeros(len(_SHARES))
    last = lit.numel() - 1
    low, high = lit[round(share * last)], lit[round((1 - share) * last)]
    percentiles = lit[torch.tensor([round(part * last) for part in _SHARES], device=lit.device)]
    return (high / low).log2(), low, high, lit.log().mean().exp(), black, percentiles

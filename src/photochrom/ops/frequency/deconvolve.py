"""Undoing a blur."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from photochrom.color.srgb import linear_to_srgb, srgb_to_linear
from photochrom.core.op import op
from photochrom.core.types import Image, Kernel, Range, Space
from photochrom.num import frequency
from photochrom.ops.filter._named import weights_of
from photochrom.ops.frequency._pass import as_it_is, through


@op(reach="image", copies=18, on_alpha=as_it_is, light=(srgb_to_linear, linear_to_srgb))
def deconvolve(image: Image, *,
               kernel: Kernel | Tensor = "gaussian",   # type: ignore[assignment]
               noise: Annotated[float, Range(0, 10, soft=(1e-5, 0.1))] = 0.001,
               mirror: bool = True,
               space: Space = "encoded") -> Tensor:
    """Undo a known blur, as far as the noise allows: the Wiener filter.

    The spectrum is multiplied by conj(H) / (|H|^2 + noise), H being that of the kernel: what the blur weakened is
    strengthened again, what it drowned in noise is left. Too little `noise` brings out grain and rings, too much leaves
    the blur. A defocus or a shake mixes light, so use `space = "linear"` for photographs. NaN spreads over the picture.

    Args:
        image: (B, C, H, W).
        kernel: the blur, as for `convolve`: rows, a tensor (kh, kw) that may have a gradient, or a name.
        noise: power of the noise divided by that of the picture; 0 is the inverse filter, 0 where nothing is left.
        mirror: outside lies the mirror image, the edge pixel not repeated; without, the other side.
        space: `linear` works on light; `encoded` on the values of the file.

    Returns:
        (B, C, H, W), same encoding; values may leave [0, 1] beside edges.

    Raises:
        ControlError: no such kernel, or one without rows or columns.

    Reference:
        Gonzalez, Woods: Digital Image Processing, 4th ed., section 5.8. The mean is kept: the filter is divided by its
        value at frequency 0, unless the kernel has no mean. Differs from the book in that.

    Example:
        >>> import torch
        >>> dot = torch.zeros(1, 1, 16, 16)
        >>> dot[..., 8, 8] = 1
        >>> row = ((0.25, 0.5, 0.25),)
        >>> blurred = torch.nn.functional.conv2d(dot, torch.tensor(row)[None, None], padding=(0, 1))
        >>> round(deconvolve(blurred, kernel=row, noise=1e-4)[0, 0, 8, 8].item(), 2)
        0.93
    """
    weights = weights_of(kernel, "deconvolve")
    made = weights if isinstance(weights, Tensor) else torch.from_numpy(weights)
    made = made.to(device=image.device, dtype=torch.float64)
    rows, columns = made.shape
    border: frequency.Ring = "reflect" if mirror else "circular"
    height, width = (frequency.period(n, border) for n in image.shape[-2:])
    response = frequency.transfer(made, (height, width), (rows // 2, columns // 2))
    wanted = frequency.wiener(response, noise)
    mean = response[0, 0].abs() ** 2
    if float(mean.detach()) > 0:
        wanted = wanted * ((mean + noise) / mean)
    return through(image, lambda fy, fx: wanted, mirror, space)

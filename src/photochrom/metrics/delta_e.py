"""Mean colour difference."""

from __future__ import annotations

import torch  # noqa: F401  for the example
from torch import Tensor

from photochrom.color.delta_e import delta_e_2000
from photochrom.color.lab import rgb_to_lab
from photochrom.core.errors import ControlError
from photochrom.metrics.pairs import Rounding, prepare
from photochrom.metrics.protocol import Protocol
from photochrom.metrics.running import Running


def delta_e(image: Tensor, reference: Tensor, *, border: int = 0, rounding: Rounding = "none") -> Tensor:
    """Return the mean CIEDE2000 difference of pictures to their references; 1 is about the least that is seen.

    Args:
        image: (B, 3, H, W), sRGB, display range 0..1.
        reference: likewise.
        border: pixels left out on every side.
        rounding: "8-bit" compares whole levels.

    Returns:
        (B,). Differentiable where colours differ.

    Raises:
        ControlError: sizes, ranges or values that do not fit; not three channels.

    Reference:
        Sharma, Wu, Dalal: The CIEDE2000 color-difference formula. Color Research & Application 30(1), 2005.

    Example:
        >>> red, rose = (torch.tensor(c).reshape(1, 3, 1, 1) for c in ((1.0, 0.0, 0.0), (1.0, 0.1, 0.1)))
        >>> round(delta_e(rose, red).item(), 2)
        2.34
    """
    x, y = prepare("delta_e", image, reference, "all", border, rounding)
    if x.shape[1] != 3:
        raise ControlError(f"delta_e: pictures must have three channels, got {x.shape[1]}")
    apart: Tensor = delta_e_2000(rgb_to_lab(x), rgb_to_lab(y))
    return apart.flatten(1).mean(1)


class DeltaE(Running):
    """The mean CIEDE2000 difference of many pictures; settings as of `delta_e`."""

    def __init__(self, border: int = 0, rounding: Rounding = "none") -> None:
        """Score as `delta_e` does with the same settings."""
        super().__init__(Protocol.of("delta_e", formula="CIEDE2000", white="D65", border=border, rounding=rounding),
                         lambda image, reference: delta_e(image, reference, border=border, rounding=rounding))



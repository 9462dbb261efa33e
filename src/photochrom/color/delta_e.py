"""Differences of colours: CIE 1976, CIE 1994 and CIEDE2000."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from photochrom.color._pixels import compare, hue, length, root

# CIE 116:1995: the unit of lightness, and the weights of chroma in S_C and S_H
_FIELDS = {"graphic": (1.0, 0.045, 0.015), "textiles": (2.0, 0.048, 0.014)}


def delta_e_76(image: Tensor, reference: Tensor) -> Tensor:
    """Return the distance of two pictures in CIELAB. Its slope is 0 where they are equal.

    Args:
        image: (B, 3, H, W), CIELAB.
        reference: (B or 1, 3, H, W), CIELAB.

    Returns:
        (B, 1, H, W): 0 where equal, about 2.3 where a difference is just seen.

    Raises:
        ValueError: not two floating pictures of three channels and one size.

    Reference:
        CIE 15:2004, 8.2.1.

    Example:
        >>> one, two = torch.tensor([50.0, 3, 0]).reshape(1, 3, 1, 1), torch.tensor([50.0, 0, 4]).reshape(1, 3, 1, 1)
        >>> delta_e_76(one, two).item()
        5.0
    """
    return compare("delta_e_76", image, reference, lambda a, b: root((a - b).square().sum(1, keepdim=True)))


def delta_e_94(image: Tensor, reference: Tensor, field: Literal["graphic", "textiles"] = "graphic") -> Tensor:
    """Return the difference of two pictures after CIE 1994, which counts less where colours are strong.

    Not symmetric: the weights come from the chroma of the reference. Its slope is 0 where the pictures are equal.

    Args:
        image: (B, 3, H, W), CIELAB.
        reference: (B or 1, 3, H, W), CIELAB, the standard the image is held against.
        field: "graphic" for graphic arts, "textiles" for textiles.

    Returns:
        (B, 1, H, W): 0 where equal, about 1 where a difference is just seen.

    Raises:
        ValueError: not two floating pictures of three channels and one size; no such field.

    Reference:
        CIE 116:1995.

    Example:
        >>> one, two = torch.tensor([50.0, 3, 0]).reshape(1, 3, 1, 1), torch.tensor([50.0, 0, 0]).reshape(1, 3, 1, 1)
        >>> delta_e_94(one, two).item()
        3.0
    """
    if field not in _FIELDS:
        raise ValueError(f"delta_e_94: field must be 'graphic' or 'textiles'; got {field!r}")
    unit, k1, k2 = _FIELDS[field]

    def difference(one: Tensor, two: Tensor) -> Tensor:
        apart = one - two
        lightness, a, b = apart[:, :1], apart[:, 1:2], apart[:, 2:]
        standard = length(two[:, 1:2], two[:, 2:])
        chroma = length(one[:, 1:2], one[:, 2:]) - standard
        angle = (a.square() + b.square() - chroma.square()).clamp(min=0)
        return root((lightness / unit).square() + (chroma / (1 + k1 * standard)).square()
                    + angle / (1 + k2 * standard).square())

    return compare("delta_e_94", image, reference, difference)


def delta_e_2000(image: Tensor, reference: Tensor, weights: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Tensor:
    """Return the difference of two pictures after CIEDE2000, the closest of the three to what is seen.

    Symmetric. The formula jumps where two hues lie opposite; elsewhere gradients are right, and finite everywhere. Its
    slope is 0 where the pictures are equal.

    Args:
        image: (B, 3, H, W), CIELAB.
        reference: (B or 1, 3, H, W), CIELAB.
        weights: k_L, k_C and k_H: how little lightness, chroma and hue count.

    Returns:
        (B, 1, H, W): 0 where equal, about 1 where a difference is just seen.

    Raises:
        ValueError: not two floating pictures of three channels and one size; weights that are not positive.

    Reference:
        Sharma, Wu, Dalal: The CIEDE2000 Color-Difference Formula. Color Research & Application 30(1), 2005.

    Example:
        >>> one = torch.tensor([50.0, 2.6772, -79.7751]).reshape(1, 3, 1, 1)
        >>> two = torch.tensor([50.0, 0.0, -82.7485]).reshape(1, 3, 1, 1)
        >>> round(delta_e_2000(one, two).item(), 4)
        2.0425
    """
    if len(weights) != 3 or not all(weight > 0 for weight in weights):
        raise ValueError(f"delta_e_2000: weights must be three positive numbers; got {weights!r}")
    return compare("delta_e_2000", image, reference, lambda a, b: _ciede2000(a, b, weights))


def _ciede2000(one: Tensor, two: Tensor, weights: tuple[float, float, float]) -> Tensor:
    """Return equations 2 to 22 of Sharma et al."""
    L1, a1, b1 = one[:, :1], one[:, 1:2], one[:, 2:]
    L2, a2, b2 = two[:, :1], two[:, 1:2], two[:, 2:]
    grow = 1.5 - 0.5 * _strong((length(a1, b1) + length(a2, b2)) / 2)   # 1 + G
    C1, C2 = length(a1 * grow, b1), length(a2 * grow, b2)
    h1, h2 = hue(a1 * grow, b1), hue(a2 * grow, b2)
    grey = (C1 == 0) | (C2 == 0)
    # eq. 10 and 14: the shorter way round, and the angle in its middle
    apart = h2 - h1
    far = apart.abs() > 180
    turn = torch.where(far, apart - 360 * torch.sign(apart), apart)
    turn = torch.where(grey, 0, turn)
    total = h1 + h2
    middle = torch.where(far, torch.where(total < 360, total + 360, total - 360), total) / 2
    middle = torch.where(grey, total, middle)
    lightness, chroma = L2 - L1, C2 - C1
    angle = 2 * root(C1 * C2) * torch.sin(torch.deg2rad(turn / 2))
    L, C = (L1 + L2) / 2, (C1 + C2) / 2
    cos = [torch.cos(torch.deg2rad(times * middle + shift)) for times, shift in ((1, -30), (2, 0), (3, 6), (4, -63))]
    T = 1 - 0.17 * cos[0] + 0.24 * cos[1] + 0.32 * cos[2] - 0.20 * cos[3]
    bend = 60 * torch.exp(-((middle - 275) / 25).square())   # 2 delta-theta
    off = (L - 50).square()
    SL, SC, SH = 1 + 0.015 * off / (20 + off).sqrt(), 1 + 0.045 * C, 1 + 0.015 * C * T
    dL, dC, dH = lightness / (weights[0] * SL), chroma / (weights[1] * SC), angle / (weights[2] * SH)
    RT = -2 * _strong(C) * torch.sin(torch.deg2rad(bend))
    return root(dL.square() + dC.square() + dH.square() + RT * dC * dH)


def _strong(chroma: Tensor) -> Tensor:
    """Return sqrt(C^7 / (C^7 + 25^7)), written so that nothing overflows and the slope at 0 is 0."""
    ratio = (chroma / 25).clamp(max=1e4)
    return ratio ** 3.5 / (ratio ** 7 + 1).sqrt()

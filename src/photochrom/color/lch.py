"""Lightness, chroma and hue: the polar forms of CIELAB, CIELUV and OKLab."""

from __future__ import annotations

import torch
from torch import Tensor

from photochrom.color._pixels import convert, hue, length
from photochrom.color.lab import lab_to_rgb, rgb_to_lab
from photochrom.color.oklab import oklab_to_rgb, rgb_to_oklab


def lab_to_lch(image: Tensor) -> Tensor:
    """Convert CIELAB to lightness, chroma and hue.

    The hue of a grey is that of its rounding errors. Chroma and hue have no slope where the chroma is below 1e-6, so
    that gradients stay finite at greys.

    Args:
        image: (B, 3, H, W), L*, a*, b*.

    Returns:
        (B, 3, H, W): L* as it was, chroma >= 0, hue in degrees, 0 <= h < 360, counter-clockwise from +a*.

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        CIE 15:2004, 8.2.1.

    Example:
        >>> lab_to_lch(torch.tensor([50.0, 0.0, 20.0]).reshape(1, 3, 1, 1)).flatten().tolist()
        [50.0, 20.0, 90.0]
    """
    return convert("lab_to_lch", image, _polar, exact=True)


def lch_to_lab(image: Tensor) -> Tensor:
    """Convert lightness, chroma and hue to CIELAB; the inverse of `lab_to_lch`.

    Args:
        image: (B, 3, H, W), L*, chroma, hue in degrees (any turn).

    Returns:
        (B, 3, H, W): L*, a*, b*.

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        CIE 15:2004, 8.2.1.

    Example:
        >>> lch_to_lab(torch.tensor([50.0, 20.0, 0.0]).reshape(1, 3, 1, 1)).flatten().tolist()
        [50.0, 20.0, 0.0]
    """
    return convert("lch_to_lab", image, _cartesian, exact=True)


def luv_to_lch(image: Tensor) -> Tensor:
    """Convert CIELUV to lightness, chroma and hue, as `lab_to_lch` does.

    Args:
        image: (B, 3, H, W), L*, u*, v*.

    Returns:
        (B, 3, H, W): L* as it was, chroma >= 0, hue in degrees, 0 <= h < 360, counter-clockwise from +u*.

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        CIE 15:2004, 8.2.2.

    Example:
        >>> luv_to_lch(torch.tensor([50.0, 0.0, 20.0]).reshape(1, 3, 1, 1)).flatten().tolist()
        [50.0, 20.0, 90.0]
    """
    return convert("luv_to_lch", image, _polar, exact=True)


def lch_to_luv(image: Tensor) -> Tensor:
    """Convert lightness, chroma and hue to CIELUV; the inverse of `luv_to_lch`.

    Args:
        image: (B, 3, H, W), L*, chroma, hue in degrees (any turn).

    Returns:
        (B, 3, H, W): L*, u*, v*.

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        CIE 15:2004, 8.2.2.

    Example:
        >>> lch_to_luv(torch.tensor([50.0, 20.0, 0.0]).reshape(1, 3, 1, 1)).flatten().tolist()
        [50.0, 20.0, 0.0]
    """
    return convert("lch_to_luv", image, _cartesian, exact=True)


def oklab_to_oklch(image: Tensor) -> Tensor:
    """Convert OKLab to lightness, chroma and hue, as `lab_to_lch` does.

    Args:
        image: (B, 3, H, W), OKLab.

    Returns:
        (B, 3, H, W): L as it was, chroma >= 0, hue in degrees, 0 <= h < 360, counter-clockwise from +a.

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        Ottosson: A perceptual color space for image processing, 2020.

    Example:
        >>> oklab_to_oklch(torch.tensor([0.5, 0.0, 0.25]).reshape(1, 3, 1, 1)).flatten().tolist()
        [0.5, 0.25, 90.0]
    """
    return convert("oklab_to_oklch", image, _polar, exact=True)


def oklch_to_oklab(image: Tensor) -> Tensor:
    """Convert lightness, chroma and hue to OKLab; the inverse of `oklab_to_oklch`.

    Args:
        image: (B, 3, H, W), L, chroma, hue in degrees (any turn).

    Returns:
        (B, 3, H, W), OKLab.

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        Ottosson: A perceptual color space for image processing, 2020.

    Example:
        >>> oklch_to_oklab(torch.tensor([0.5, 0.25, 0.0]).reshape(1, 3, 1, 1)).flatten().tolist()
        [0.5, 0.25, 0.0]
    """
    return convert("oklch_to_oklab", image, _cartesian, exact=True)


def rgb_to_lch(image: Tensor) -> Tensor:
    """Convert sRGB-encoded values to the lightness, chroma and hue of CIELAB.

    Args:
        image: (B, 3, H, W), sRGB-encoded; values outside [0, 1] are kept.

    Returns:
        (B, 3, H, W): L* 0..100, chroma (up to 134 for a picture in [0, 1]), hue in degrees; white is D65 (2 degrees).

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        CIE 15:2004, 8.2.1; IEC 61966-2-1:1999.

    Example:
        >>> red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
        >>> [round(v, 1) for v in rgb_to_lch(red).flatten().tolist()]
        [53.2, 104.6, 40.0]
    """
    return lab_to_lch(rgb_to_lab(image))


def lch_to_rgb(image: Tensor) -> Tensor:
    """Convert the lightness, chroma and hue of CIELAB to sRGB-encoded values; the inverse of `rgb_to_lch`.

    Args:
        image: (B, 3, H, W), L* 0..100, chroma, hue in degrees (any turn), seen under D65 (2 degrees).

    Returns:
        (B, 3, H, W), sRGB-encoded; colours outside sRGB have values outside [0, 1].

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        CIE 15:2004, 8.2.1; IEC 61966-2-1:1999.

    Example:
        >>> grey = torch.tensor([50.0, 0.0, 120.0]).reshape(1, 3, 1, 1)
        >>> [round(v, 4) for v in lch_to_rgb(grey).flatten().tolist()]
        [0.4663, 0.4663, 0.4663]
    """
    return lab_to_rgb(lch_to_lab(image))


def rgb_to_oklch(image: Tensor) -> Tensor:
    """Convert sRGB-encoded values to the lightness, chroma and hue of OKLab.

    Args:
        image: (B, 3, H, W), sRGB-encoded; values outside [0, 1] are kept.

    Returns:
        (B, 3, H, W): L 0..1, chroma (up to 0.33 for a picture in [0, 1]), hue in degrees; white is D65 (2 degrees).

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        Ottosson: A perceptual color space for image processing, 2020.

    Example:
        >>> red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
        >>> [round(v, 2) for v in rgb_to_oklch(red).flatten().tolist()]
        [0.63, 0.26, 29.23]
    """
    return oklab_to_oklch(rgb_to_oklab(image))


def oklch_to_rgb(image: Tensor) -> Tensor:
    """Convert the lightness, chroma and hue of OKLab to sRGB-encoded values; the inverse of `rgb_to_oklch`.

    Args:
        image: (B, 3, H, W), L 0..1, chroma, hue in degrees (any turn).

    Returns:
        (B, 3, H, W), sRGB-encoded; colours outside sRGB have values outside [0, 1].

    Raises:
        ValueError: not a floating picture of three channels.

    Reference:
        Ottosson: A perceptual color space for image processing, 2020.

    Example:
        >>> grey = torch.tensor([0.5, 0.0, 120.0]).reshape(1, 3, 1, 1)
        >>> [round(v, 3) for v in oklch_to_rgb(grey).flatten().tolist()]
        [0.389, 0.389, 0.389]
    """
    return oklab_to_rgb(oklch_to_oklab(image))


def _polar(image: Tensor) -> Tensor:
    lightness, a, b = image[:, :1], image[:, 1:2], image[:, 2:]
    return torch.cat([lightness, length(a, b), hue(a, b)], 1)


def _cartesian(image: Tensor) -> Tensor:
    lightness, chroma, angle = image[:, :1], image[:, 1:2], torch.deg2rad(image[:, 2:])
    return torch.cat([lightness, chroma * angle.cos(), chroma * angle.sin()], 1)

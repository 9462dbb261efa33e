"""The words of a declaration: ports, ranges and the closed vocabulary of control types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from torch import Tensor

Reach: TypeAlias = Literal["pixel", "window", "image"]
"""What an operation looks at: the pixel alone, a neighbourhood, or the whole picture."""

Border: TypeAlias = Literal["reflect", "replicate", "circular", "constant", "normalize"]
"""What lies outside the picture: its mirror (edge pixel not repeated), its edge pixel, its other side,
zeros, or nothing at all (the kernel is weighted anew by what is inside)."""

Space: TypeAlias = Literal["encoded", "linear"]
"""Whether light is mixed as the file encodes it (sRGB curve) or as it is (linear light)."""


@dataclass(frozen=True)
class Range:
    """The limits of a number: an error outside `low`..`high`, a slider over `soft`."""

    low: float
    high: float
    soft: tuple[float, float] | None = None
    scale: Literal["linear", "log"] = "linear"
    unit: str = ""
    neutral: float | None = None
    """The value at which the operation changes nothing (with the other controls neutral too)."""


@dataclass(frozen=True)
class Port:
    """Marks an argument that takes a picture. `aligned`: it lies pixel by pixel over the image."""

    aligned: bool = False


@dataclass(frozen=True)
class Kind:
    """Names a control type that plain Python types cannot tell apart."""

    name: Literal["color", "point", "points", "curve", "size"]


Image: TypeAlias = Annotated[Tensor, Port(aligned=True)]
"""The picture an operation changes: floating, (B, C, H, W), RGB; 0..1 is display range, not a clamp."""

Reference: TypeAlias = Annotated[Tensor, Port()]
"""Another picture of any size, (B, C, H, W)."""

Color: TypeAlias = Annotated[tuple[float, float, float], Kind("color")]
"""A colour, RGB in display range 0..1."""

Point: TypeAlias = Annotated[tuple[float, float], Kind("point")]
"""A place (x, y) in pixels; pixel centres lie at half integers."""

Points: TypeAlias = Annotated[tuple[tuple[float, float], ...], Kind("points")]
"""Several places (x, y)."""

Curve: TypeAlias = Annotated[tuple[tuple[float, float], ...], Kind("curve")]
"""A tone curve by its points (input, output), inputs rising."""

Size: TypeAlias = Annotated[tuple[int, int], Kind("size")]
"""A size (h, w) in pixels; written WxH on the command line."""

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
    """Marks an argument that takes a picture, or several, or a series of numbers, or a colour table."""

    aligned: bool = False
    """It lies pixel by pixel over the image."""
    kind: Literal["picture", "pictures", "numbers", "table"] = "picture"
    optional: bool = False


@dataclass(frozen=True)
class Kind:
    """Names a control type that plain Python types cannot tell apart."""

    name: Literal["color", "point", "points", "curve", "size", "box", "kernel", "matrix", "model"]


Image: TypeAlias = Annotated[Tensor, Port(aligned=True)]
"""The picture an operation changes: floating, (B, C, H, W), RGB; 0..1 is display range, not a clamp."""

Reference: TypeAlias = Annotated[Tensor, Port()]
"""Another picture of any size, (B, C, H, W)."""

Images: TypeAlias = Annotated[list[Tensor], Port(kind="pictures")]
"""Several pictures of one size, each (B, C, H, W), as the first argument of an operation that merges them."""

Weights: TypeAlias = Annotated[Tensor | None, Port(optional=True)]
"""Where a picture counts, (B or 1, 1, H, W) in 0..1. Called NAME_mask, it weights the statistics of the port NAME."""

ImageWeights: TypeAlias = Annotated[Tensor | None, Port(aligned=True, optional=True)]
"""As `Weights`, for the image itself: the argument `image_mask`."""

Guide: TypeAlias = Annotated[Tensor | None, Port(aligned=True, optional=True)]
"""A picture over the image that tells where its edges are, (B or 1, 1 or 3, H, W)."""

Layer: TypeAlias = Annotated[Tensor | None, Port(aligned=True, optional=True)]
"""A picture laid over the image, (B or 1, C, H, W), that may be left out."""

Region: TypeAlias = Annotated[Tensor | None, Port(aligned=True, optional=True)]
"""The argument `mask` of an operation that is not blended by it but needs it to know what to work out, such as where an
equation holds. Pixels of 1/2 and more belong to the region. The step then leaves the mask to the operation."""

NeededRegion: TypeAlias = Annotated[Tensor, Port(aligned=True)]
"""As `Region`, for an operation that makes no sense without one."""

Numbers: TypeAlias = Annotated[Tensor, Port(kind="numbers")]
"""A series of numbers, (N,), such as exposure times."""

Table: TypeAlias = Annotated[Tensor, Port(kind="table")]
"""A colour table: (3, S, S, S), indexed [channel, blue, green, red], or a curve a channel, (3, S). A `.cube` file.
One that does not span 0..1 also fills the port NAME_domain."""

Domain: TypeAlias = Annotated[Tensor | None, Port(kind="numbers", optional=True)]
"""What the ends of a table stand for: six numbers, the lowest red, green and blue, then the highest. None is 0..1."""

Color: TypeAlias = Annotated[tuple[float, float, float], Kind("color")]
"""A colour, RGB in display range 0..1."""

Point: TypeAlias = Annotated[tuple[float, float], Kind("point")]
"""A place (x, y) in pixels; pixel centres lie at half integers."""

Points: TypeAlias = Annotated[tuple[tuple[float, float], ...], Kind("points")]
"""Several places (x, y)."""

Curve: TypeAlias = Annotated[tuple[tuple[float, float], ...], Kind("curve")]
"""A tone curve by its points (input, output), inputs rising."""

Box: TypeAlias = Annotated[tuple[float, float, float, float], Kind("box")]
"""A box (x0, y0, x1, y1) in pixels, x1 and y1 beyond its last pixel: 0,0,W,H is the whole picture."""

Kernel: TypeAlias = Annotated[tuple[tuple[float, ...], ...], Kind("kernel")]
"""Weights of a filter, rows from top to bottom; written `1,2,1;2,4,2;1,2,1`, or as a name, or as a small text file."""

Matrix: TypeAlias = Annotated[tuple[tuple[float, ...], ...], Kind("matrix")]
"""Rows of numbers, all of one length, such as those of a matrix that acts on points (x, y); written like a kernel."""

Model: TypeAlias = Annotated[str, Kind("model")]
"""Weights of a network: a name, or a file."""

Size: TypeAlias = Annotated[tuple[int, int], Kind("size")]
"""A size (h, w) in pixels; written WxH on the command line."""

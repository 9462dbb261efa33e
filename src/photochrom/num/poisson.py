"""Pictures from their gradients: the Poisson equation inside a region, with what lies around it as boundary."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.num.solve import GridSystem, Solution, SolverError, box_of, membrane, solve

_TOLERANCE = {torch.float32: 2e-4, torch.float64: 1e-12}
"""Of the largest difference from the start."""

_MEMBRANE = 1.5e-4
"""The same for large membranes: 2e-4 left 0.2 of 255 levels on one of 180 random regions, and this 0.1 at most."""

_ROUNDING = {torch.float32: 3e-6, torch.float64: 1e-13}
"""A residual that is no more than what the dtype rounds away cannot be brought down further: it counts as solved."""

Field = tuple[Tensor, Tensor]
"""How much a picture shall rise from each pixel to its right neighbour, (B, C, H, W - 1), and to the one below,
(B, C, H - 1, W)."""


Light = tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]
"""A change of encoding and its inverse."""


def rises(image: Tensor) -> Field:
    """Return the differences of neighbouring pixels."""
    return image[..., :, 1:] - image[..., :, :-1], image[..., 1:, :] - image[..., :-1, :]


def flat(own: Tensor, other: Tensor) -> Field:
    """Return the field of a membrane, for `edit`: nothing changes."""
    return torch.zeros_like(own[..., :, 1:]), torch.zeros_like(own[..., 1:, :])


def divergence(field: Field) -> Tensor:
    """Return minus the divergence of a field, the right-hand side of -laplace(f) = -div v; free at the frame.

    Example:
        >>> ramp = torch.arange(4.0).reshape(1, 1, 1, 4)
        >>> divergence(rises(ramp)).flatten().tolist()
        [-1.0, 0.0, 0.0, 1.0]
    """
    right, down = field
    made = right.new_zeros((*right.shape[:-2], right.shape[-2], down.shape[-1]))
    made[..., :, :-1] -= right
    made[..., :, 1:] += right
    made[..., :-1, :] -= down
    made[..., 1:, :] += down
    return made


def solved(operation: str, found: Solution) -> Tensor:
    """Return the values of a solution, or raise where the solver gave up: half a solution looks like a picture.

    Example:
        >>> solved("fill", Solution(torch.zeros(1), torch.tensor([[0.25]]), 100, converged=False))
        Traceback (most recent call last):
        photochrom.num.solve.system.SolverError: fill: the equations must be solved, but after 100 rounds a share of \
0.25 of what was to be done is left; values of a smaller range are solved more easily
    """
    if not _good(found):
        raise SolverError(f"{operation}: the equations must be solved, but after {found.iterations} rounds a share of "
                          f"{float(found.residual.max()):.2g} of what was to be done is left; values of a smaller "
                          "range are solved more easily")
    return found.values


def solve_well(operation: str, system: GridSystem, rhs: Tensor, *, boundary: Tensor | None = None,
               start: Tensor | None = None, tolerance: float) -> Tensor:
    """Solve a system; where float32 rounds too much for it, go on in float64.

    Args:
        operation: for messages.
        system: see `photochrom.num.solve.solve`, as all the rest.
        rhs: (B, C, H, W), float32 or float64.
        boundary: likewise.
        start: likewise.
        tolerance: of the largest value.

    Returns:
        (B, C, H, W), dtype of `rhs`.

    Raises:
        SolverError: the solver gave up in float64 too.
    """
    found = solve(system, rhs, boundary=boundary, start=start, tolerance=tolerance)
    if rhs.dtype == torch.float32 and not _good(found):
        found = solve(system, rhs.double(), boundary=None if boundary is None else boundary.double(),
                      start=found.values.detach().double(), tolerance=tolerance)
    return solved(operation, found).to(rhs.dtype)


def _good(found: Solution) -> bool:
    return found.converged or float(found.residual.max()) <= _ROUNDING[found.values.dtype]


def integrate(operation: str, image: Tensor, region: Tensor, field: Field | None, *,
              start: Tensor | None = None, screen: float = 0.0, towards: Tensor | None = None) -> Tensor:
    """Replace a region by the picture whose differences are nearest to a field and which meets what lies around it.

    Minimises sum over neighbours p, q, one of them in the region, of (f_q - f_p - v_pq)^2 + screen sum_p (f_p - t_p)^2.
    Where the region touches the frame it is free there. A part of it that nothing bounds keeps the mean of `start`.

    Args:
        operation: for messages.
        image: (B, C, H, W), float32 or float64; outside the region it is the boundary.
        region: (H, W) or (B, 1, H, W), bool.
        field: how the result shall rise, of the size of `image`; None: as `start` does.
        start: (B, C, H, W), a guess; `image` if None.
        screen: how much the values `towards` count beside the differences.
        towards: (B, C, H, W).

    Returns:
        (B, C, H, W); outside the region `image`, bit for bit.

    Raises:
        SolverError: the solver gave up.
    """
    start = image if start is None else start
    if field is None and not screen:
        made = membrane(region, start, image, _MEMBRANE)
        if made is not None:
            return made
    # Solved for the difference to the start, so that what is nearly known rounds little, and a mean that only the
    # start fixes has its derivative.
    if field is None:
        rhs = torch.zeros_like(start)
    else:
        right, down = rises(start)
        rhs = divergence((field[0] - right, field[1] - down))
    if screen and towards is not None:
        rhs = rhs + screen * (towards - start)
    found = solve_well(operation, GridSystem(region, screen=screen or None), rhs, boundary=image - start,
                       tolerance=_TOLERANCE[image.dtype])
    return torch.where(region, start + found, image)


def bounds(region: Tensor, margin: int = 1) -> tuple[slice, slice] | None:
    """Return rows and columns around a region with a margin inside the frame, or None where it is empty.

    Args:
        region: (..., H, W), bool; of a batch, the rows and columns that hold all.
        margin: pixels on each side.
    """
    found = [box_of(one) for one in region.reshape(-1, *region.shape[-2:])]
    held = [one for one in found if one is not None]
    if not held:
        return None
    ends = [(min(box[k][0] for box in held), max(box[k][1] for box in held)) for k in (0, 1)]
    rows, columns = (slice(max(0, first - margin), min(last + 1 + margin, size))
                     for (first, last), size in zip(ends, region.shape[-2:], strict=True))
    return rows, columns


def paste(image: Tensor, part: Tensor, place: tuple[slice, slice]) -> Tensor:
    """Return a copy of a picture with a part laid over it."""
    made = image.clone()
    made[..., place[0], place[1]] = part
    return made


def region_of(mask: Tensor | None, image: Tensor) -> Tensor:
    """Return where a mask is 1/2 or more, (B or 1, 1, H, W) bool; without one, everywhere."""
    if mask is None:
        return torch.ones((1, 1, *image.shape[-2:]), dtype=torch.bool, device=image.device)
    return mask[:, :1] >= 0.5


def check_finite(operation: str, name: str, values: Tensor) -> None:
    """Raise unless all values are finite: one NaN would spread over the whole region."""
    # a sum is quicker, and finite only if all is; of very large values it may not be
    if not bool(values.detach().sum().isfinite()) and not bool(values.detach().isfinite().all()):
        raise ControlError(f"{operation}: {name} must be finite where it is used, got NaN or infinity")


def edit(operation: str, image: Tensor, region: Tensor, field: Callable[[Tensor, Tensor], Field] | None, *,
         source: Tensor | None = None, light: Light | None = None, screen: float = 0.0,
         from_image: bool = False, across: bool = True) -> Tensor:
    """Change a region of a picture to what rises as a field says and meets what lies around it.

    Only the rows and columns around the region are worked on, in float32, or float64 for float64.

    Args:
        operation: for messages.
        image: (B, C, H, W), floating.
        region: (B or 1, 1, H, W), bool.
        field: called with the parts of the image and of the source that are worked on; None: as the guess rises.
        source: (B, C, H, W), lies over the image; the guess, and what `screen` pulls towards. The image if None.
        light: the encoding in which differences are taken, as a way there and back; None is that of the image.
        screen: see `integrate`.
        across: the field counts across the edge of the region too; else nothing shall change there.
        from_image: the image is the guess, whose mean a region that nothing bounds keeps, and not the source.

    Returns:
        (B, C, H, W), dtype of the image; outside the region the image bit for bit.
    """
    place = bounds(region)
    if place is None:
        return image.clone()
    if field is None and light is None and across and not screen and image.dtype == torch.float32:
        start = image if from_image or source is None else source.to(image)
        whole = membrane(region[0, 0] if len(region) == 1 else region, start, image, _MEMBRANE)
        if whole is not None:
            return whole
    parts: list[Tensor] = []
    for name, picture in (("image", image), ("source", source)):
        if picture is None:
            parts.append(parts[0])
            continue
        # contiguous: sums over it then round alike, whatever kind of picture came in
        part = picture[..., place[0], place[1]].to(torch.float64 if image.dtype == torch.float64 else torch.float32)
        part = part.contiguous()
        check_finite(operation, name, part)
        parts.append(part if light is None else light[0](part))
    own, other = parts
    inside = region[..., place[0], place[1]]
    start = own if from_image else other
    wanted = None if field is None else field(own, other)
    if not across:
        right, down = rises(start) if wanted is None else wanted
        wanted = (torch.where(inside[..., :, 1:] == inside[..., :, :-1], right, 0),
                  torch.where(inside[..., 1:, :] == inside[..., :-1, :], down, 0))
    made = integrate(operation, own, inside[0, 0] if len(inside) == 1 else inside, wanted, screen=screen,
                     start=start, towards=other)
    if light is None and made.dtype == image.dtype:
        return paste(image, made, place)
    made = (made if light is None else light[1](made)).to(image.dtype)
    return paste(image, torch.where(inside, made, image[..., place[0], place[1]]), place)

"""A tone curve through points."""

from __future__ import annotations

import torch
from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Curve, Image
from photochrom.num.curves import evaluate, monotone_cubic
from photochrom.num.strips import pointwise


@op(reach="pixel", channelwise=True)
def curve(image: Image, *,
          points: Curve | Tensor = ((0.0, 0.0), (0.25, 0.2), (0.75, 0.8), (1.0, 1.0))) -> Tensor:
    """Draw a tone curve through points, as the curves dialogue of a photo editor does.

    Between the points run cubic pieces that rise where the points rise and never overshoot them, with a slope that does
    not jump. Outside the first and last point the curve goes on straight, with the slope it ends with; nothing is
    clipped. Given as a tensor, the points can be learnt.

    Args:
        image: (B, C, H, W), in whatever encoding it has.
        points: two or more (input, output), inputs rising; (0, 0) and (1, 1) alone change nothing. As a tensor (N, 2),
            or (B, N, 2) for a curve a picture, they are sorted by input, and inputs that repeat count as 1e-6 apart.

    Returns:
        (B, C, H, W), same encoding.

    Raises:
        ControlError: fewer than two points, inputs that do not rise, or a tensor of another shape.

    Reference:
        Fritsch, Butland: A Method for Constructing Local Monotone Piecewise Cubic Interpolants. SIAM J. Sci. Stat.
        Comput. 5(2), 1984.

    Example:
        >>> import torch
        >>> x = torch.tensor([0.25, 0.5, 2.0]).reshape(1, 1, 1, 3)
        >>> curve(x, points=((0, 0), (0.5, 0.75), (1, 1))).flatten().tolist()
        [0.453125, 0.75, 1.0]
    """
    kind = torch.float64 if image.dtype == torch.float64 else torch.float32
    given = points.to(image.device, kind) if isinstance(points, Tensor) else torch.tensor(
        points, dtype=kind, device=image.device)
    if given.ndim not in (2, 3) or given.shape[-1] != 2 or given.shape[-2] < 2 or (
            given.ndim == 3 and len(given) not in (1, len(image))):
        raise ControlError(f"curve: points must be a tensor (N, 2) or (B, N, 2) with N at least 2, "
                           f"got {tuple(given.shape)}")
    x, pieces = monotone_cubic(given.reshape(-1, *given.shape[-2:]))

    def bend(part: Tensor) -> Tensor:
        wide = part.to(kind)
        if len(x) == 1:
            return evaluate(wide, x[0], pieces[0]).to(part.dtype)
        return torch.stack([evaluate(wide[i], x[i], pieces[i]) for i in range(len(wide))]).to(part.dtype)

    return bend(image) if pieces.requires_grad else pointwise(bend, image)

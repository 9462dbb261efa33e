"""Chromatic adaptation after von Kries: what was white under one light becomes white under another."""

from __future__ import annotations

import torch
from torch import Tensor

# IEC 61966-2-1, D65.
_RGB_TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
# Bradford: sharpened cones, of which von Kries' rule holds better than of the cones themselves.
_XYZ_TO_LMS = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
_LEAST = 1e-6
"""A cone response below this share of the largest has no direction worth correcting."""


def adaptation_to_grey(white: Tensor) -> Tensor:
    """Return the matrix that turns a light into a grey of the same luminance.

    Each cone response is scaled by itself (von Kries 1902), so that the light becomes neutral: M = A^-1 D A.

    Args:
        white: (B, 3), linear RGB of what should be neutral; black, or a response that is not positive, is left alone.

    Returns:
        (B, 3, 3), for linear RGB.

    Reference:
        Lam: Metamerism and Colour Constancy. PhD thesis, University of Bradford, 1985; ICC.1:2022, annex E.

    Example:
        >>> m = adaptation_to_grey(torch.tensor([[0.5, 0.4, 0.2]]))
        >>> [[round(v, 4) for v in row] for row in (m @ torch.tensor([0.5, 0.4, 0.2])).tolist()]
        [[0.4068, 0.4068, 0.4068]]
    """
    to_xyz = torch.tensor(_RGB_TO_XYZ, dtype=white.dtype, device=white.device)
    to_lms = torch.tensor(_XYZ_TO_LMS, dtype=white.dtype, device=white.device) @ to_xyz
    luminance = white @ to_xyz[1]
    wanted = luminance[:, None] * to_lms.sum(1)
    found = white @ to_lms.T
    sound = found > _LEAST * found.detach().amax(1, keepdim=True).clamp(min=_LEAST)
    sound = sound.all(1, keepdim=True) & (luminance > 0)[:, None]
    gain = torch.where(sound, wanted / torch.where(sound, found, 1), 1)
    matrix: Tensor = torch.linalg.inv(to_lms) @ (gain[:, :, None] * to_lms)
    return matrix

"""The l-alpha-beta space of Ruderman et al. (1998) as used by Reinhard et al. (2001)."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from photochrom.color._pixels import convert, inverse, mix

# RGB -> LMS, eq. 4 of Reinhard et al. 2001 (XYZ normalised so that white has equal LMS).
_RGB_TO_LMS = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
# log LMS -> l alpha beta, eq. 6: an orthogonal matrix, so its inverse is its transpose.
_LOG_TO_LAB = np.array([[1 / math.sqrt(3)] * 3,
                        [1 / math.sqrt(6), 1 / math.sqrt(6), -2 / math.sqrt(6)],
                        [1 / math.sqrt(2), -1 / math.sqrt(2), 0.0]])
_LMS_TO_RGB, _LAB_TO_LOG = inverse(_RGB_TO_LMS), inverse(_LOG_TO_LAB)
_TOE = 1 / 255
_SLOPE = 1 / (_TOE * math.log(10))


def rgb_to_l_alpha_beta(image: Tensor) -> Tensor:
    """Convert RGB to l-alpha-beta, whose axes are nearly uncorrelated in natural pictures.

    The paper takes the logarithm of LMS, which has no value at black; below 1/255 it is continued here by its tangent,
    so that black, negative and high-range values have finite values, finite gradients and an exact way back.

    Args:
        image: (B, 3, H, W), RGB.

    Returns:
        (B, 3, H, W): l (achromatic, 0 at white), alpha (yellow-blue), beta (red-green).

    Reference:
        Reinhard, Ashikhmin, Gooch, Shirley: Color Transfer between Images. IEEE CG&A 21(5), 2001.

    Example:
        >>> rgb_to_l_alpha_beta(torch.ones(1, 3, 1, 1)).abs().max().item() < 0.01
        True
    """
    return convert("rgb_to_l_alpha_beta", image, _forwards, *_single(_RGB_TO_LMS, _LOG_TO_LAB))


def l_alpha_beta_to_rgb(image: Tensor) -> Tensor:
    """Convert l-alpha-beta to RGB; the inverse of `rgb_to_l_alpha_beta`.

    Args:
        image: (B, 3, H, W), l-alpha-beta.

    Returns:
        (B, 3, H, W), RGB.

    Reference:
        Reinhard, Ashikhmin, Gooch, Shirley: Color Transfer between Images. IEEE CG&A 21(5), 2001.

    Example:
        >>> x = torch.tensor([0.0, 0.4, 1.0]).reshape(1, 3, 1, 1)
        >>> torch.allclose(l_alpha_beta_to_rgb(rgb_to_l_alpha_beta(x)), x, atol=1e-6)
        True
    """
    return convert("l_alpha_beta_to_rgb", image, _backwards, *_single(_LAB_TO_LOG, _LMS_TO_RGB))


def _single(*matrices: np.ndarray) -> list[np.ndarray]:
    """Return matrices as the kernels take them."""
    return [matrix.astype(np.float32).ravel() for matrix in matrices]


def _forwards(image: Tensor) -> Tensor:
    lms = mix(image, _RGB_TO_LMS)
    curve = lms.clamp(min=_TOE).log10()
    return mix(torch.where(lms >= _TOE, curve, math.log10(_TOE) + (lms - _TOE) * _SLOPE), _LOG_TO_LAB)


def _backwards(image: Tensor) -> Tensor:
    logs = mix(image, _LAB_TO_LOG)
    edge = math.log10(_TOE)
    curve = torch.exp(logs.clamp(min=edge) * math.log(10))
    return mix(torch.where(logs >= edge, curve, _TOE + (logs - edge) / _SLOPE), _LMS_TO_RGB)

"""Connected parts of a mask."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor


def regions(mask: Tensor) -> Iterator[Tensor]:
    """Yield each part of a mask (H, W) whose pixels hang together by their sides or corners, from top to bottom.

    Example:
        >>> [int(part.sum()) for part in regions(torch.tensor([[1, 0, 1], [1, 0, 1], [0, 0, 1]]) > 0)]
        [2, 3]
    """
    import numpy as np
    from scipy import ndimage

    labels, count = ndimage.label(mask.cpu().numpy(), structure=np.ones((3, 3)))
    for label in range(1, count + 1):
        yield torch.from_numpy(labels == label).to(mask.device)

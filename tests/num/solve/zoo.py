"""Masks, systems and their direct solutions in float64."""

import numpy as np
import scipy.sparse
import scipy.sparse.linalg
import torch

from photochrom.num.solve import NEIGHBOURS, GridSystem


def masks(n: int = 61) -> dict[str, torch.Tensor]:
    """Return masks (n + 3, n): plain ones and nasty ones."""
    h, w = n + 3, n
    y, x = np.mgrid[:h, :w]
    made = {
        "ellipse": ((x - w / 2) / (0.4 * w)) ** 2 + ((y - h / 2) / (0.3 * h)) ** 2 < 1,
        "holes": (x > 0) & (y > 0) & (x < w - 1) & (y < h - 1) & ((x // 5 + y // 7) % 3 > 0),
        "regions": ((x // 15) % 2 == 0) & ((y // 11) % 2 == 0) & (x > 0) & (y > 0),
        "neck": ((x > 2) & (x < 25) & (y > 2) & (y < 60)) | ((x > 35) & (x < 58) & (y > 2) & (y < 60))
        | ((y == 31) & (x > 2) & (x < 58)),
        "touching": (x < 40) & (y > 20),
        "pinned": ~((x == 17) & (y == 23)),
        "comb": ((x % 2 == 1) | (y == 30)) & (x > 0) & (x < w - 1) & (y > 0) & (y < h - 1),
        "diagonal": (abs(x - y) <= 1) & (x > 0) & (y > 0) & (x < w - 1),
        "checkers": (x + y) % 2 == 0,
        "noise": np.random.default_rng(0).random((h, w)) < 0.6,
        "pixel": (x == 9) & (y == 30),
        "corner": (x == 0) & (y == 0),
        "sides": (x == 0) | (y == h - 1),
    }  # fmt: skip
    made["noise"][:, 0] = False
    return {name: torch.from_numpy(mask) for name, mask in made.items()}


def matrix(system: GridSystem, unknown: torch.Tensor) -> tuple[scipy.sparse.csr_matrix, np.ndarray, np.ndarray]:
    """Return A over all pixels as the equations of unknown ones say, in float64, by plain loops over neighbours."""
    h, w = unknown.shape
    index = np.arange(h * w).reshape(h, w)
    rows, columns, values = [], [], []
    diagonal = np.zeros((h, w))
    given = None if system.weights is None else system.weights.detach().double().numpy()
    for k, (dy, dx) in enumerate(NEIGHBOURS):
        here = (slice(max(0, -dy), h - max(0, dy)), slice(max(0, -dx), w - max(0, dx)))
        there = (slice(max(0, dy), h + min(0, dy)), slice(max(0, dx), w + min(0, dx)))
        if given is None:
            weight = np.full((h, w), float(k < 4))[here]
        elif len(given) == 8:
            weight = given[k][here]
        elif k // 2 >= len(given):
            continue
        else:
            weight = given[k // 2][here if k % 2 == 0 else there]
        diagonal[here] += weight
        rows.append(index[here].ravel())
        columns.append(index[there].ravel())
        values.append(-weight.ravel())
    if system.screen is not None:
        s = system.screen
        diagonal += s.detach().double().numpy() if isinstance(s, torch.Tensor) else s
    rows.append(index.ravel())
    columns.append(index.ravel())
    values.append(diagonal.ravel())
    a = scipy.sparse.csr_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(h * w, h * w)
    )
    return a, np.flatnonzero(unknown.numpy().ravel()), np.flatnonzero(~unknown.numpy().ravel())


def direct(system: GridSystem, rhs: torch.Tensor, boundary: torch.Tensor, unknown: torch.Tensor | None = None):
    """Return the float64 solution of SciPy's sparse LU, boundary at known pixels."""
    unknown = system.unknown if unknown is None else unknown
    a, inside, outside = matrix(system, unknown)
    out = boundary.double().clone().numpy()
    flat = out.reshape(-1, unknown.numel())
    b = rhs.double().numpy().reshape(-1, unknown.numel())
    right = b[:, inside].T - a[inside][:, outside] @ flat[:, outside].T
    flat[:, inside] = scipy.sparse.linalg.splu(a[inside][:, inside].tocsc()).solve(right).T
    return torch.from_numpy(out)


def levin(gray: np.ndarray, floor: float = 1e-6) -> torch.Tensor:
    """Return the (8, H, W) affinities of Levin, Lischinski and Weiss 2004: rows of sum 1, not symmetric."""
    h, w = gray.shape
    padded = np.pad(gray, 1, constant_values=np.nan)
    near = np.stack([padded[1 + dy : 1 + dy + h, 1 + dx : 1 + dx + w] for dy, dx in NEIGHBOURS])
    everything = np.concatenate([near, gray[None]])
    variance = np.maximum(0.6 * np.nanvar(everything, 0), 2e-6)
    closest = np.nanmin((near - gray) ** 2, 0)
    variance = np.maximum(variance, -closest / np.log(0.01))
    weights = np.nan_to_num(np.exp(-((near - gray) ** 2) / variance))
    weights /= weights.sum(0)
    return torch.from_numpy(weights)

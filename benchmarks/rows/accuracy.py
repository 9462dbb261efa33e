"""Gaussian and box against a direct sum in float64, with every border. Nothing is timed here."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from benchmarks.picture import photograph, planes
from benchmarks.row import Bench, Check, Row

SCIPY_MODES = {"reflect": "mirror", "replicate": "nearest", "circular": "wrap", "constant": "constant",
               "normalize": "constant"}
"""Our names of borders and SciPy's; `normalize` is the constant border divided by the blurred mask of the picture."""


def direct_sum(plane: np.ndarray, kernel: np.ndarray, border: str) -> np.ndarray:
    """Return the separable correlation in float64, by SciPy, which shares no line with the code it judges."""
    def blur(values: np.ndarray) -> np.ndarray:
        from scipy.ndimage import correlate1d

        for axis in (0, 1):
            values = correlate1d(values, kernel, axis, mode=SCIPY_MODES[border], cval=0.0)
        return values

    values = blur(plane.astype(np.float64))
    return values / blur(np.ones(plane.shape)) if border == "normalize" else values


def gaussian_weights(sigma: float) -> np.ndarray:
    """Return exp(-d^2 / 2 sigma^2) out to 4 sigma, of sum 1."""
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-np.arange(-reach, reach + 1) ** 2 / (2 * sigma**2))
    return weights / weights.sum()


def _cases() -> list[tuple[str, str, dict[str, Any], np.ndarray]]:
    """Return name, operation, controls and the kernel in float64."""
    cases: list[tuple[str, str, dict[str, Any], np.ndarray]] = []
    for sigma in (2.0, 5.0, 20.0):
        cases.append((f"gaussian sigma {sigma:g}", "gaussian", {"sigma": sigma}, gaussian_weights(sigma)))
    for radius in (1, 15, 100):
        side = 2 * radius + 1
        cases.append((f"box radius {radius}", "box", {"radius": radius}, np.full(side, 1 / side)))
    return cases


def _checks(bench: Bench) -> Iterator[Check]:
    import photochrom

    picture = photograph(*bench.size)
    image = planes(picture)
    for name, operation, controls, kernel in _cases():
        for border in SCIPY_MODES:
            made = getattr(photochrom, operation)(image, border=border, **controls)[0].numpy()
            with ThreadPoolExecutor() as pool:
                errors = pool.map(partial(_error, made, picture, kernel, border), range(3))
            yield f"{name}, {border}", max(errors)


def _error(made: np.ndarray, picture: np.ndarray, kernel: np.ndarray, border: str, channel: int) -> float:
    return float(np.abs(made[channel] - direct_sum(picture[..., channel], kernel, border)).max())


ROWS = (Row(name="accuracy", about="Gaussian and box in float32 against a float64 direct sum, all borders",
            tolerance=2e-6, checks=_checks),)

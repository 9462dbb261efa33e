"""Results that are no pictures, as a few lines."""

from __future__ import annotations

from typing import Any

_MANY = 12


def lines(data: Any, name: str = "") -> list[str]:
    """Return plain data as lines for people, long series cut short.

    Example:
        >>> lines({"stops": [7.25], "low": 0.001})
        ['stops: 7.25', 'low: 0.001']
    """
    if isinstance(data, dict):
        return [line for key, value in data.items() for line in lines(value, f"{name} {key}".strip())]
    if isinstance(data, list) and data and isinstance(data[0], list):
        names = [name if len(data) == 1 else f"{name} {k + 1}" for k in range(len(data))]
        return [line for part, called in zip(data, names, strict=True) for line in lines(part, called)]
    values = data if isinstance(data, list) else [data]
    shown = ", ".join(f"{value:.5g}" if isinstance(value, (int, float)) else str(value) for value in values[:_MANY])
    more = f", … ({len(values)} in all)" if len(values) > _MANY else ""
    return [f"{name}: {shown}{more}"]

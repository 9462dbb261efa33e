"""Reading ICC profiles: the matrix, the tone curves and what kind of profile it is."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

Array = np.ndarray

# XYZ of the sRGB primaries relative to D50, as every ICC sRGB profile states them (Bradford-adapted).
SRGB_D50 = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)


class ProfileError(ValueError):
    """A profile cannot be understood; callers fall back and say so."""


@dataclass(frozen=True)
class Parametric:
    """y = (a x + b)^g + e from x = d on, c x + f below: ICC parametric curves of every type."""

    g: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 0.0
    f: float = 0.0


@dataclass(frozen=True)
class Table:
    """y at evenly spaced x in [0, 1]."""

    y: tuple[float, ...]


Curve = Parametric | Table

SRGB_CURVE = Parametric(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


@dataclass(frozen=True)
class Profile:
    """What a profile says.

    Attributes:
        space: Signature of the device colours: "RGB", "GRAY", "CMYK", "Lab", ...
        curves: One tone curve per channel, empty when only lookup tables describe the device.
        matrix: Linear device RGB to XYZ (D50), None when there is none.
        name: The profile's description.
    """

    space: str
    curves: tuple[Curve, ...]
    matrix: Array | None
    name: str


def parse(data: bytes) -> Profile:
    """Read an ICC profile.

    Args:
        data: The profile's bytes.

    Returns:
        The profile; `curves` is empty where lookup tables or another space must be left to a colour engine.

    Raises:
        ProfileError: The bytes are not a profile.
    """
    try:
        return _parse(data)
    except (struct.error, IndexError, ValueError) as e:
        raise ProfileError("not a readable ICC profile") from e


def _parse(data: bytes) -> Profile:
    if len(data) < 132 or data[36:40] != b"acsp":
        raise ProfileError("no ICC signature")
    space = data[16:20].decode("ascii").strip()
    (count,) = struct.unpack_from(">I", data, 128)
    if count > 1000:
        raise ProfileError("too many tags")
    tags: dict[bytes, bytes] = {}
    for i in range(count):
        name, at, size = struct.unpack_from(">4sII", data, 132 + 12 * i)
        tags[name] = data[at : at + size]
    title = _text(tags.get(b"desc", b""))
    # Where lookup tables are present they are what the profile means; the matrix is then a fallback.
    if b"A2B0" not in tags and b"A2B1" not in tags and data[20:24] == b"XYZ ":
        if space == "RGB" and all(t in tags for t in (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC")):
            matrix = np.array([_xyz(tags[t]) for t in (b"rXYZ", b"gXYZ", b"bXYZ")]).T
            if abs(np.linalg.det(matrix)) < 1e-6:
                raise ProfileError("primaries on one line")
            curves = tuple(_curve(tags[t]) for t in (b"rTRC", b"gTRC", b"bTRC"))
            return Profile(space, curves, matrix, title)
        if space == "GRAY" and b"kTRC" in tags:
            return Profile(space, (_curve(tags[b"kTRC"]),), None, title)
    elif space == "GRAY" and b"kTRC" in tags and b"A2B0" not in tags:
        return Profile(space, (), None, title)
    return Profile(space, (), None, title)


def _xyz(tag: bytes) -> tuple[float, ...]:
    return tuple(v / 65536 for v in struct.unpack_from(">3i", tag, 8))


def _curve(tag: bytes) -> Curve:
    kind = tag[:4]
    if kind == b"curv":
        (n,) = struct.unpack_from(">I", tag, 8)
        if n == 0:
            return Parametric(1.0)
        values = struct.unpack_from(f">{n}H", tag, 12)
        if n == 1:
            return _checked(Parametric(values[0] / 256))
        if values[-1] <= values[0]:
            raise ProfileError("a falling tone curve")
        return Table(tuple(v / 65535 for v in values))
    if kind == b"para":
        (form,) = struct.unpack_from(">H", tag, 8)
        length = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}.get(form)
        if length is None:
            raise ProfileError("an unknown curve type")
        p = [v / 65536 for v in struct.unpack_from(f">{length}i", tag, 12)]
        if form == 0:
            return _checked(Parametric(p[0]))
        if form in (1, 2):
            # Below -b/a the curve is constant: c where the type has one, 0 otherwise.
            g, a, b = p[:3]
            c = p[3] if form == 2 else 0.0
            return _checked(Parametric(g, a, b, 0.0, -b / a if a else 0.0, c, c))
        if form == 3:
            return _checked(Parametric(*p))
        return _checked(Parametric(*p))
    raise ProfileError("an unknown curve")


def _checked(curve: Parametric) -> Parametric:
    if not 0.05 < curve.g < 20 or curve.a <= 0:
        raise ProfileError("an impossible tone curve")
    return curve


def _text(tag: bytes) -> str:
    if tag[:4] == b"desc" and len(tag) > 12:
        (n,) = struct.unpack_from(">I", tag, 8)
        return tag[12 : 12 + n].split(b"\0")[0].decode("latin-1").strip()
    if tag[:4] == b"mluc" and len(tag) >= 28:
        length, at = struct.unpack_from(">II", tag, 20)
        return tag[at : at + length].decode("utf-16-be", "replace").strip("\0 ")
    return ""


def evaluate(curve: Curve, x: Array) -> Array:
    """A tone curve at values in [0, 1], in float64: the definition that the fast paths are held against.

    Args:
        curve: The curve.
        x: Device values.

    Returns:
        Linear values.
    """
    x = np.asarray(x, np.float64)
    if isinstance(curve, Table):
        return np.interp(x, np.linspace(0, 1, len(curve.y)), np.array(curve.y))
    p = curve
    upper = np.maximum(p.a * x + p.b, 0) ** p.g + p.e
    return np.where(x >= p.d, upper, p.c * x + p.f)

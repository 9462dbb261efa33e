"""What the io tests share: small pictures and profiles made from their definitions."""

import struct

import numpy as np

# XYZ of the primaries relative to D50, rounded as the profiles' makers published them.
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
PROPHOTO = ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82491))
P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
REC2020 = ((0.67348, 0.27904, -0.00194), (0.16566, 0.67534, 0.02998), (0.12505, 0.04561, 0.79686))
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
D50 = (0.9642, 1.0, 0.8249)


def curv(*values):
    """A curv tag: no value is the identity, one a gamma (8.8 fixed), more a table of 16-bit values."""
    if len(values) == 1:
        return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(values[0] * 256)) + b"\0\0"
    return (b"curv\0\0\0\0" + struct.pack(">I", len(values)) + struct.pack(f">{len(values)}H", *values)).ljust(
        12, b"\0"
    )


def para(kind, *values):
    return b"para\0\0\0\0" + struct.pack(f">HH{len(values)}i", kind, 0, *(round(v * 65536) for v in values))


def profile(primaries=None, curve=b"", space=b"RGB "):
    """A display profile with the given primaries and one tone curve."""

    def xyz(v):
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(x * 65536) for x in v))

    tags = {b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + b"\0" * 78, b"wtpt": xyz(D50)}
    tags[b"cprt"] = b"text\0\0\0\0none\0\0\0\0"
    if space == b"RGB ":
        for letter, v in zip(b"rgb", primaries, strict=True):
            tags[bytes([letter]) + b"XYZ"] = xyz(v)
            tags[bytes([letter]) + b"TRC"] = curve
    else:
        tags[b"kTRC"] = curve
    table, body, at = b"", b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        data = data.ljust(-(-len(data) // 4) * 4, b"\0")
        table += struct.pack(">4sII", name, at + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", 0, b"lcms", 0x02100000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acspAPPL" + bytes(24)
    head += struct.pack(">3i", *(round(x * 65536) for x in D50)) + bytes(48)
    data = head + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(data)) + data[4:]


SRGB_PARA = para(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
PROFILES = {
    "adobe": profile(ADOBE, curv(563 / 256)),
    "p3": profile(P3, SRGB_PARA),
    "prophoto": profile(PROPHOTO, curv(1.8)),
    "rec2020": profile(REC2020, para(3, 1 / 0.45, 1 / 1.0993, 0.0993 / 1.0993, 1 / 4.5, 0.08145)),
    "table": profile(ADOBE, curv(*(round(65535 * (i / 1023) ** 2.2) for i in range(1024)))),
    "para0": profile(P3, para(0, 2.2)),
    "para4": profile(P3, para(4, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0.0, 0.0)),
}


def cube(n=17, depth=np.uint16, extra=20000, seed=0):
    """Every corner and a grid of the RGB cube, then random colours: (h, w, 3)."""
    top = np.iinfo(depth).max
    g = np.round(np.linspace(0, top, n)).astype(depth)
    grid = np.stack(np.meshgrid(g, g, g, indexing="ij"), -1).reshape(-1, 3)
    rng = np.random.default_rng(seed)
    some = rng.integers(0, top + 1, (extra, 3), dtype=depth)
    dark = some.copy()
    dark[np.arange(extra), rng.integers(0, 3, extra)] //= 256
    flat = np.concatenate([grid, some, dark])
    w = 211
    return np.ascontiguousarray(flat[: len(flat) // w * w].reshape(-1, w, 3))


def picture(h=48, w=64, seed=1):
    """A smooth colourful 8-bit picture that no flip or turn leaves alone."""
    y, x = np.mgrid[0:h, 0:w] / max(h, w)
    rng = np.random.default_rng(seed)
    p = np.stack([0.2 + 0.7 * x, 0.1 + 0.8 * y, 0.5 + 0.4 * np.sin(5 * x + 3 * y)], -1)
    return np.clip(p * 255 + rng.normal(0, 1, p.shape), 0, 255).astype(np.uint8)

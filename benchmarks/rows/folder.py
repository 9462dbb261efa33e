"""A folder of JPEG photographs through `power` and `unsharp_mask`, as whole commands.

libvips' command line runs one operation a process, so a photograph takes several and their intermediate pictures are
`.v` files, in memory where there is room. Two ways are tried: the unsharp mask in RGB (blur, bandjoin, recomb), which
is what the others do, and `vips sharpen`, its own unsharp mask on lightness. Gamma and blur give 8 bits: the fastest
way there is. Each peer runs one photograph after the other with its own threads, and one photograph a core; its best
counts. All write JPEG of quality 95 without halved chroma and with fixed Huffman tables.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np

from benchmarks.machine import magick
from benchmarks.measure import process
from benchmarks.picture import folder_of_photos
from benchmarks.row import AbsentError, Bench, Contestant, Ready, Row, Target, times_as_fast

RECIPE = """version = 1
name = "benchmark: power and unsharp mask"

[[step]]
op = "power"
gamma = 0.8

[[step]]
op = "unsharp_mask"
sigma = 2.0
amount = 0.5
"""
QUALITY = 95
# vips gamma raises to 1 / exponent. $1 photograph, $2 folder for intermediate files, $3 folder of results.
VIPS_RECOMB = f"""set -e
t="$2/${{1##*/}}"
vips gamma "$1" "$t.v" --exponent 1.25
vips gaussblur "$t.v" "$t.blur.v" 2
vips bandjoin "$t.v $t.blur.v" "$t.both.v"
vips recomb "$t.both.v" "$3/${{1##*/}}[Q={QUALITY}]" "$2/unsharp.mat"
rm "$t.v" "$t.blur.v" "$t.both.v"
"""
UNSHARP_MATRIX = "6 3 1 0\n1.5 0 0 -0.5 0 0\n0 1.5 0 0 -0.5 0\n0 0 1.5 0 0 -0.5\n"
VIPS_SHARPEN = f"""set -e
t="$2/${{1##*/}}"
vips gamma "$1" "$t.v" --exponent 1.25
vips sharpen "$t.v" "$3/${{1##*/}}[Q={QUALITY}]" --sigma 2 --m1 0.5 --m2 0.5 --x1 0 --y2 100 --y3 100
rm "$t.v"
"""
MOGRIFY = ("-gamma", "1.25", "-unsharp", "0x2+0.5+0", "-quality", str(QUALITY), "-sampling-factor", "4:4:4",
           "-define", "jpeg:optimize-coding=false")
COMPARED = 4
"""Photographs of the folder whose pixels are compared; of the others it is asked that they are there."""


def cores() -> int:
    """Return the cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _photos(bench: Bench) -> tuple[Path, int]:
    count = 4 if bench.quick else 20
    return folder_of_photos(bench.work, count, *bench.size), count


def _ready(bench: Bench, name: str, words: list[str]) -> Ready:
    """Measure a command that fills the folder `name`."""
    out, count = bench.scratch / name, _photos(bench)[1]

    def fresh() -> None:
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()

    def made() -> dict[str, np.ndarray]:
        from PIL import Image

        return {path.name: np.asarray(Image.open(path)) for path in sorted(out.iterdir())[::max(1, count // COMPARED)]}

    def done() -> None:
        found = [path for path in out.iterdir() if path.stat().st_size > 0]
        if len(found) != count:
            raise ValueError(f"{len(found)} of {count} pictures were made")

    return process(words, made, before=fresh, done=done)


def _ours(bench: Bench) -> Ready:
    recipe = bench.scratch / "folder.toml"
    recipe.write_text(RECIPE)
    words = [*bench.command, "run", str(recipe), str(_photos(bench)[0]), "-o", str(bench.scratch / "ours"),
             "--quality", str(QUALITY), "--quiet"]
    return _ready(bench, "ours", words)


def _vips(name: str, script: str, at_once: bool) -> Contestant:
    title = f"libvips {name}, {'a photo a core' if at_once else 'one by one'}"

    def prepare(bench: Bench) -> Ready:
        if shutil.which("vips") is None:
            raise AbsentError("the vips command is not installed")
        folder = f"vips-{name}-{at_once:d}"
        between = bench.scratch / "vips-between"
        between.mkdir(exist_ok=True)
        (between / "unsharp.mat").write_text(UNSHARP_MATRIX)
        one = between / f"{name}.sh"
        one.write_text(script)
        photos, out = _photos(bench)[0], bench.scratch / folder
        if at_once:
            loop = f'ls "{photos}"/*.jpg | VIPS_CONCURRENCY=1 xargs -P{cores()} -I% sh "{one}" % "{between}" "{out}"'
        else:
            loop = f'set -e; for photo in "{photos}"/*.jpg; do sh "{one}" "$photo" "{between}" "{out}"; done'
        return _ready(bench, folder, ["sh", "-c", loop])

    return Contestant(title, prepare, tolerance=1.5)


def _magick(at_once: bool) -> Contestant:
    def prepare(bench: Bench) -> Ready:
        if not magick():
            raise AbsentError("ImageMagick's commands are not installed")
        (photos, count), folder = _photos(bench), f"magick-{at_once:d}"
        command = " ".join([*magick(), "-path", f'"{bench.scratch / folder}"', *MOGRIFY])
        if at_once:
            share = -(-count // cores())
            return _ready(bench, folder, ["sh", "-c", f'ls "{photos}"/*.jpg | MAGICK_THREAD_LIMIT=1 xargs -P{cores()} '
                                                      f"-n{share} {command}"])
        return _ready(bench, folder, ["sh", "-c", f'{command} "{photos}"/*.jpg'])

    return Contestant(f"ImageMagick mogrify, {'a share a core' if at_once else 'one by one'}", prepare, tolerance=0.5)


VIPS = tuple(_vips(name, script, at_once) for name, script in (("recomb", VIPS_RECOMB), ("sharpen", VIPS_SHARPEN))
             for at_once in (False, True))
MAGICK = (_magick(False), _magick(True))

ROWS = (Row(
    name="folder",
    about="20 JPEGs of 12 megapixels through power and unsharp_mask, whole commands",
    contestants=(Contestant("photochrom", _ours), *VIPS, *MAGICK),
    targets=(times_as_fast(tuple(way.name for way in VIPS), 1, name="libvips, its best way"),
             times_as_fast(tuple(way.name for way in MAGICK), 2, name="ImageMagick, its best way"),
             Target("photochrom, all photos", lambda times: times["photochrom"].median, unit="s")),
    measure="mean", unit="of 255", rounds=3, warm=0,
    notes=("libvips is rounded down to 8 bits twice, cuts its Gaussian shorter and, with sharpen, works on lightness: "
           "up to 1.5 levels of mean difference are let pass.",
           "all decode and encode JPEG; peak memory is that of the largest single process.")),)

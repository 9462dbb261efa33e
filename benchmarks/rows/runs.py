"""Runs over folders: sixty photographs through three steps, ten thousand small pictures, a finished run, a cluster.

libvips' command line needs a process for each step, ImageMagick does all in one: see `benchmarks/rows/folder.py`, whose
ways are taken here with one more step, a picture of half the size. libvips shrinks by its Lanczos kernel, ours and
ImageMagick's as told.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np

from benchmarks.machine import magick
from benchmarks.measure import ProcessError, process
from benchmarks.picture import folder_of_photos
from benchmarks.row import AbsentError, Bench, Contestant, Ready, Row, Sample, Target, Times, times_as_fast
from benchmarks.rows.folder import QUALITY, UNSHARP_MATRIX, cores
from benchmarks.rows.folder import RECIPE as TWO_STEPS

RECIPE = TWO_STEPS + """
[[step]]
op = "resize"
scale = 0.5
resample = "lanczos"
"""
# $1 photograph, $2 folder for intermediate files, $3 folder of results.
RECOMB = f"""set -e
t="$2/${{1##*/}}"
vips gamma "$1" "$t.v" --exponent 1.25
vips gaussblur "$t.v" "$t.blur.v" 2
vips bandjoin "$t.v $t.blur.v" "$t.both.v"
vips recomb "$t.both.v" "$t.sharp.v" "$2/unsharp.mat"
vips cast "$t.sharp.v" "$t.byte.v" uchar
vips resize "$t.byte.v" "$3/${{1##*/}}[Q={QUALITY}]" 0.5
rm "$t.v" "$t.blur.v" "$t.both.v" "$t.sharp.v" "$t.byte.v"
"""
SHARPEN = f"""set -e
t="$2/${{1##*/}}"
vips gamma "$1" "$t.v" --exponent 1.25
vips sharpen "$t.v" "$t.sharp.v" --sigma 2 --m1 0.5 --m2 0.5 --x1 0 --y2 100 --y3 100
vips resize "$t.sharp.v" "$3/${{1##*/}}[Q={QUALITY}]" 0.5
rm "$t.v" "$t.sharp.v"
"""
MOGRIFY = ("-gamma", "1.25", "-unsharp", "0x2+0.5+0", "-filter", "Lanczos", "-resize", "50%", "-quality", str(QUALITY),
           "-sampling-factor", "4:4:4", "-define", "jpeg:optimize-coding=false")
COMPARED = 4
SMALL, SMALL_COUNT = 200, 10_000
"""Pixels on each side of a small picture, and how many of them there are."""


def photos(bench: Bench) -> tuple[Path, int]:
    """Return the folder of large photographs and how many they are."""
    count = 4 if bench.quick else 60
    return folder_of_photos(bench.work, count, *bench.size), count


def thumbnails(bench: Bench) -> tuple[Path, int]:
    """Return the folder of small pictures and how many they are, cut from the mosaic."""
    count = 50 if bench.quick else SMALL_COUNT
    folder = bench.work / f"small-{count}"
    if not folder.is_dir():
        from PIL import Image

        from benchmarks.picture import photograph8

        making = folder.with_name(f"{folder.name}.making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        picture = photograph8(2000, 3000)
        rng = np.random.default_rng(0)
        for i, (y, x) in enumerate(zip(rng.integers(0, 1800, count), rng.integers(0, 2800, count), strict=True)):
            Image.fromarray(picture[y:y + SMALL, x:x + SMALL]).save(making / f"{i:05}.jpg", quality=92)
        making.rename(folder)
    return folder, count


def filling(bench: Bench, name: str, words: list[str], count: int, keep: bool = False) -> Ready:
    """Measure a command that fills the folder `name`; with `keep`, what it holds before is left there."""
    out = bench.scratch / name

    def fresh() -> None:
        if not keep:
            shutil.rmtree(out, ignore_errors=True)
        out.mkdir(exist_ok=True)

    def made() -> dict[str, np.ndarray]:
        from PIL import Image

        return {path.name: np.asarray(Image.open(path)) for path in sorted(out.glob("*.jpg"))[::-(-count // COMPARED)]}

    def done() -> None:
        found = [path for path in out.glob("*.jpg") if path.stat().st_size > 0]
        if len(found) != count:
            raise ValueError(f"{len(found)} of {count} pictures were made")

    return process(words, made, before=fresh, done=done)


def command(bench: Bench, source: Path, name: str, *options: str) -> list[str]:
    """Return the command that runs the recipe."""
    recipe = bench.scratch / "runs.toml"
    recipe.write_text(RECIPE)
    return [*bench.command, "run", str(recipe), str(source), "-o", str(bench.scratch / name), "--quality", str(QUALITY),
            "--quiet", *options]


def _ours(name: str, *options: str) -> Contestant:
    def prepare(bench: Bench) -> Ready:
        source, count = photos(bench)
        return filling(bench, name, command(bench, source, name, *options), count)

    return Contestant(name, prepare)


def _vips(name: str, script: str, at_once: bool) -> Contestant:
    def prepare(bench: Bench) -> Ready:
        if shutil.which("vips") is None:
            raise AbsentError("the vips command is not installed")
        source, count = photos(bench)
        folder, between = f"runs-vips-{name}-{at_once:d}", bench.scratch / "runs-between"
        between.mkdir(exist_ok=True)
        (between / "unsharp.mat").write_text(UNSHARP_MATRIX)
        one, out = between / f"{name}.sh", bench.scratch / folder
        one.write_text(script)
        if at_once:
            loop = f'ls "{source}"/*.jpg | VIPS_CONCURRENCY=1 xargs -P{cores()} -I% sh "{one}" % "{between}" "{out}"'
        else:
            loop = f'set -e; for photo in "{source}"/*.jpg; do sh "{one}" "$photo" "{between}" "{out}"; done'
        return filling(bench, folder, ["sh", "-c", loop], count)

    return Contestant(f"libvips {name}, {'a photo a core' if at_once else 'one by one'}", prepare, tolerance=2)


def _magick(at_once: bool) -> Contestant:
    def prepare(bench: Bench) -> Ready:
        if not magick():
            raise AbsentError("ImageMagick's commands are not installed")
        (source, count), folder = photos(bench), f"runs-magick-{at_once:d}"
        words = " ".join([*magick(), "-path", f'"{bench.scratch / folder}"', *MOGRIFY])
        if not at_once:
            return filling(bench, folder, ["sh", "-c", f'{words} "{source}"/*.jpg'], count)
        shared = f"MAGICK_THREAD_LIMIT=1 xargs -P{cores()} -n{-(-count // cores())} {words}"
        return filling(bench, folder, ["sh", "-c", f'ls "{source}"/*.jpg | {shared}'], count)

    return Contestant(f"ImageMagick mogrify, {'a share a core' if at_once else 'one by one'}", prepare, tolerance=1)


VIPS = tuple(_vips(name, script, at_once) for name, script in (("recomb", RECOMB), ("sharpen", SHARPEN))
             for at_once in (False, True))
MAGICK = (_magick(False), _magick(True))


def _busy(times: Times) -> float:
    """Return the part of all cores' time that was used, of the whole process, its start included."""
    samples = times["photochrom"].samples
    return sum(sample.cpu for sample in samples) / sum(sample.seconds for sample in samples) / cores()


def _steady(name: str, *options: str) -> Contestant:
    """Time a run from the moment its first picture is begun to the word that the last is done: start-up is left out.

    When a picture was begun follows from the time of its file and the seconds it took, whoever told of it when.
    """
    def prepare(bench: Bench) -> Ready:
        source, count = photos(bench)
        if "ray" in options and importlib.util.find_spec("ray") is None:
            raise AbsentError("Ray is not installed")
        folder = f"steady-{name}"
        words = [word for word in command(bench, source, folder, "--json", *options) if word != "--quiet"]

        def once() -> Sample:
            shutil.rmtree(bench.scratch / folder, ignore_errors=True)
            begun = []
            with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
                assert running.stdout is not None
                for line in running.stdout:
                    event = json.loads(line)
                    if event["event"] == "done":
                        ended = time.time()
                        begun.append(Path(event["output"]).stat().st_mtime - event["seconds"])
            if running.returncode or len(begun) != count:
                raise ProcessError(f"{name}: {len(begun)} of {count} pictures were made")
            return Sample(ended - min(begun))

        return Ready(once)

    return Contestant(name, prepare, against=None)


BARE = """
import sys, time
from pathlib import Path
import numpy as np, torch, pyvips
from photochrom.engine.recipes import load_recipe
from photochrom.num.parallel import limit_threads
from photochrom.num.samples import pack
recipe, files = load_recipe(sys.argv[1]), sorted(Path(sys.argv[2]).glob("*.jpg"))
out = Path(sys.argv[3])
with limit_threads(1), torch.no_grad():
    for file in files:
        decoded = pyvips.Image.jpegload(str(file)).numpy()
        image = torch.from_numpy(decoded.transpose(2, 0, 1).copy())[None].float().div_(255)
        made = recipe(image)[0]
        stored = np.empty((*made.shape[1:], 3), np.uint8)
        pack(made.numpy(), stored)
        pyvips.Image.new_from_array(stored).jpegsave(str(out / file.name), Q=int(sys.argv[4]))
"""


def _bare(bench: Bench) -> Ready:
    source, count = thumbnails(bench)
    command(bench, source, "small-bare")
    words = [*bench.python, "-c", BARE, str(bench.scratch / "runs.toml"), str(source),
             str(bench.scratch / "small-bare"), str(QUALITY)]
    return filling(bench, "small-bare", words, count)


def _small(bench: Bench) -> Ready:
    source, count = thumbnails(bench)
    return filling(bench, "small", command(bench, source, "small", "--jobs", "1"), count)


def _small_all(bench: Bench) -> Ready:
    source, count = thumbnails(bench)
    return filling(bench, "small-all", command(bench, source, "small-all"), count)


def _finished(bench: Bench) -> Ready:
    source, count = thumbnails(bench)
    words = command(bench, source, "finished")
    (bench.scratch / "finished").mkdir(exist_ok=True)
    subprocess.run(words, check=True)
    return filling(bench, "finished", words, count, keep=True)


def _overhead(name: str, shared: int) -> Target:
    text = "--jobs 1" if shared == 1 else f"beside the bare loop's time on {cores()} cores"

    def value(times: Times) -> float:
        return (times[name].median - times["bare"].median / shared) * 1000 / SMALL_COUNT

    return Target(f"overhead per picture, {text} < 4 ms", value, 4.0, "<", "ms")


ROWS = (
    Row(name="run-photos",
        about="60 JPEGs of 12 megapixels through power, unsharp_mask and resize to the half, whole commands",
        contestants=(_ours("photochrom"), *VIPS, *MAGICK),
        targets=(times_as_fast(tuple(way.name for way in VIPS), 1, name="libvips, its best way"),
                 times_as_fast(tuple(way.name for way in MAGICK), 2, name="ImageMagick, its best way"),
                 Target("cores busy > 0.85", _busy, 0.85, ">=", "of all"),
                 Target("photochrom, all photos", lambda times: times["photochrom"].median, unit="s")),
        measure="mean", unit="of 255", rounds=1, warm=0,
        notes=("libvips is rounded down to 8 bits between its steps and, with sharpen, works on lightness.",
               "cores busy counts the whole process, the loading of Python and torch included.")),
    Row(name="run-ray", about="the same run in threads and in the actors of a Ray started for it, start-up aside",
        contestants=(_steady("local"), _steady("ray", "--engine", "ray")),
        targets=(Target("throughput of ray / local ≥ 0.85",
                        lambda times: times["local"].median / times["ray"].median, 0.85, ">="),),
        rounds=2, warm=0),
    Row(name="run-small",
        about="10,000 JPEGs of 200 x 200 through the same recipe; bare is decode, recipe, encode in a loop and no more",
        contestants=(Contestant("photochrom --jobs 1", _small), Contestant("photochrom", _small_all),
                     Contestant("bare", _bare, tolerance=1)),
        targets=(_overhead("photochrom --jobs 1", 1), _overhead("photochrom", cores())),
        measure="mean", unit="of 255", rounds=1, warm=0),
    Row(name="run-finished", about="the same run started again when it is finished",
        contestants=(Contestant("photochrom", _finished, against=None),),
        targets=(Target("nothing to do, 10,000 pictures < 5 s", lambda times: times["photochrom"].median, 5.0, "<",
                        "s"),),
        rounds=3, warm=0),
)

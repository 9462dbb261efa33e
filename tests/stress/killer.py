"""Start a run, kill it at a random moment, look at what it left, start it again: `killer.py FOLDER KILLS SEED`.

FOLDER holds `in`, the recipes `a.toml` and `b.toml`, and their expected results `a` and `b`. Runs are forked from this
process, which has imported everything and started no threads: starting Python anew would take most of the time.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import photochrom
from photochrom.cli import main
from photochrom.engine import matched, runs  # noqa: F401  what a run needs is loaded before the fork

OUT_OF_TIME = 60


def start(folder: Path, recipe: str) -> int:
    """Fork a process that runs a recipe; return its id."""
    child = os.fork()
    if child:
        return child
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    sys.argv = ["photochrom", "run", str(folder / f"{recipe}.toml"), str(folder / "in"), "-o", str(folder / "out"),
                "--jobs", "2"]
    code = 1
    with contextlib.suppress(BaseException):
        try:
            main.main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
    os._exit(code)


def ended(child: int, seconds: float) -> int | None:
    """Wait for a process; kill it when the time is up. Return its exit code, None if it was killed."""
    stop = time.monotonic() + seconds
    while time.monotonic() < stop:
        if os.waitpid(child, os.WNOHANG)[0]:
            return 0
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def pictures(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder but those that are hidden."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*")
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)}


def main_loop(folder: Path, kills: int, seed: int) -> dict[str, int]:
    """Kill runs; raise where one left anything but whole pictures of one of the recipes, or did not go on."""
    assert photochrom.__version__
    expected = {name: pictures(folder / name) for name in "ab"}
    draw = random.Random(seed)
    began = time.monotonic()
    assert ended(start(folder, "a"), OUT_OF_TIME) == 0
    whole = time.monotonic() - began
    assert pictures(folder / "out") == expected["a"]
    landed = finished = 0
    recipe = "b"
    while landed < kills:
        if ended(start(folder, recipe), draw.uniform(0, 0.6 * whole)) is None:
            landed += 1
            for name, data in pictures(folder / "out").items():
                assert data in (expected["a"].get(name), expected["b"].get(name)), f"{name} after kill {landed}"
            if landed < kills and draw.random() < 0.8:   # most are resumed several times
                continue
        assert ended(start(folder, recipe), OUT_OF_TIME) == 0
        assert pictures(folder / "out") == expected[recipe], f"resumed after kill {landed}"
        assert not list((folder / "out" / ".photochrom" / "parts").iterdir())
        finished += 1
        recipe = draw.choice("ab")
        if draw.random() < 0.5:   # else the results of the other recipe are replaced
            shutil.rmtree(folder / "out")
    return {"kills": landed, "finished": finished}


if __name__ == "__main__":
    print(json.dumps(main_loop(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))

"""What a measurement was made on: machine, versions, commit, date. No host name, no paths."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "numpy", "numba", "scipy", "pyvips", "pyvips-binary", "opencv-python-headless", "opencv-python",
            "scikit-image", "kornia", "typer")


def facts() -> dict[str, Any]:
    """Return everything a reader needs in order to judge the figures."""
    import photochrom

    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "photochrom": photochrom.__version__,
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(memory() / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := version(name))},
        "commands": {name: found for name, found in (("vips", first_line("vips", "--version")),
                                                     ("ImageMagick", first_line(magick()[:1], "-version"))) if found},
        "threads": threads(),
        "load_average_before": load(),
    }


def load() -> list[float]:
    """Return the load averages: anything well above 0 before the start means that others were at work."""
    return [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else []


def magick() -> tuple[str, ...]:
    """Return how ImageMagick's mogrify is started; empty if it is not installed."""
    if shutil.which("magick"):
        return ("magick", "mogrify")
    return ("mogrify",) if shutil.which("mogrify") else ()


def version(package: str) -> str | None:
    """Return the version of an installed package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def first_line(command: str | tuple[str, ...], *arguments: str) -> str | None:
    """Return the first line a command prints, None if it is not installed."""
    words = (command,) if isinstance(command, str) else command
    if not words or shutil.which(words[0]) is None:
        return None
    done = subprocess.run([*words, *arguments], capture_output=True, text=True, check=False)
    return next(iter((done.stdout or done.stderr).splitlines()), "").removeprefix("Version: ").split(" http")[0].strip()


def commit() -> str:
    """Return the commit, marked if the working tree differs from it."""
    root = Path(__file__).parent.parent

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        head = git("rev-parse", "--verify", "HEAD")
        return (head or "none yet") + (" with changes" if git("status", "--porcelain") else "")
    except OSError:
        return "unknown"


def processor() -> str:
    """Return the processor's model name."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def memory() -> int:
    """Return the bytes of memory the machine has; 0 if it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def threads() -> dict[str, int]:
    """Return how many threads each library uses by itself: none is held back."""
    import torch

    from photochrom.num.parallel import threads as ours

    found = {"photochrom": ours(), "torch": torch.get_num_threads()}
    try:
        import cv2

        found["OpenCV"] = cv2.getNumThreads()
    except ImportError:
        pass
    return found

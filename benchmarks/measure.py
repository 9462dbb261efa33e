"""Taking the time: of calls in this process, and of whole processes with their peak memory."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.row import Ready, Result, Sample

PAUSE = 0.05
"""Seconds between two measurements: threads of the one before that spin while they wait must have gone to sleep."""
AWAKE = 0.05
"""Seconds of work on all cores after that. One that idled is slow: on a virtual machine 22 ms of work took 39."""
LAUNCHER = Path(__file__).with_name("launch.py")


class ProcessError(Exception):
    """A command that was to be measured failed."""


def call(function: Callable[[], Any], form: Callable[[Any], Any] = lambda made: made) -> Ready:
    """Make a contestant of a function.

    Args:
        function: what is timed; its inputs are bound.
        form: brings what it returns into the form in which results are compared, outside the time.
    """
    def once() -> Sample:
        began = time.perf_counter()
        made = function()
        seconds = time.perf_counter() - began
        del made
        return Sample(seconds)

    return Ready(once, lambda: form(function()))


def single(function: Callable[[], Any]) -> Ready:
    """Make a contestant of a function that takes minutes: the run whose result is compared is the one that is timed."""
    taken: list[Sample] = []

    def run() -> Any:
        began = time.perf_counter()
        made = function()
        taken.append(Sample(time.perf_counter() - began))
        return made

    def once() -> Sample:
        if not taken:
            run()
        return taken.pop()

    return Ready(once, run)


def process(words: Sequence[str], result: Callable[[], Any] | None = None, *,
            before: Callable[[], None] = lambda: None, done: Callable[[], None] = lambda: None) -> Ready:
    """Make a contestant of a command.

    Args:
        words: the command.
        result: reads what the command has made.
        before: clears away earlier results, outside the time.
        done: looks at what was made and raises if something is missing, outside the time.
    """
    def once() -> Sample:
        before()
        sample = run_process(words)
        done()
        return sample

    def made() -> Any:
        once()
        assert result is not None
        return result()

    return Ready(once, None if result is None else made)


def run_process(words: Sequence[str]) -> Sample:
    """Run a command to its end and return time, peak memory and processor time; raise with its last words on failure.

    The peak is that of the process or, where it starts others, of the largest of them.
    """
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        launched = subprocess.run([sys.executable, "-I", "-S", str(LAUNCHER), log.name, *words],
                                  capture_output=True, text=True, check=False)
        if launched.returncode:
            raise ProcessError(launched.stderr.strip().splitlines()[-1])
        took = json.loads(launched.stdout)
        if took["code"]:
            said = Path(log.name).read_text(errors="replace").strip().splitlines() or ["(nothing)"]
            raise ProcessError(f"{Path(words[0]).name} ended with {took['code']}: {said[-1]}")
    return Sample(took["seconds"], took["peak"], took["cpu"])


def _awaken(seconds: float) -> None:
    """Keep all cores at work."""
    from photochrom.num.parallel import threads

    values, end = np.ones(20_000, np.float32), time.perf_counter() + seconds

    def work() -> None:
        while time.perf_counter() < end:
            values.sum()

    others = [threading.Thread(target=work) for _ in range(threads() - 1)]
    for thread in others:
        thread.start()
    work()
    for thread in others:
        thread.join()


def interleave(contestants: Mapping[str, Ready], rounds: int, warm: int = 1) -> dict[str, Result]:
    """Measure all contestants in turn, so that whatever disturbs the machine disturbs all alike.

    Every second round runs backwards, C B A: what one leaves behind, such as memory the system must clear, then
    does not always fall on the same other.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in contestants}
    for turn in range(-warm, rounds):
        for name, ready in list(contestants.items())[::1 if turn % 2 == 0 else -1]:
            gc.collect()
            time.sleep(PAUSE)
            _awaken(AWAKE)
            sample = ready.once()
            if turn >= 0:
                samples[name].append(sample)
    return {name: Result(tuple(found)) for name, found in samples.items()}

"""Several pieces of work at once, in threads: the local engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from photochrom.engine.run import Progress
from photochrom.num.parallel import limit_threads, threads

Item = TypeVar("Item")
Result = TypeVar("Result")

PATIENCE = 0.5
"""Seconds that work under way is given to end when the run is given up."""
NAME = "photochrom-run"
AHEAD = 2
"""Pieces handed out for each worker, so that none waits while a result is dealt with."""


class StoppedError(Exception):
    """The run was given up; the piece at work is left out."""


def spread(task: Callable[[Item, Progress], Result], items: Iterable[Item], workers: int,
           progress: Progress = lambda pixels: None) -> Iterator[Result]:
    """Do a task for every item, several at once, and yield each result as it comes.

    The work runs in threads even if there is one worker only: the calling thread is free to hear an interrupt. When the
    caller stops early, work that has not begun is dropped and work under way ends at its next call of `progress`; what
    has not ended after a second is not waited for.

    Args:
        task: called with an item and the function it tells its progress to.
        items: pulled as they are needed.
        workers: pieces worked on at once; the cores are divided among them.
        progress: called with the number of pixels finished since the last call.
    """
    stop = threading.Event()

    def report(pixels: int) -> None:
        if stop.is_set():
            raise StoppedError
        progress(pixels)

    def work(item: Item) -> Result:
        with limit_threads(max(1, threads() // workers)):
            return task(item, report)

    waiting = iter(items)
    running: set[Future[Result]] = set()
    pool = ThreadPoolExecutor(workers, thread_name_prefix=NAME)
    try:
        def more(count: int) -> None:
            for _ in range(count):
                for item in waiting:
                    running.add(pool.submit(work, item))
                    break

        more(workers * AHEAD)
        while running:
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            running -= ended
            more(len(ended))
            for future in ended:
                yield future.result()
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
        wait([future for future in running if not future.cancelled()], timeout=PATIENCE)

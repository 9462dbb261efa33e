"""Threads without oversubscription: one shared pool, whose workers never start threads of their own."""

import itertools
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

_local = threading.local()  # .limit: the number of threads this thread may use
_lock = threading.RLock()
_pool: ThreadPoolExecutor | None = None


def _cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def threads() -> int:
    """Return how many threads work started from the calling thread may use: 1 inside a pool worker."""
    limit: int | None = getattr(_local, "limit", None)
    return _cores() if limit is None else limit


def _set_torch_threads(n: int) -> None:
    """Give the calling thread, and no other, `n` threads inside torch operations."""
    import torch

    # torch.set_num_threads also stores n as the default of every thread started later. Only a fresh thread shows
    # that default (any other has its own setting already), and only a fresh thread can put it back without
    # changing a setting that someone uses.
    if torch.get_num_threads() == n:
        return
    with _lock:
        default: list[int] = []
        _in_fresh_thread(lambda: default.append(torch.get_num_threads()))
        torch.set_num_threads(n)
        if default[0] != n:
            _in_fresh_thread(lambda: torch.set_num_threads(default[0]))


def _in_fresh_thread(function: Callable[[], None]) -> None:
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


@contextmanager
def limit_threads(n: int) -> Iterator[None]:
    """Make everything the calling thread does inside, torch operations included, use at most `n` threads.

    Nested limits only tighten. Threads started inside do not inherit the limit: each sets its own.

    Args:
        n: at least 1.

    Raises:
        ValueError: `n` is below 1.

    Example:
        >>> with limit_threads(1):
        ...     threads()
        1
    """
    import torch

    if n < 1:
        raise ValueError(f"limit_threads: n must be at least 1; got {n}")
    before: int | None = getattr(_local, "limit", None)
    torch_before = torch.get_num_threads()
    _local.limit = min(n, threads())
    try:
        _set_torch_threads(min(n, torch_before))
        yield
    finally:
        _local.limit = before
        _set_torch_threads(torch_before)


def _start_worker() -> None:
    _local.limit = 1
    _set_torch_threads(1)


def _forget_pool() -> None:
    """Drop the pool in a forked child: its threads exist in the parent alone."""
    global _pool, _lock
    _pool, _lock = None, threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)


def _shared_pool() -> ThreadPoolExecutor:
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(_cores(), thread_name_prefix="photochrom", initializer=_start_worker)
        return _pool


def _here(work: Callable[[int], None]) -> BaseException | None:
    """Do the first share in the calling thread, as a worker would; return what it raised."""
    before: int | None = getattr(_local, "limit", None)
    _local.limit = 1
    try:
        work(0)
    except BaseException as error:
        return error
    finally:
        _local.limit = before
    return None


def parallel_rows(
    function: Callable[[int, int], object], start: int, stop: int, grain: int, *, torch_inside: bool = False
) -> None:
    """Call `function(i0, i1)` over ranges of at most `grain` that together cover [start, stop).

    The ranges depend on `grain` alone, never on the number of threads, and so does the result of any function
    whose ranges are independent. At `threads() == 1`, which holds inside pool workers, or with one range, the
    calling thread does all the work itself.

    Args:
        function: does the work of one range; it should release the interpreter lock.
        start: first index.
        stop: one past the last index.
        grain: the length of a range, at least 1.
        torch_inside: hand even a single range to a worker, where torch runs one thread: waking torch's own threads
            for a small product can cost a hundred times the product when the cores are busy.

    Raises:
        Exception: whatever `function` raised first; ranges not begun by then are left undone.
    """
    starts = range(start, stop, max(1, grain))
    workers = min(threads(), len(starts))
    if workers <= 1 and not (torch_inside and workers and threads() > 1):
        for i in starts:
            function(i, min(i + starts.step, stop))
        return
    # Each worker begins in a stretch of its own: side by side, two would wait for one another at the first touch of
    # every fresh page. Whoever is done helps in the next stretch.
    bounds = [len(starts) * k // workers for k in range(workers + 1)]
    tickets = [itertools.count(first) for first in bounds[:-1]]  # next() is atomic
    failed = threading.Event()

    def work(own: int) -> None:
        for stretch in (*range(own, workers), *range(own)):
            while not failed.is_set() and (k := next(tickets[stretch])) < bounds[stretch + 1]:
                try:
                    function(starts[k], min(starts[k] + starts.step, stop))
                except BaseException:
                    failed.set()
                    raise

    # The calling thread is awake and takes a share, unless torch inside would start threads of its own there.
    first = 0 if torch_inside else 1
    jobs = [_shared_pool().submit(work, own) for own in range(first, workers)]
    errors: list[BaseException | None] = [_here(work)] if first else []
    errors += [job.exception() for job in jobs]
    for error in errors:
        if error is not None:
            raise error

"""Full-size work in a process of its own: progress, one job at a time, and an end to it at any moment."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from photochrom.core.errors import PhotochromError


class CancelledError(PhotochromError):
    """The work was ended by the user."""


class Worker:
    """One process that is begun when it is first needed and begun anew after it was ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._turn = threading.Lock()
        self._cancelled = False

    def start(self) -> None:
        """Begin the process, so that the first job need not wait for it."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen([sys.executable, "-m", "photochrom.studio.worker"], stdin=subprocess.PIPE,
                                             stdout=subprocess.PIPE, text=True, encoding="utf-8")

    def run(self, job: dict[str, Any], told: Callable[[dict[str, Any]], None] = lambda message: None) -> dict[str, Any]:
        """Do a job and return what it gives.

        Args:
            job: see `photochrom.studio.worker`.
            told: called with what the process tells on the way.

        Raises:
            CancelledError: `cancel` was called.
            PhotochromError: the job failed; one sentence.
        """
        with self._turn:
            self._cancelled = False
            self.start()
            process = self._process
            assert process is not None
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(json.dumps(job) + "\n")
                process.stdin.flush()
                for line in process.stdout:
                    message = json.loads(line)
                    if "done" in message:
                        return dict(message["done"])
                    if "failed" in message:
                        raise PhotochromError(message["failed"])
                    told(message)
            except (BrokenPipeError, json.JSONDecodeError):
                pass
            self._process = None
            if self._cancelled:
                raise CancelledError("cancelled; the picture and its steps are as they were")
            raise PhotochromError("the work at full size ended unexpectedly, most likely for want of memory; the "
                                  "picture and its steps are as they were")

    def cancel(self) -> None:
        """End the job in progress."""
        self._cancelled = True
        self.close()

    def close(self) -> None:
        """End the process."""
        process = self._process
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()


class Workers:
    """A worker for each of a few pages at once; a page waits for its turn."""

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(count)
        self._idle: list[Worker] = []
        self._all: list[Worker] = []
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin one process ahead."""
        worker = Worker()
        worker.start()
        with self._lock:
            self._idle.append(worker)
            self._all.append(worker)

    def run(self, session: Any, job: dict[str, Any], told: Callable[[dict[str, Any]], None] = lambda message: None
            ) -> dict[str, Any]:
        """Do a page's job; `cancel` ends it."""
        if session.job is not None:
            raise PhotochromError("this page already works at full size; wait for it, or cancel it")
        session.job = token = object()
        try:
            with self._free:
                if session.job is not token:
                    raise CancelledError("cancelled before it began")
                with self._lock:
                    worker = self._idle.pop() if self._idle else Worker()
                    if worker not in self._all:
                        self._all.append(worker)
                session.job = worker
                try:
                    return worker.run(job, told)
                finally:
                    with self._lock:
                        self._idle.append(worker)
        finally:
            session.job = None
            for part in Path(session.folder).glob(".photochrom-*"):
                part.unlink(missing_ok=True)

    def cancel(self, session: Any) -> bool:
        """End a page's job; tell whether there was one."""
        job = session.job
        if job is None:
            return False
        if isinstance(job, Worker):
            job.cancel()
        else:
            session.job = None
        return True

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            for worker in self._all:
                worker.close()

"""Pictures made on a cluster: the tasks of a run as rows of a Ray dataset.

A row is a picture's names, never its pixels: an actor reads the source, makes the picture and writes it into the output
folder, which all machines must see under the same name. What comes back is what the run records. A task that Ray does
twice ends in one file, because the name of an unfinished picture follows from what goes in and is given at once.
"""

from __future__ import annotations

import logging
import os
import pickle
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from photochrom.core.errors import ControlError, FileError
from photochrom.core.memory import KEEP_FREED
from photochrom.engine.files import Done
from photochrom.engine.making import Failed, Made, Maker, Same, Task
from photochrom.engine.run import Progress
from photochrom.io.formats import show
from photochrom.io.stores import Address, locate
from photochrom.num.parallel import limit_threads, threads

STORE = 100 << 20
"""Bytes of the object store of a Ray that is started here: rows are small."""
TOGETHER = 16
"""Pictures handed to an actor at once, at most; fewer where there are few, so that all have work to the end."""
TRIES = 3
"""How often a task is tried when its actor or its node dies; a file that kills actors then fails alone."""


class RayEngine:
    """Makes pictures in the actors of a Ray cluster.

    Args:
        address: of a running cluster, or "auto"; None starts Ray on this machine for the time of the run.
        gpus: that each actor is given, may be less than one.
        workers: actors; as many as the cluster has cores (with `gpus`, as the GPUs suffice for) if not given.

    Attributes:
        workers: How many actors there will be.

    Raises:
        ControlError: Ray is not installed, or cannot be reached.
    """

    def __init__(self, address: str | None = None, gpus: float = 0.0, workers: int | None = None) -> None:
        try:
            import ray
            import ray.data
        except ImportError:
            raise ControlError("--engine ray needs Ray; install it with: pip install 'photochrom[cluster]'") from None
        self.gpus = gpus
        self._ours = not ray.is_initialized()
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")   # what failed is told by the run
        local: dict[str, Any] = {"num_cpus": workers or threads(), "object_store_memory": STORE,
                                 "include_dashboard": False}
        if self._ours:
            try:
                ray.init(address, log_to_driver=False, logging_level=logging.ERROR, ignore_reinit_error=True,
                         **({} if address else local))
            except (ConnectionError, ValueError, RuntimeError) as error:
                reason = " ".join(str(error).split())
                raise ControlError(f"--address {address}: the Ray cluster cannot be reached ({reason})") from None
        # Ray tells on standard output, which is for results, that a node has gone; there is no setting for it.
        ray._private.worker.print_to_stdstream = lambda *_, **__: None
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)   # what failed is told by the run
        found: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        most = int(found.get("CPU", 1))
        if gpus:
            most = min(most, int(found.get("GPU", 0) / gpus))
            if most < 1:
                self.close()
                raise ControlError(f"--gpus {gpus:g}: the cluster has {found.get('GPU', 0):g} GPUs")
        self.workers = min(workers, most) if workers else most

    def __call__(self, task: Maker, items: Iterable[Task], workers: int, progress: Progress = lambda pixels: None
                 ) -> Iterator[Made | Done | Same | Failed]:
        """Do every task and yield each result as its row comes back."""

        left = dict(enumerate(items))
        together = max(1, min(TOGETHER, len(left) // (8 * workers)))
        # A node that goes takes along what its actors had in hand; that is handed out again, one by one.
        for _ in range(TRIES):
            if not left:
                return
            for number, result in self._attempt(task, left, min(workers, self._most()), together):
                if isinstance(result, (Made, Done)):
                    done = result.done if isinstance(result, Made) else result
                    progress(done.width * done.height)
                if left.pop(number, None) is not None:
                    yield result
            together = 1
        for item in left.values():
            yield Failed(item.job.source, FileError(f"{show(item.job.source)}: the actor that made it died, "
                                                    f"{TRIES} times"), item.job.target)

    def _attempt(self, task: Maker, tasks: Mapping[int, Task], workers: int, together: int
                 ) -> Iterator[tuple[int, Made | Done | Same | Failed]]:
        """Do tasks once and yield those that came back, by number."""
        import ray.data

        rows = [{"number": number, "source": os.fsencode(item.job.source), "target": os.fsencode(item.job.target),
                 "known": pickle.dumps(item)} for number, item in tasks.items()]
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.max_errored_blocks = -1   # what is missing at the end is tried again
        named = ray.data.from_items(rows, override_num_blocks=-(-len(rows) // together))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)   # of the number of retries, which has no new name yet
            made = named.map_batches(
                Actor, fn_constructor_args=(task,), batch_size=together, concurrency=workers, num_cpus=1,
                num_gpus=self.gpus or None, runtime_env={"env_vars": KEEP_FREED}, max_restarts=-1,
                max_task_retries=0)
        for row in made.iter_rows():
            yield int(row["number"]), pickle.loads(row["result"])

    def _most(self) -> int:
        """Return how many actors the cluster has room for now."""
        import ray

        found: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        most = int(found.get("CPU", 1))
        return max(1, min(most, int(found.get("GPU", 0) / self.gpus)) if self.gpus else most)

    def close(self) -> None:
        """Let go of the cluster; a Ray that was started here ends."""
        if self._ours:
            with suppress(Exception):
                import ray

                ray.shutdown()


class Actor:
    """One worker process: it holds the recipe, its networks included, from the first picture to the last."""

    def __init__(self, maker: Maker) -> None:
        self.maker = maker

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Make some pictures one after the other."""
        results = []
        with limit_threads(1):
            for known in batch["known"]:
                results.append(pickle.dumps(self.maker(pickle.loads(known))))
        return {"number": batch["number"], "result": results}


def absolute(paths: Iterable[str | Path]) -> list[Path]:
    """Return paths as other machines understand them; addresses of stores are the same everywhere."""
    found = (locate(path) for path in paths)
    return [path if isinstance(path, Address) else Path(os.path.abspath(path)) for path in found]

"""Where the work is done: a function and a list of tasks go in, results come out as they are ready.

Every task reads files and writes files, in folders that all workers see, and hands back a few numbers. So each engine
gives the same result, and a run that was killed goes on from the files that are there.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, Literal, Protocol, Self, TypeVar

EngineName = Literal["local", "dask", "spark"]
Task = TypeVar("Task")
Result = TypeVar("Result")


class EngineError(RuntimeError):
    """An engine that cannot be used or that broke down: what happened and what to do."""


class Engine(Protocol):
    """An engine runs one function over many tasks."""

    workers: int

    def map(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """The results, in any order."""
        ...


def open_engine(name: EngineName, workers: int, address: str) -> AbstractContextManager[Engine]:
    """The engine, for as long as it is needed. `address`: of a cluster that runs already. Raises EngineError."""
    if name == "local":
        return Local(workers)
    try:
        if name == "dask":
            from cds_hooks.replay.dask_engine import Dask  # noqa: PLC0415 - an extra

            return Dask(workers, address)
        from cds_hooks.replay.spark_engine import Spark  # noqa: PLC0415 - an extra

        return Spark(workers, address)
    except ModuleNotFoundError as error:
        raise EngineError(
            f"The engine {name} needs the extra `{name}` ({error.name} is missing): "
            f"pip install 'twitching-cds[{name}]'."
        ) from None


def cores() -> int:
    """How many processes this one may keep busy."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Local:
    """Processes on this machine; a single one needs no other process."""

    def __init__(self, workers: int) -> None:
        self.workers = workers or cores()
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        if self.workers > 1:
            self._pool = ProcessPoolExecutor(
                self.workers, multiprocessing.get_context("spawn"), initializer=_end_with_parent
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def map(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """The results as they are ready. Raises EngineError when a process was killed."""
        if self._pool is None:
            yield from map(function, tasks)
            return
        coming = iter(tasks)
        try:
            running = {self._pool.submit(function, task) for task in islice(coming, 2 * self.workers)}
            while running:
                ready, running = wait(running, return_when=FIRST_COMPLETED)
                running |= {self._pool.submit(function, task) for task in islice(coming, len(ready))}
                for future in ready:
                    yield future.result()
        except BrokenProcessPool:
            raise EngineError(
                "A worker process was ended, perhaps for want of memory. Run the same command again: it goes on where "
                "this one stopped (fewer --workers need less memory)."
            ) from None


def _end_with_parent() -> None:
    """A worker must not outlive a parent that was killed."""
    parent = multiprocessing.parent_process()

    def watch(process: Any) -> None:
        process.join()
        os._exit(1)

    threading.Thread(target=watch, args=(parent,), daemon=True).start()

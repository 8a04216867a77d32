"""The work on a Dask cluster: one that runs already, or processes of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Self, TypeVar

from distributed import Client, as_completed

from cds_hooks.replay.engines import EngineError, cores

Task = TypeVar("Task")
Result = TypeVar("Result")


class Dask:
    """Submits every task to the scheduler at `address`, or to a cluster of its own on the loopback address."""

    def __init__(self, workers: int, address: str) -> None:
        try:
            if address:
                self._client = Client(address, timeout=30)
            else:
                self._client = Client(
                    n_workers=workers or cores(),
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address=None,
                )
        except OSError as error:
            raise EngineError(f"--cluster {address}: no Dask scheduler answers there ({error}).") from None
        self.workers = sum(self._client.nthreads().values()) or 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        if self._client.cluster is not None:
            self._client.cluster.close()

    def map(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """The results as they are ready; a few tasks per worker are under way at a time."""
        coming = iter(tasks)
        running = as_completed(with_results=True)
        for _ in range(3 * self.workers):
            self._submit(function, next(coming, None), running)
        for _, result in running:
            self._submit(function, next(coming, None), running)
            yield result

    def _submit(self, function: Callable[[Task], Result], task: Task | None, running: as_completed) -> None:
        if task is not None:
            running.add(self._client.submit(function, task, pure=False))

"""The work on a Spark cluster: the one that spark-submit or `address` names, or threads of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Self, TypeVar

from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from cds_hooks.replay.engines import EngineError, cores

Task = TypeVar("Task")
Result = TypeVar("Result")


class Spark:
    """Runs one Spark job per round of tasks, one Spark partition per task."""

    def __init__(self, workers: int, address: str) -> None:
        builder = SparkSession.builder.appName("twitching-cds replay")
        if address:
            builder = builder.master(address)
        elif SparkSession.getActiveSession() is None:
            builder = (
                builder.master(f"local[{workers or cores()}]")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.driver.host", "127.0.0.1")
            )
        builder = builder.config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
        try:
            self._session = builder.getOrCreate()
        except (PySparkRuntimeError, OSError, RuntimeError) as error:
            raise EngineError(f"Spark does not start; it needs Java 17 or newer ({error}).") from None
        self._session.sparkContext.setLogLevel("ERROR")
        self.workers = self._session.sparkContext.defaultParallelism

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.stop()

    def map(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """The results, round by round."""
        step = 4 * self.workers
        context = self._session.sparkContext
        for start in range(0, len(tasks), step):
            part = tasks[start : start + step]
            yield from context.parallelize(part, len(part)).map(function).collect()

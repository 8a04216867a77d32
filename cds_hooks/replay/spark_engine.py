"""The work on a Spark cluster: the one that spark-submit or `address` names, or threads of this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Self, TypeVar

from pyspark.sql import SparkSession

from cds_hooks.replay.engines import EngineError, cores

Task = TypeVar("Task")
Result = TypeVar("Result")


class Spark:
    """Runs one Spark job per round of tasks, one Spark partition per task."""

    def __init__(self, workers: int, address: str) -> None:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = SparkSession.builder.appName("twitching-cds replay")
        if address:
            builder = builder.master(address)
        elif "PYSPARK_GATEWAY_PORT" not in os.environ:  # not started by spark-submit, which brings the master
            builder = (
                builder.master(f"local[{workers or cores()}]")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.driver.host", "127.0.0.1")
            )
        builder = builder.config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
        try:
            self._session = builder.getOrCreate()
        except Exception as error:  # noqa: BLE001 - whatever Java or the network says
            raise EngineError(f"Spark does not start; it needs Java 17 or newer ({_line(error)}).") from None
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
            try:
                results = context.parallelize(part, len(part)).map(function).collect()
            except Exception as error:  # noqa: BLE001 - Py4J hands every failure of a task on as its own
                raise EngineError(
                    f"Spark gave up ({_line(error)}). Run the same command again: it goes on where this one stopped."
                ) from None
            yield from results


def _line(error: Exception) -> str:
    """The last line that says what happened; a Java trace is of no use to the reader."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if "Error" in line and not line.startswith("at ")]
    return (named or lines or [type(error).__name__])[-1][:300]

"""The folder in which several workers keep their counters. Imports nothing that counts: it must exist before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable that the metrics library reads when it is imported, in every process."""


@contextmanager
def shared_counters(workers: int) -> Iterator[None]:
    """For more than one worker: a folder of this run, unless the environment names one."""
    if workers == 1 or SHARED_FOLDER in os.environ:
        yield
        return
    with TemporaryDirectory(prefix="twitching-cds-") as folder:
        os.environ[SHARED_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[SHARED_FOLDER]

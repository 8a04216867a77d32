"""Log lines as JSON objects, without patient data: what a line may hold is listed, the rest is left out."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import msgspec

from cds_hooks.http import origin

OURS = ("twitching_cds", "uvicorn.error")
"""Loggers whose messages are known to hold nothing that a caller sent."""
FIELDS = (
    "request_id",
    "service",
    "operation",
    "status",
    "ms",
    "cards",
    "indicator",
    "gaps",
    "outcomes",
    "withheld",
    "trigger",
    "client",
)
"""What a line may hold besides its message, as `extra`."""
WITHHELD = "withheld: the text of other libraries may hold what a caller sent"


class JsonLines(logging.Formatter):
    """One line per record. Of an exception it keeps the kind and the place, never the text."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage().strip() if record.name in OURS else WITHHELD,
        }
        for field in FIELDS:
            value = getattr(record, field, None)
            if value is not None and value != "":
                line[field] = value
        if record.name not in OURS:
            line["at"] = f"{record.filename}:{record.lineno}"
        if record.exc_info and record.exc_info[1]:
            line |= {"error": type(record.exc_info[1]).__name__, "at": origin(record.exc_info[1])}
        return msgspec.json.encode(line).decode()


def log_to_standard_error(level: str) -> None:
    """Send every record of ours, and the warnings of others, to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    handler.addFilter(lambda record: record.name in OURS or record.levelno >= logging.WARNING)
    # What no line shows need not be found out.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(level=level, handlers=[handler])

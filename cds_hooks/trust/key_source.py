"""Where the keys of a client come from, and reading them from a file that was handed over."""

from __future__ import annotations

from pathlib import Path

KeySource = str | Path | bytes
"""A URL, a file, or the document itself."""
MAX_BYTES = 1_000_000


class FetchError(Exception):
    """The key set could not be read; the message names a cause, nothing that the server sent."""


def read_key_file(path: Path) -> bytes:
    """The document in a file. Raises FetchError."""
    try:
        with path.open("rb") as file:
            document = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FetchError(error.strerror or type(error).__name__) from None
    if len(document) > MAX_BYTES:
        raise FetchError(f"more than {MAX_BYTES} bytes")
    return document

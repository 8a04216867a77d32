"""Style sheets, scripts and pictures, each named with the digest of its content so that browsers keep it for good."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).with_name("static")
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
FOR_GOOD = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
"""For a module that another one imports by its bare name: the browser asks whether it has changed."""


class StaticFile(NamedTuple):
    """One file; `digest` is that of its content."""

    content: bytes
    digest: str
    media_type: str


@cache
def _files() -> dict[str, StaticFile]:
    """Every file of the folder by its path below it; nothing else can be asked for."""
    found = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in TYPES:
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:16]
            found[path.relative_to(FOLDER).as_posix()] = StaticFile(content, digest, TYPES[path.suffix])
    return found


def address(name: str) -> str:
    """`/static/style.css?v=…`. Raises KeyError for a file that is not there."""
    return f"/static/{name}?v={_files()[name].digest}"


def static_file(request: Request, _: object) -> Response:
    """One file, or 304 if the browser has this very content."""
    file = _files().get(request.path_params["name"])
    if file is None:
        return Response("There is no such file.\n", 404, media_type="text/plain")
    tag = f'"{file.digest}"'
    headers = {
        "ETag": tag,
        "Cache-Control": FOR_GOOD if request.query_params.get("v") == file.digest else ASK_AGAIN,
    }
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers, media_type=file.media_type)

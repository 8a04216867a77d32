"""Templates to pages. Imports the template engine, so it is imported with the first page only."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

import cds_hooks
from cds_hooks.pages.pages import Pages
from cds_hooks.pages.static_files import address


@cache
def environment() -> Environment:
    """The templates; everything filled in is escaped, and a name that nobody filled in is an error."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(
    template: str, request: Request, pages: Pages, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """The page that `template` makes of `values`, inside the common frame of `base.html`.

    A template writes its own addresses as `{{ root }}/…`, files as `{{ static('name') }}` and the page of a rule as
    `{{ path(id) }}`, so that they hold behind a proxy too.
    """
    root = pages.settings.root_path
    text = (
        environment()
        .get_template(template)
        .render(
            root=root,
            static=lambda name: root + address(name),
            path=lambda identifier: f"{root}/knowledge/{quote(identifier, safe=':')}",
            areas=pages.areas,
            here=request.url.path,
            version=cds_hooks.__version__,
            knowledge_version=pages.knowledge.version,
            reviewed=pages.knowledge.release.status,
            signed_in=bool(request.scope.get("state", {}).get("operator")),
            **values,
        )
    )
    return HTMLResponse(text, status)

"""A page of the knowledge at a terminal, as wide as the terminal is."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from cds_hooks.knowledge_pages.page import Page


def show(page: Page, console: Console) -> None:
    """Print one page; long lines are wrapped, nothing is cut."""
    console.print(Text.assemble((page.title, "bold"), f" ({page.id})"))
    for section in page.sections:
        console.print(Text(section.heading, "cyan"))
        for line in section.lines:
            bullet = f"- {line}" if len(section.lines) > 1 else line
            console.print(Padding(Text(bullet), (0, 0, 0, 3)))

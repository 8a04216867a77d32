"""Tables that a command measures and writes into a page of docs/, between `<!-- table: NAME -->` and `<!-- end -->`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Table(NamedTuple):
    """A Markdown table."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        lines = [self.head, ["---"] * len(self.head), *self.rows]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def replace_table(page: Path, name: str, table: Table) -> None:
    """Put a table in the place of the one before. Raises ValueError if the page has no place for it."""
    text = page.read_text(encoding="utf-8")
    place = re.compile(rf"(<!-- table: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not place.search(text):
        raise ValueError(f"{page.name} has no place for the table {name}")
    written = place.sub(lambda found: f"{found[1]}\n{table.markdown()}\n\n{found[2]}", text)
    page.write_text(written, encoding="utf-8")

"""The vendored libraries are the files that the list names, and nothing else is vendored."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path


def test_the_vendored_files_are_those_that_are_listed(root: Path) -> None:
    folder = root / "cds_hooks" / "pages" / "static" / "vendor"
    listed = dict(
        re.findall(
            r"^\| `([\w.-]+)` \|.*\| `([0-9a-f]{64})` \|$",
            (folder / "VENDORED.md").read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    )
    assert listed == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.js")
    }

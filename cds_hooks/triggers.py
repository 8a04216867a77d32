"""What set a hook off, as Epic tells: few names, so that it can be a label."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

OTHER = "other"


@cache
def epic_triggers() -> Mapping[str, str]:
    """Number -> what it stands for, of epic_triggers.yaml."""
    raw = yaml.load(
        Path(__file__).with_name("epic_triggers.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader
    )
    found: dict[str, str] = raw["triggers"]
    return found


def trigger_label(number: str) -> str:
    """The number if it is a known one; empty for none, else `other`."""
    return number if not number or number in epic_triggers() else OTHER

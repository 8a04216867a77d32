"""One call of the corpus to every service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import httpx2
import pytest

Json = dict[str, Any]
HOOKS = ("patient-view", "encounter-start", "problem-list-item-create", "order-select", "order-sign")


@pytest.fixture
def right_cards(
    http: httpx2.Client, sound: Callable[..., Json], chart: Any, told: Callable[[list[Json]], str]
) -> Callable[[Json, Sequence[str], Sequence[str]], None]:
    """Makes sure that every service answers the record of a patient-view call with cards that say, and never say."""
    more = {"conditions": chart.bundle(), "draftOrders": chart.bundle(type="collection")}

    def check(call: Json, says: Sequence[str], never: Sequence[str]) -> None:
        for hook in HOOKS:
            sent = call | {"hook": hook, "context": (more if hook != HOOKS[0] else {}) | call["context"]}
            said = told(sound(http.post(f"/cds-services/twitching-{hook}", json=sent))["cards"])
            assert said, hook
            assert [text for text in says if text not in said] == [], (hook, said)
            assert [text for text in never if text in said] == [], (hook, said)

    return check

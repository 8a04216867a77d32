"""The running service's discovery document, and its answers to situations of every kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

Json = dict[str, Any]
FUROSEMIDE = "furosemide 40 mg oral tablet"


def situations(chart: Any) -> dict[str, Json]:
    """Calls that together bring out every kind of card, and silence."""
    weak = chart.bundle(
        *map(chart.sign, ("Muscle weakness on examination", "muscle wasting", "hyperreflexia"))
    )
    bundle, prefetch = chart.bundle, chart.prefetch
    drafts = {"draftOrders": bundle(chart.draft(FUROSEMIDE), type="collection")}
    low = prefetch(labs=bundle(chart.potassium(2.9)), medications=bundle(chart.medicine()))
    chosen = f"MedicationRequest/{drafts['draftOrders']['entry'][0]['resource']['id']}"
    return {
        "contributors": chart.call(prefetch=low),
        "with an encounter": chart.call(context={"encounterId": "enc-1"}, prefetch=low),
        "a critical result": chart.call(prefetch=prefetch(labs=bundle(chart.potassium(1.9)))),
        "red flags": chart.call(prefetch=prefetch(examination=weak)),
        "nothing measured": chart.call(),
        "an unreadable result": chart.call(prefetch=prefetch(labs=bundle(chart.lab("2823-3", 2.8, "")))),
        "only conditions": chart.call(prefetch={"conditions": bundle(chart.twitching())}),
        "a child": chart.call(prefetch=prefetch(patient=chart.patient(age=9))),
        "no twitching": chart.call(prefetch=prefetch(conditions=bundle())),
        "an encounter starts": chart.call("encounter-start", {"encounterId": "enc-1"}, prefetch=low),
        "twitching is recorded": chart.call(
            "problem-list-item-create",
            {"conditions": bundle(chart.twitching())},
            prefetch=prefetch(conditions=bundle()),
        ),
        "a medicine is chosen": chart.call("order-select", drafts | {"selections": [chosen]}, prefetch=low),
        "a medicine is signed": chart.call("order-sign", drafts, prefetch=low),
    }


class Site:
    """The running service, called once in every situation."""

    def __init__(self, running: Any, calls: dict[str, Json]) -> None:
        self.http: httpx2.Client = running.http
        self.process: int = running.process.pid
        self.discovery = self.http.get("/cds-services")
        self.calls = calls
        self.answers = {
            name: self.http.post(f"/cds-services/twitching-{call['hook']}", json=call)
            for name, call in calls.items()
        }

    @property
    def services(self) -> list[Json]:
        found: list[Json] = self.discovery.json()["services"]
        return found

    @property
    def cards(self) -> list[Json]:
        return [card for answer in self.answers.values() for card in answer.json()["cards"]]

    @property
    def suggestions(self) -> list[Json]:
        return [suggestion for card in self.cards for suggestion in card.get("suggestions", ())]

    @property
    def actions(self) -> list[Json]:
        return [action for suggestion in self.suggestions for action in suggestion["actions"]]


@pytest.fixture(scope="session")
def site(
    start_lasting: Callable[..., Any], new_chart: Callable[[str], Any], root: Path, sound: Callable[..., Json]
) -> Iterator[Site]:
    """The real service; every answer has passed every check that we publish."""
    calls = situations(new_chart("p-1"))
    for path in sorted((root / "examples").glob("*/request.json")):
        calls[path.parent.name] = json.loads(path.read_text(encoding="utf-8"))
    with start_lasting(base_url="https://cds.example") as running:
        asked = Site(running, calls)
        sound(asked.discovery, "discovery")
        for answer in asked.answers.values():
            sound(answer)
        yield asked

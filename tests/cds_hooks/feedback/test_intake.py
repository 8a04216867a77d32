"""Feedback over HTTP: acknowledged when it is stored, refused by the name of its field, once whatever is repeated."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from cds_hooks.app import create_app
from cds_hooks.feedback.report import Report, summarise
from cds_hooks.services import SERVICES
from cds_hooks.settings import Settings
from cds_hooks.storage.database import Database
from mappings.knowledge import load_knowledge

TODAY = partial(date, 2026, 11, 22)
PATH = "/cds-services/twitching-patient-view/feedback"
Item = Callable[..., dict[str, Any]]
Body = Callable[..., bytes]


@pytest.fixture
def site(database_url: str) -> Iterator[TestClient]:
    """The service with a database of each kind."""
    app = create_app(Settings(database_url=database_url), knowledge=load_knowledge(), today=TODAY)
    with TestClient(app) as running:
        yield running


@pytest.fixture
def report(using: Callable[[Callable[[Database], Any]], Any]) -> Callable[[], Report]:
    return lambda: using(summarise)


def test_148_149_feedback_is_acknowledged_and_stored(
    site: TestClient, report: Callable[[], Report], item: Item, body: Body, accepted: Item
) -> None:
    response = site.post(PATH, content=body(item(**accepted("magnesium")), item()))
    assert (response.status_code, response.json()) == (200, {})
    assert response.headers["content-type"] == "application/json"
    (topic,) = report().topics
    assert (topic.topic, topic.n, topic.accepted, topic.overridden) == ("twitching-tests", 2, 1, 1)


@pytest.mark.parametrize("service", [service.id for service in SERVICES])
def test_152_every_service_takes_feedback(
    site: TestClient, report: Callable[[], Report], item: Item, body: Body, service: str
) -> None:
    assert site.post(f"/cds-services/{service}/feedback", content=body(item())).status_code == 200
    assert report().n == 1


def test_082_cards_that_were_sent_come_back_under_their_topics(
    site: TestClient, report: Callable[[], Report], root: Path, body: Body
) -> None:
    """What a client does: read the cards, accept every suggestion, dismiss the others with a reason they offer."""
    request = (root / "examples" / "low-potassium-on-a-thiazide" / "request.json").read_bytes()
    cards = site.post(PATH.removesuffix("/feedback"), content=request).json()["cards"]
    assert cards
    items, wanted = [], []
    for card in cards:
        sent: dict[str, Any] = {"card": card["uuid"], "outcomeTimestamp": "2026-11-22T10:00:00Z"}
        if suggestions := card.get("suggestions"):
            sent |= {
                "outcome": "accepted",
                "acceptedSuggestions": [{"id": one["uuid"]} for one in suggestions],
            }
        else:
            told = {name: card["overrideReasons"][0][name] for name in ("code", "system")}
            sent |= {"outcome": "overridden", "overrideReason": {"reason": told}}
        items.append(sent)
        wanted.append((card["source"]["topic"]["code"], sent["outcome"]))
    assert site.post(PATH, content=body(*items)).status_code == 200
    found = report()
    assert sorted(
        (topic.topic, "accepted" if topic.accepted else "overridden") for topic in found.topics
    ) == sorted(wanted)
    assert all(test.test in load_knowledge().orders for test in found.accepted_tests)
    assert sum(test.n for test in found.accepted_tests) == sum(
        len(card.get("suggestions", ())) for card in cards
    )


def test_repeated_late_and_unknown_feedback_is_tolerated(
    site: TestClient, report: Callable[[], Report], item: Item, body: Body
) -> None:
    sent = body(item(), item(outcomeTimestamp="1999-01-01T00:00:00Z"), item(card="123456"))
    assert [site.post(PATH, content=sent).status_code for _ in range(3)] == [200, 200, 200]
    assert report().n == 3


def test_a_batch_with_a_mistake_is_refused_whole(
    site: TestClient, report: Callable[[], Report], item: Item, body: Body
) -> None:
    response = site.post(PATH, content=body(item(), item(outcome="ignored")))
    assert response.status_code == 400
    (problem,) = response.json()["issue"]
    assert problem["expression"] == ["feedback[1].outcome"]
    assert report().n == 0


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", "/cds-services/none/feedback", b'{"feedback":[]}', 404),
        ("GET", PATH, b"", 405),
        ("POST", PATH, b"{", 400),
        ("POST", PATH, b" " * 1_000_001, 413),
        ("POST", f"{PATH}/more", b'{"feedback":[]}', 404),
    ],
)
def test_what_is_refused(client: TestClient, method: str, path: str, content: bytes, status: int) -> None:
    response = client.request(method, path, content=content)
    assert response.status_code == status
    assert response.json()["resourceType"] == "OperationOutcome"


def test_208_feedback_can_be_sent_by_a_page_of_any_origin(client: TestClient) -> None:
    wanted = {
        "Origin": "https://sandbox.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    assert client.options(PATH, headers=wanted).headers["access-control-allow-origin"] == "*"


class TestAway:
    """The database does not answer."""

    @pytest.fixture
    def away(self, tmp_path: Path) -> Iterator[TestClient]:
        url = f"sqlite:///{tmp_path / 'later' / 'f.sqlite3'}"
        with TestClient(
            create_app(Settings(database_url=url), knowledge=load_knowledge(), today=TODAY)
        ) as running:
            yield running

    def test_feedback_is_refused_until_it_is_back(
        self, away: TestClient, item: Item, body: Body, tmp_path: Path
    ) -> None:
        sent = body(item())
        response = away.post(PATH, content=sent)
        assert (response.status_code, response.headers["retry-after"]) == (503, "30")
        (problem,) = response.json()["issue"]
        assert problem["code"] == "transient"
        (tmp_path / "later").mkdir()
        assert away.post(PATH, content=sent).status_code == 200
        url = f"sqlite:///{tmp_path / 'later' / 'f.sqlite3'}"

        async def stored() -> Report:
            database = Database(url)
            try:
                return await summarise(database)
            finally:
                await database.close()

        assert asyncio.run(stored()).n == 1

    def test_a_mistake_is_refused_all_the_same(self, away: TestClient) -> None:
        assert away.post(PATH, content=b'{"feedback":[{}]}').status_code == 400

    def test_cards_are_sent_and_readiness_says_degraded(self, away: TestClient, root: Path) -> None:
        ready = away.get("/health/ready")
        assert ready.status_code == 200
        assert ready.json() | {"knowledgeVersion": ""} == {
            "status": "degraded",
            "knowledgeVersion": "",
            "checks": {"knowledge": "ok", "database": "unavailable"},
        }
        assert away.get("/health/live").json() == {"status": "ok"}
        request = (root / "examples" / "low-potassium-on-a-thiazide" / "request.json").read_bytes()
        response = away.post(PATH.removesuffix("/feedback"), content=request)
        assert response.status_code == 200
        assert json.loads(response.content)["cards"]

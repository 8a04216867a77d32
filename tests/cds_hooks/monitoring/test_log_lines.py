"""One line of JSON per call, and never a word of a caller."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cds_hooks import calls
from cds_hooks.monitoring.call_record import CALL, note_answer, note_outcomes
from cds_hooks.monitoring.daily_counts import DailyCounts
from cds_hooks.monitoring.log_lines import FIELDS, JsonLines, log_to_standard_error
from cds_hooks.monitoring.metrics import Metrics
from cds_hooks.monitoring.watch import Watch
from cds_hooks.trust.verifier import Caller

SERVICE = "/cds-services/twitching-patient-view"
CANARY = "canary-7f3a"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """What was logged since the last time, as the service logs it."""
    written = StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    root.handlers.clear()
    log_to_standard_error("INFO")

    def read() -> list[dict[str, Any]]:
        text = written.getvalue()
        written.seek(0)
        written.truncate()
        return [json.loads(line) for line in text.splitlines()]

    yield read
    root.handlers[:] = before
    root.setLevel(level)


def test_a_call_is_one_line(client: TestClient, lines: Lines, record: bytes) -> None:
    response = client.post(SERVICE, content=record)
    (line,) = lines()
    cards = response.json()["cards"]
    assert line.pop("time").endswith("+00:00")
    assert line.pop("ms") > 0
    assert line == {
        "level": "INFO",
        "logger": "twitching_cds",
        "message": "call",
        "request_id": response.headers["x-request-id"],
        "service": "twitching-patient-view",
        "operation": "cards",
        "status": 200,
        "cards": len(cards),
        "indicator": "warning" if any(card["indicator"] == "warning" for card in cards) else "info",
        "gaps": line["gaps"],
    }


def test_feedback_is_one_line(client: TestClient, lines: Lines) -> None:
    item = {"card": "c", "outcome": "overridden", "outcomeTimestamp": "2026-03-01T09:30:00Z"}
    client.post(f"{SERVICE}/feedback", content=json.dumps({"feedback": [item, item]}))
    client.post(f"{SERVICE}/feedback", content=b"{")
    stored, refused = lines()
    assert (stored["operation"], stored["status"], stored["outcomes"]) == ("feedback", 200, 2)
    assert (refused["operation"], refused["status"]) == ("feedback", 400)
    assert {"cards", "indicator", "gaps"} & (stored.keys() | refused.keys()) == set()
    assert "outcomes" not in refused


def test_every_answer_has_a_request_id_of_its_own(client: TestClient, record: bytes) -> None:
    answers = [
        client.get("/cds-services", headers={"X-Request-Id": CANARY}),
        client.get("/nowhere"),
        client.post(SERVICE, content=record, headers={"Origin": "https://sandbox.example"}),
        client.post(SERVICE, content=b"{"),
        client.options(
            SERVICE, headers={"Origin": "https://x.example", "Access-Control-Request-Method": "POST"}
        ),
    ]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(ids)) == len(ids)
    assert all(len(one) == 32 and int(one, 16) for one in ids)
    assert answers[2].headers["access-control-expose-headers"] == "X-Request-Id"


def test_a_failure_is_found_by_its_request_id(
    client: TestClient, lines: Lines, record: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr(calls, "consider", fail)
    response = client.post(SERVICE, content=record)
    failure, call = lines()
    assert response.status_code == call["status"] == 500
    reference = response.headers["x-request-id"]
    assert call["request_id"] == reference
    assert failure["level"] == "ERROR"
    assert reference in failure["message"]
    assert reference in response.json()["issue"][0]["diagnostics"]


def test_nothing_a_caller_sends_is_logged(client: TestClient, lines: Lines, record: bytes) -> None:
    call = json.loads(record)
    call |= {
        "hookInstance": CANARY,
        "fhirServer": f"https://{CANARY}.example",
        "fhirAuthorization": {"access_token": CANARY},
        CANARY: CANARY,
    }
    call["context"] |= {"patientId": CANARY, "userId": f"Practitioner/{CANARY}", "encounterId": CANARY}
    item = {"card": CANARY, "outcome": "overridden", "outcomeTimestamp": "2026-03-01T09:30:00Z"}
    told = {"reason": {"code": CANARY, "system": CANARY}, "userComment": CANARY}
    headers = {"X-Request-Id": CANARY, "User-Agent": CANARY, "Authorization": f"Bearer {CANARY}"}
    for path in (
        SERVICE,
        f"{SERVICE}/explain",
        f"/cds-services/{CANARY}",
        f"{SERVICE}/feedback",
        f"/{CANARY}",
    ):
        client.post(path, content=json.dumps(call), headers=headers)
        client.post(f"{path}?{CANARY}={CANARY}", content=CANARY, headers=headers)
    client.post(
        f"{SERVICE}/feedback",
        content=json.dumps({"feedback": [item | {"overrideReason": told}]}),
        headers=headers,
    )
    written = lines()
    assert len(written) >= 9
    assert CANARY not in json.dumps(written)


class TestWatch:
    @staticmethod
    def watched(app: ASGIApp, path: str = SERVICE) -> list[Message]:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            return {"type": "http.disconnect"}

        scope = {"type": "http", "method": "POST", "path": path}
        asyncio.run(Watch(app, Metrics(), DailyCounts(()))(scope, receive, send))
        return sent

    def test_the_client_is_named_by_the_host_of_its_issuer(self, lines: Lines) -> None:
        async def trusting(scope: Scope, _: Receive, send: Send) -> None:
            scope["state"] = {"caller": Caller("https://EHR.example:8443/tenant-7f3a/R4", "tenant")}
            await send({"type": "http.response.start", "status": 200, "headers": []})

        (start,) = self.watched(trusting)
        (line,) = lines()
        assert line["client"] == "ehr.example"
        assert "tenant-7f3a" not in json.dumps(line)
        assert dict(start["headers"])[b"x-request-id"].decode() == line["request_id"]

    def test_a_client_that_went_away_is_logged_without_a_status(self, lines: Lines) -> None:
        async def silent(_: Scope, __: Receive, ___: Send) -> None:
            return

        assert self.watched(silent) == []
        (line,) = lines()
        assert line["status"] == 0

    def test_a_failure_is_logged_and_passed_on(self, lines: Lines) -> None:
        async def failing(_: Scope, __: Receive, ___: Send) -> None:
            raise ConnectionAbortedError

        with pytest.raises(ConnectionAbortedError):
            self.watched(failing)
        assert len(lines()) == 1
        assert CALL.get() is None

    def test_outside_of_a_call_nothing_is_noted(self) -> None:
        note_answer((), ())
        note_outcomes(1)
        assert CALL.get() is None


class TestFormat:
    @staticmethod
    def line(logger: str, message: str, *values: object, error: Exception | None = None, **extra: Any) -> Any:
        record = logging.LogRecord(logger, logging.ERROR, "place.py", 7, message, values, None)
        if error:
            record.exc_info = (type(error), error, error.__traceback__)
        vars(record).update(extra)
        return json.loads(JsonLines().format(record))

    def test_our_messages_are_written_and_what_is_not_listed_is_left_out(self) -> None:
        line = self.line("twitching_cds", "the %s", "place", status=200, patient=CANARY, client="")
        assert line | {"time": ""} == {
            "time": "",
            "level": "ERROR",
            "logger": "twitching_cds",
            "message": "the place",
            "status": 200,
        }

    @pytest.mark.parametrize("logger", ["asyncio", "sqlalchemy.engine", "root", "twitching_cds_not_ours"])
    def test_messages_of_other_libraries_are_withheld(self, logger: str) -> None:
        line = self.line(logger, f"{CANARY} %s", CANARY)
        assert CANARY not in json.dumps(line)
        assert (line["logger"], line["at"]) == (logger, "place.py:7")

    def test_of_an_exception_only_its_kind_and_place_are_written(self) -> None:
        with pytest.raises(ValueError, match=CANARY) as caught:
            int(CANARY)
        line = self.line("uvicorn.error", "Exception in ASGI application\n", error=caught.value)
        assert line["message"] == "Exception in ASGI application"
        assert line["error"] == "ValueError"
        assert line["at"].startswith("test_log_lines.py:")
        assert CANARY not in json.dumps(line)

    def test_a_line_break_cannot_forge_a_line(self) -> None:
        record = logging.LogRecord("twitching_cds", logging.INFO, "p", 1, "a\nb", (), None)
        assert "\n" not in JsonLines().format(record)

    def test_information_of_other_libraries_is_dropped(self, lines: Lines) -> None:
        logging.getLogger("alembic.runtime.migration").info(CANARY)
        logging.getLogger("alembic.runtime.migration").warning(CANARY)
        (line,) = lines()
        assert line["level"] == "WARNING"

    def test_no_field_can_be_mistaken_for_the_formats_own(self) -> None:
        assert not set(FIELDS) & {"time", "level", "logger", "message", "error", "at"}

"""The thin HTTP rim, driven as ASGI."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from cds_hooks.errors import Refused
from cds_hooks.http import LastResort, ServiceCall, read_body
from cds_hooks.services import Service

SCOPE: Scope = {"type": "http", "path_params": {"service": "twitching-patient-view"}}


def chunks(*parts: bytes) -> list[Message]:
    last = len(parts) - 1
    return [{"type": "http.request", "body": part, "more_body": i < last} for i, part in enumerate(parts)]


def receiving(messages: Iterable[Message], *, then_wait: bool = False) -> Receive:
    waiting = iter(messages)

    async def receive() -> Message:
        for message in waiting:
            return message
        assert then_wait, "read on after the end of the body"
        await asyncio.sleep(60)
        return {}

    return receive


async def run(app: Any, scope: Scope, receive: Receive) -> tuple[int, dict[str, str], bytes]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    if not sent:
        return 0, {}, b""
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])


async def echo(service: Service, body: bytes) -> bytes:
    return json.dumps({"service": service.id, "length": len(body)}).encode()


def called(receive: Receive, scope: Scope = SCOPE, seconds: float = 5) -> tuple[int, dict[str, str], bytes]:
    return asyncio.run(run(ServiceCall(echo, 10, seconds), scope, receive))


def test_the_body_is_joined() -> None:
    status, headers, body = called(receiving(chunks(b"12", b"", b"345")))
    assert status == 200
    assert json.loads(body) == {"service": "twitching-patient-view", "length": 5}
    assert headers == {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "cache-control": "no-store",
    }


def test_a_body_at_the_limit_is_read() -> None:
    assert called(receiving(chunks(b"1234567890")))[0] == 200


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param(chunks(b"12345678901"), id="at once"),
        pytest.param(chunks(b"123456", b"78901"), id="in parts"),
        pytest.param(
            [{"type": "http.request", "body": b"12345678", "more_body": True}] * 13, id="without end"
        ),
    ],
)
def test_a_body_over_the_limit_is_refused_without_reading_on_for_ever(messages: list[Message]) -> None:
    status, headers, body = called(receiving(messages))
    assert (status, headers["connection"]) == (413, "close")
    assert json.loads(body)["issue"][0]["code"] == "too-long"


def test_a_slow_body_is_refused() -> None:
    first = {"type": "http.request", "body": b"1", "more_body": True}
    status, headers, body = called(receiving([first], then_wait=True), seconds=0.02)
    assert (status, headers["connection"]) == (408, "close")
    assert json.loads(body)["issue"][0]["code"] == "timeout"


def test_a_client_that_went_away_gets_no_answer() -> None:
    assert called(receiving([*chunks(b"1", b"")[:1], {"type": "http.disconnect"}])) == (0, {}, b"")


def test_an_unknown_service_is_a_404() -> None:
    status, _, body = called(
        receiving(chunks(b"{}")), {"type": "http", "path_params": {"service": "canary-7f3a"}}
    )
    assert status == 404
    assert b"canary-7f3a" not in body


def test_the_limit_is_told() -> None:
    with pytest.raises(Refused) as caught:
        asyncio.run(read_body(receiving(chunks(b"123")), 2))
    assert "2 bytes" in caught.value.issues[0].diagnostics


def fail_before(_: Scope, __: Receive, ___: Send) -> Any:
    raise ValueError("canary-7f3a")


async def fail_after(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise ValueError("canary-7f3a")


def test_the_last_resort_tells_nobody_anything(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        status, _, body = asyncio.run(run(LastResort(fail_before), SCOPE, receiving([])))
    assert status == 500
    assert b"canary" not in body
    assert "canary" not in caplog.text
    (record,) = (record for record in caplog.records if record.name == "twitching_cds")
    reference = json.loads(body)["issue"][0]["diagnostics"].rpartition(" ")[2].rstrip(".")
    assert record.getMessage().startswith("unforeseen ValueError at test_http.py:")
    assert reference in record.getMessage()


def test_a_failure_in_the_middle_of_an_answer_breaks_it_off() -> None:
    with pytest.raises(ConnectionAbortedError) as caught:
        asyncio.run(run(LastResort(fail_after), SCOPE, receiving([])))
    assert "canary" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_other_protocols_pass() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        seen.append(scope)

    asyncio.run(run(LastResort(app), {"type": "lifespan"}, receiving([])))
    assert seen == [{"type": "lifespan"}]

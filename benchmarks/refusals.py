"""Does the time of a refusal tell which check failed? Measured over HTTP, one reason after the other in turn.

For every pair of reasons: the chance that a refusal for one takes longer than a refusal for the other (the area under
the ROC curve, Mann and Whitney's U over the number of pairs). 0.5 is what a coin would say; the largest distance from it
over all pairs is compared with the distance that the same times show once their reasons are shuffled.
"""

from __future__ import annotations

import asyncio
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import combinations
from pathlib import Path
from random import Random
from statistics import median
from threading import Thread
from typing import Any

import aiohttp
import yaml
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from benchmarks.server import Server

ROUNDS = 200
SHUFFLES = 200
BASE = "https://cds.example.org"
ISSUER = "https://ehr.example.org/fhir"
PATH = "/cds-services"
LIMIT = 0.005
"""The probability, given that reasons make no difference, of a distance as large as the one found."""


def token(key: ECKey | RSAKey, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
    """A signed token, good for `PATH` unless told otherwise."""
    algorithm = "RS384" if isinstance(key, RSAKey) else "ES384"
    now = int(time.time())
    whole = {
        "iss": ISSUER,
        "aud": BASE + PATH,
        "iat": now,
        "exp": now + 300,
        "jti": f"{time.time_ns()}",
    } | claims
    head = {"alg": algorithm, "kid": "k", "typ": "JWT"} | dict(header or {})
    signed = b".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (head, whole))
    signature = JWSRegistry.algorithms[algorithm].sign(signed, key)
    return (signed + b"." + urlsafe_b64encode(signature).rstrip(b"=")).decode()


def reasons(key: ECKey) -> dict[str, Callable[[], str]]:
    """Refused tokens by the check that fails, in the order of the checks."""
    stranger = ECKey.generate_key("P-384")
    used = token(key)
    return {
        "no token": lambda: "",
        "malformed": lambda: "a.b.c",
        "algorithm": lambda: token(key, {"alg": "none"}),
        "issuer": lambda: token(key, iss="https://evil.example"),
        "key set address": lambda: token(key, {"jku": "https://evil.example/keys"}),
        "audience": lambda: token(key, aud="https://other.example"),
        "expired": lambda: token(key, exp=1_000_000_000, iat=999_999_000),
        "signature": lambda: token(stranger),
        "replayed": lambda: used,
    }


async def measure(folder: Path) -> tuple[list[tuple[str, ...]], bool]:
    """The rows of the table, and whether reasons cannot be told apart."""
    key = ECKey.generate_key("P-384", {"kid": "k", "use": "sig", "alg": "ES384"})
    with trusting(folder, key) as server:
        times = await _times(server.port, reasons(key))
    found, by_chance = _distance(times), _by_chance(times)
    p = sum(one >= found for one in by_chance) / len(by_chance)
    rows: list[tuple[str, ...]] = [
        (f"refused for: {reason}", f"median {median(taken):.2f} ms") for reason, taken in times.items()
    ]
    rows += [
        ("refusals", f"{sum(map(len, times.values()))}"),
        ("largest distance of the AUC from 0.5", f"{found:.3f}"),
        (
            "the same with reasons shuffled, median and largest",
            f"{median(by_chance):.3f}, {max(by_chance):.3f}",
        ),
        ("probability by chance", f"{p:.3f}"),
    ]
    return rows, p >= LIMIT


@contextmanager
def trusting(folder: Path, *keys: ECKey | RSAKey) -> Iterator[Server]:
    """The service, asking for tokens signed by one of these keys."""
    key_server = _serve({"keys": [key.as_dict(private=False) for key in keys]})
    client = {"issuer": ISSUER, "jku": f"http://127.0.0.1:{key_server.server_port}/keys"}
    trust = {"mode": "required", "base": BASE, "allow_private_addresses": True, "clients": [client]}
    site = {"trust": trust, "database_url": f"sqlite:///{folder / 'service.sqlite3'}", "log_level": "ERROR"}
    (folder / "site.yaml").write_text(yaml.safe_dump(site), encoding="utf-8")
    command = ["-m", "cds_hooks.cli", "serve", "--port", "{port}", "--config", str(folder / "site.yaml")]
    with Server(command, PATH) as server:
        yield server
    key_server.shutdown()


async def _times(port: int, tokens: Mapping[str, Callable[[], str]]) -> dict[str, list[float]]:
    """Milliseconds by reason; in each round every reason once, in an order of its own."""
    times: dict[str, list[float]] = {reason: [] for reason in tokens}
    chance = Random(20261122)  # noqa: S311 - an order
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        await _alive(session)
        await _status(session, tokens["replayed"]())  # used, and the key set is read
        # Made beforehand: what the client did just before would show in what it measures.
        made = [{reason: make() for reason, make in tokens.items()} for _ in range(ROUNDS)]
        for presented_by in made:
            for reason in chance.sample(list(tokens), len(tokens)):
                presented = presented_by[reason]
                began = time.perf_counter()
                status = await _status(session, presented)
                times[reason].append((time.perf_counter() - began) * 1000)
                if status != 401:
                    raise RuntimeError(f"{reason} was answered with {status}")
    return times


async def _alive(session: aiohttp.ClientSession) -> None:
    for _ in range(300):
        try:
            async with session.get("/health/live"):
                return
        except aiohttp.ClientError:
            await asyncio.sleep(0.1)


async def _status(session: aiohttp.ClientSession, presented: str) -> int:
    headers = {"Authorization": f"Bearer {presented}"} if presented else {}
    async with session.get(PATH, headers=headers) as response:
        await response.read()
        return response.status


def _distance(times: Mapping[str, Sequence[float]]) -> float:
    """The largest over all pairs of reasons."""
    return max(abs(_auc(a, b) - 0.5) for a, b in combinations(times.values(), 2))


def _auc(a: Sequence[float], b: Sequence[float]) -> float:
    """The probability that a value of `a` is larger than one of `b`."""
    ranked = sorted([(value, True) for value in a] + [(value, False) for value in b])
    rank_sum = sum(rank for rank, (_, of_a) in enumerate(ranked, 1) if of_a)
    return (rank_sum - len(a) * (len(a) + 1) / 2) / (len(a) * len(b))


def _by_chance(times: Mapping[str, Sequence[float]]) -> list[float]:
    chance = Random(1)  # noqa: S311 - a permutation test
    rounds = list(zip(*times.values(), strict=True))
    found = []
    for _ in range(SHUFFLES):
        shuffled = zip(*(chance.sample(one, len(one)) for one in rounds), strict=True)
        found.append(_distance({str(place): list(column) for place, column in enumerate(shuffled)}))
    return found


def _serve(document: Any) -> ThreadingHTTPServer:
    """A key server on the loopback address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return server

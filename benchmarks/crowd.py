"""Many connections at once to one server: how long an answer takes then, and how many there are in a second."""

from __future__ import annotations

import asyncio
import time

CONNECTIONS = 32


def crowd(port: int, path: str, body: bytes, seconds: float) -> tuple[float, list[float]]:
    """Answers per second, and their times in milliseconds, sorted; each connection asks again once it is answered."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return asyncio.run(_crowd(port, head.encode() + body, seconds))


async def _crowd(port: int, request: bytes, seconds: float) -> tuple[float, list[float]]:
    times: list[float] = []
    until = time.perf_counter() + seconds
    await asyncio.gather(*(_one(port, request, until, times) for _ in range(CONNECTIONS)))
    return len(times) / seconds, sorted(times)


async def _one(port: int, request: bytes, until: float, times: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < until:
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head)
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        times.append((time.perf_counter() - began) * 1000)
    writer.close()

"""No connection reaches a private address, whatever a URL says and a name resolves to."""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from typing import Any

import aiohttp.abc
import pytest

from cds_hooks.addresses import guarded_socket, is_public

PRIVATE = [
    "0.0.0.0",  # noqa: S104 - refused
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "5f00::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "172.32.0.1",
    "192.169.0.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address(address: str) -> None:
    assert not is_public(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(OSError, match="private address refused"):
        guarded_socket((family, socket.SOCK_STREAM, 6, "", (address, 443)), private=False)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address(address: str) -> None:
    assert is_public(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with guarded_socket((family, socket.SOCK_STREAM, 6, "", (address, 443)), private=False) as made:
        assert made.gettimeout() == 0


def test_a_socket_file_is_no_public_address() -> None:
    with pytest.raises(OSError, match="private address refused"):
        guarded_socket((socket.AF_UNIX, socket.SOCK_STREAM, 0, "", "/run/x.sock"), private=False)


def test_private_addresses_can_be_allowed() -> None:
    with guarded_socket(
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443)), private=True
    ) as made:
        assert made.gettimeout() == 0


class TestTheHttpClient:
    """The URLs that `parse` refuses, and names that resolve to private addresses, against the socket alone."""

    def connected(self, url: str, **resolved: str) -> bool:
        async def connect() -> bool:
            arrived = asyncio.Event()

            async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                arrived.set()
                writer.close()

            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            connector = aiohttp.TCPConnector(
                socket_factory=partial(guarded_socket, private=False), resolver=Rebound(resolved)
            )
            async with server, aiohttp.ClientSession(connector=connector) as session:
                with pytest.raises(aiohttp.ClientError):
                    await session.get(url.replace("PORT", str(port)))
            return arrived.is_set()

        return asyncio.run(connect())

    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1",
            "localhost",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "[::ffff:7f00:1]",
            "127.0.0.1.",
        ],
    )
    def test_every_spelling_of_this_machine_is_refused(self, host: str) -> None:
        assert not self.connected(f"http://{host}:PORT/", **{host: "127.0.0.1"})

    def test_a_name_that_resolves_to_this_machine_is_refused(self) -> None:
        assert not self.connected("http://rebound.example:PORT/", **{"rebound.example": "127.0.0.1"})


class Rebound(aiohttp.abc.AbstractResolver):
    """A name server under an attacker's control."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self.addresses = addresses

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> Any:
        if host not in self.addresses:
            raise OSError("unknown host")
        return [
            {
                "hostname": host,
                "host": self.addresses[host],
                "port": port,
                "family": family,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
        ]

    async def close(self) -> None:
        return

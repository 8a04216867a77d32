"""People who may see the pages of a protected service: a key each, and a session in a cookie.

The cookie is a random number that means nothing by itself; the database knows its digest, mixed with that of the key.
So a session ends when it is signed out, when its operator is taken out of the settings, or after `SESSION_SECONDS`, on
every machine at once, and neither the settings nor the database is enough to make a cookie.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import delete, insert, select

from cds_hooks.storage.database import Database
from cds_hooks.storage.tables import operator_session
from cds_hooks.trust.settings import Operator

SESSION_SECONDS = 8 * 3_600
"""A working day."""
MOST_FAILURES = 5
MOST_FAILURES_OF_ALL = 100
FAILURE_SECONDS = 300.0
"""So many wrong keys in this time, from one address or from all, and none is looked at any more."""


class TooManyAttempts(Exception):  # noqa: N818 - it is an answer, not a fault
    """Wrong keys too often; the next one is looked at after `FAILURE_SECONDS`."""


class Session(NamedTuple):
    """What the browser keeps, and whose it is."""

    cookie: str
    name: str


class Operators:
    """The operators of one installation."""

    def __init__(
        self, database: Database, operators: Sequence[Operator], clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._operators = operators
        self._clock = clock
        self._failures: deque[tuple[float, str]] = deque(maxlen=MOST_FAILURES_OF_ALL)

    def __bool__(self) -> bool:
        return bool(self._operators)

    async def sign_in(self, key: str, address: str) -> Session | None:
        """A new session, or None for a wrong key. Raises TooManyAttempts, StorageError."""
        self._limit(address)
        given = hashlib.sha256(key.strip().encode()).hexdigest()
        # Every key is compared, so that the time does not tell which one came close.
        matching = [one for one in self._operators if hmac.compare_digest(one.key_sha256, given)]
        if not matching:
            self._failures.append((self._clock(), address))
            return None
        (operator, *_), now = matching, int(self._clock())
        cookie = secrets.token_urlsafe(32)
        row = {"key": _digest(cookie, operator), "until": now + SESSION_SECONDS}
        async with self._database.transaction() as connection:
            await connection.execute(delete(operator_session).where(operator_session.c.until < now))
            await connection.execute(insert(operator_session), row)
        return Session(cookie, operator.name)

    async def knows(self, cookie: str) -> bool:
        """Whether this is the cookie of a session that has not ended. Raises StorageError."""
        if not cookie or len(cookie) > 100:
            return False
        wanted = select(operator_session.c.key).where(
            operator_session.c.key.in_(self._keys(cookie)), operator_session.c.until > int(self._clock())
        )
        async with self._database.reading() as connection:
            return (await connection.execute(wanted)).first() is not None

    async def sign_out(self, cookie: str) -> None:
        """End this session. Raises StorageError."""
        async with self._database.transaction() as connection:
            await connection.execute(
                delete(operator_session).where(operator_session.c.key.in_(self._keys(cookie)))
            )

    def _keys(self, cookie: str) -> list[str]:
        return [_digest(cookie, operator) for operator in self._operators]

    def _limit(self, address: str) -> None:
        """Raises TooManyAttempts."""
        while self._failures and self._failures[0][0] < self._clock() - FAILURE_SECONDS:
            self._failures.popleft()
        from_here = sum(where == address for _, where in self._failures)
        if from_here >= MOST_FAILURES or len(self._failures) >= MOST_FAILURES_OF_ALL:
            raise TooManyAttempts


def _digest(cookie: str, operator: Operator) -> str:
    return hmac.new(bytes.fromhex(operator.key_sha256), cookie.encode(), hashlib.sha256).hexdigest()

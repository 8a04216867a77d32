"""Elements that stay JSON until a rule asks for them: a chart holds far more of them than are ever read."""

from __future__ import annotations

from typing import Any, Final, Generic, TypeVar, overload

import msgspec

from mappings.from_fhir import lenient
from mappings.from_fhir.memory import LONGEST, MOST

T = TypeVar("T")
DATA_ERRORS: Final = (ValueError, ArithmeticError, RecursionError)
"""What bad data raises in the decoders; anything else is a defect of this program and may surface."""
EVERYTHING: Final = ("",)
"""The resource is as true without this element."""


class Detail(Generic[T]):
    """An element of a resource that is decoded when it is read; the JSON is in the field of its name with `_json`.

    Reading it raises ValueError if it does not have the shape it should have, nor is plainly meant, unless what
    is wrong is `not_needed`: paths inside it, "" for all of it. What is short and `repeated` is remembered: charts
    hold the same few thousand codes, intervals and categories.
    """

    def __init__(
        self,
        kind: Any,
        nothing: T,
        *,
        not_needed: tuple[str, ...] = (),
        repeated: bool = True,
    ) -> None:
        self.kind = kind
        self.nothing = nothing
        self.not_needed = not_needed
        self.longest = LONGEST if repeated else 0
        self._decode = msgspec.json.Decoder(kind).decode
        self._known: dict[bytes, T] = {}
        self.field = ""
        self._forget()

    def __set_name__(self, owner: type, name: str) -> None:
        """Called by Python when the class is made."""
        self.field = f"{name}_json"

    @overload
    def __get__(self, resource: None, owner: type) -> Detail[T]: ...
    @overload
    def __get__(self, resource: object, owner: type) -> T: ...
    def __get__(self, resource: object | None, owner: type) -> T | Detail[T]:
        """The element; `nothing` if it is absent or null."""
        if resource is None:
            return self
        content = b"" + getattr(resource, self.field)  # half as dear as bytes(…)
        try:
            return self._known[content]
        except KeyError:
            return self.read(content)

    def read(self, content: bytes) -> T:
        """The element with this JSON. Raises ValueError or ArithmeticError."""
        try:
            return self._known[content]
        except KeyError:
            found = self._read(content)
        if len(content) <= self.longest:
            if len(self._known) >= MOST:
                self._forget()
            self._known[content] = found
        return found

    def _read(self, content: bytes) -> T:
        try:
            found: T = self._decode(content)
        except DATA_ERRORS:
            read, left_out = lenient.decode_element(content, self.kind)
            if not all(path.startswith(self.not_needed) for path in left_out):
                raise ValueError("an element that is needed cannot be read") from None
            found = self.nothing if read is None else read
        return found

    def _forget(self) -> None:
        self._known.clear()
        self._known.update({b"": self.nothing, b"null": self.nothing})

"""A value in a YAML file that cannot be used, in words of the file: pydantic speaks of Python's types."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

WORDS = {
    "missing": "is missing; it must be given",
    "tuple_type": "write a list: one entry per line, each after `- `",
    "dict_type": "write a mapping, as in `{name: value}`",
    "model_type": "write a mapping, as in `{name: value}`",
    "path_type": "write the name of a file",
    "path_not_file": "there is no file of this name; it counts from the folder of the settings file",
    "string_type": "write a text; put quotes around a number",
    "bool_parsing": "write `true` or `false`",
    "bool_type": "write `true` or `false`",
    "int_parsing": "write a whole number",
    "int_type": "write a whole number",
    "float_parsing": "write a number",
    "float_type": "write a number",
    "decimal_parsing": "write a number",
    "decimal_type": "write a number",
    "date_parsing": "write a day, as in 2026-11-22",
    "date_from_datetime_parsing": "write a day, as in 2026-11-22",
    "date_type": "write a day, as in 2026-11-22",
    "url_parsing": "write a URL, as in https://cds.example.org",
    "url_scheme": "write a URL that begins with https:// or http://",
}


def in_words(problem: Mapping[str, Any]) -> str:
    """What to write instead, of one of `ValidationError.errors()`."""
    return WORDS.get(problem["type"]) or str(problem["msg"]).removeprefix("Value error, ")


def meant(name: str, known: Collection[str]) -> str:
    """What an unknown name may have been meant to be, or else all that are known."""
    close = get_close_matches(name, known, n=3)
    return f"did you mean {', '.join(close)}?" if close else f"known are {', '.join(sorted(known))}"

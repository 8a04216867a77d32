"""Coverage-guided fuzzing of everything that reads a call: `python -m benchmarks.hostile.coverage_guided -runs=20000`.

libFuzzer (atheris) watches which lines of our packages a request reaches and keeps those that reach new ones. The
arguments are libFuzzer's; the first that is no option is the folder of the corpus. Ends with an error at the first
answer that must not be, and prints the request in base64.
"""

from __future__ import annotations

import sys
import tempfile
from base64 import b64encode
from collections import Counter
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(
    include=["cds_hooks", "mappings", "terminology"], enable_loader_override=False
):
    from benchmarks.hostile.good_calls import good_calls
    from benchmarks.hostile.in_process import InProcess
    from benchmarks.hostile.mutations import mutated
    from benchmarks.hostile.verdict import MARKER, wrong_with

import json

PATHS = sorted({call.path for call in good_calls()})
MAX_BYTES = 60_000


def seeds(folder: Path) -> None:
    """Write the corpus to start from: every good call, marked."""
    for number, call in enumerate(good_calls()):
        body = json.dumps(call.body).replace('"display": "', f'"display": "{MARKER}').encode()
        (folder / f"good-{number}").write_bytes(bytes([PATHS.index(call.path)]) + body)


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """A mutation of the JSON where there is any, else of the bytes; the first byte chooses the service."""
    chance = Random(seed)  # noqa: S311 - reproducible by its seed
    try:
        call = json.loads(data[1:])
        if isinstance(call, dict) and call and chance.random() < 0.7:
            return (data[:1] + mutated(call, chance))[:max_size]
    except (ValueError, RecursionError):  # no JSON any more, or too deep for the mutations
        pass
    return bytes(atheris.Mutate(data, max_size))


def main() -> None:
    """Fuzz until libFuzzer's limits say so."""
    with tempfile.TemporaryDirectory() as folder, InProcess(Path(folder)) as service:
        corpus = next(
            (Path(word) for word in sys.argv[1:] if not word.startswith("-")), Path(folder, "corpus")
        )
        corpus.mkdir(exist_ok=True)
        seeds(corpus)
        statuses: Counter[int] = Counter()

        def one(data: bytes) -> None:
            path = PATHS[(data[0] if data else 0) % len(PATHS)]
            answer = service.post(path, data[1:])
            statuses[answer.status] += 1
            if wrong := wrong_with(answer):
                print(path, wrong, answer.body[:300], b64encode(data[1:]).decode(), file=sys.stderr)
                raise AssertionError(wrong)

        options = [word for word in sys.argv[1:] if word.startswith("-")]
        atheris.Setup(
            [sys.argv[0], f"-max_len={MAX_BYTES}", *options, str(corpus)], one, custom_mutator=mutate
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main()

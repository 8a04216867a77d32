"""`make mutants`: changes `mappings/assess` in thousands of small ways and lists the changes that no test notices.

mutmut writes the changes; this runs the tests. mutmut itself would start pytest anew for every change and leave decorated
functions alone. Here the tests are collected and run once; then each change has a fork of that process, in which the
tests that reach the changed function run until one fails, those first that noticed other changes of that function. What
the process has compiled is forgotten first. In the copy that is changed, `@cached_property` and the like are
assignments, so that their functions are changed too. Needs `os.fork`.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import gc
import inspect
import os
import resource
import shutil
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import mutmut.mutation.trampoline
import pytest
from _pytest.runner import runtestprotocol
from mutmut.mutation.file_mutation import mutate_file_contents

ROOT = Path(__file__).parent.parent
COPY = ROOT / "mutants"
CHANGED = Path("mappings", "assess")
COPIED = ("mappings", "terminology", "cds_hooks", "examples", "tests", "pyproject.toml")
TESTS = ("tests/mappings/test_assess_*.py", "tests/test_examples.py", "tests/vignettes/test_[tv]*s.py")
OUTSIDE = {"tmp_path", "monkeypatch", "capsys"}
"""A test with one of these is run by pytest's own protocol, the others by a call of their function."""
CPU_SECONDS = 60
"""What still runs then is an endless loop."""


class Function(NamedTuple):
    """A function that can be replaced: its module, its variants by name, and the cell that holds the one in force."""

    module: str
    variants: dict[str, Callable[..., Any]]
    cell: list[Callable[..., Any]]

    @property
    def name(self) -> str:
        return f"{self.module}.{self.variants['_mutmut_orig'].__name__.removesuffix('__mutmut_orig')}"


FUNCTIONS: list[Function] = []


def replaceable(variants: dict[str, Callable[..., Any]], _: bool = False) -> Callable[..., Any]:  # noqa: FBT001, FBT002
    """In the place of mutmut's own, which looks into the environment at every call."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        cell = [function]
        FUNCTIONS.append(Function(function.__module__, variants, cell))
        if inspect.isgeneratorfunction(function):

            def call(*args: Any, **more: Any) -> Any:
                return (yield from cell[0](*args, **more))
        else:

            def call(*args: Any, **more: Any) -> Any:
                return cell[0](*args, **more)

        call.__module__, call.__name__, call.__doc__ = (
            function.__module__,
            function.__name__,
            function.__doc__,
        )
        return call

    return decorate


def write_copy() -> dict[str, str]:
    """Copies the tree with every change in it; the name of each change and what it changes."""
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir()
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, COPY / name)
    changes: dict[str, str] = {}
    for path in sorted((COPY / CHANGED).glob("*.py")):
        written = mutate_file_contents(str(path), undecorated(path.read_text(encoding="utf-8")))
        path.write_text(written.code, encoding="utf-8")
        module = ".".join((*CHANGED.parts, path.stem))
        functions = dict(bodies(written.code))
        for name in written.mutant_names:
            original = functions[f"{family(name)}__mutmut_orig"]
            lines = difflib.unified_diff(original[1:], functions[name][1:], n=0, lineterm="")
            changes[f"{module}.{name}"] = "\n".join(
                line for line in lines if line[:2] not in ("--", "++", "@@")
            )
    return changes


def undecorated(source: str) -> str:
    """`@cached_property` above `def x` becomes `x = cached_property(x_)` below `def x_`: the same, but changeable."""
    lines = source.split("\n")
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    for node in sorted(found, key=lambda node: -node.lineno):
        if len(node.decorator_list) != 1 or node.end_lineno is None:
            continue
        decorator, first = ast.unparse(node.decorator_list[0]), node.lineno - 1
        indent = lines[first][: node.col_offset]
        lines.insert(node.end_lineno, f"{indent}{node.name} = {decorator}({node.name}_)")
        lines[first] = lines[first].replace(f"def {node.name}(", f"def {node.name}_(", 1)
        del lines[node.decorator_list[0].lineno - 1]
    return "\n".join(lines)


def bodies(code: str) -> Iterator[tuple[str, list[str]]]:
    """Each function of a file with its lines."""
    lines = code.replace(" # type: ignore # mutmut generated", "").split("\n")
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef):
            yield node.name, [line.strip() for line in lines[node.lineno - 1 : node.end_lineno]]


def family(name: str) -> str:
    """The function of a change."""
    return name.rpartition("__mutmut_")[0]


class Judge:
    """A pytest plugin that runs no tests of its own, but all of them once for every change."""

    def __init__(self, changes: Iterable[str], workers: int) -> None:
        self.changes, self.workers = list(changes), workers
        self.survived: list[str] = []
        self._arguments: dict[pytest.Item, dict[str, Any]] = {}
        self._direct = False
        self._noticed: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self._running: dict[int, tuple[str, int]] = {}

    def pytest_runtest_call(self, item: pytest.Function) -> None:
        if OUTSIDE.isdisjoint(item.fixturenames):
            self._arguments[item] = {
                name: item.funcargs[name] for name in inspect.signature(item.obj).parameters
            }

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = session.items
        put_in_force()
        failed = [item.nodeid for item in items if not self._passes(item)]
        self._direct = True
        failed += [item.nodeid for item in items if not self._passes(item)]
        if failed:
            pytest.exit(f"without any change these fail: {', '.join(failed[:5])}", returncode=1)
        reach = self._reach(items)
        gc.collect()
        gc.freeze()
        started = time.monotonic()
        for count, change in enumerate(self.changes):
            while len(self._running) >= self.workers:
                self._collect()
            self._start(change, items, reach[family(change)])
            if count % 200 == 0:
                print(f"{count} of {len(self.changes)}, {time.monotonic() - started:.0f} s", flush=True)
        while self._running:
            self._collect()
        return True

    def _passes(self, item: pytest.Item) -> bool:
        if self._direct and item in self._arguments:
            with contextlib.suppress(Exception):
                item.obj(**self._arguments[item])  # type: ignore[attr-defined]
                return True
            return False
        reports = runtestprotocol(item, nextitem=None, log=False)
        return not any(report.failed for report in reports)

    def _reach(self, items: list[pytest.Item]) -> dict[str, set[int]]:
        """Which tests reach which function; all of them what compiles the rules, which is done once."""
        from mappings.assess.compiled import compiled  # noqa: PLC0415 - of the copy
        from mappings.knowledge import load_knowledge  # noqa: PLC0415

        reach: defaultdict[str, set[int]] = defaultdict(set)
        every: set[str] = set()
        forget()
        put_in_force(hits=every)
        compiled(load_knowledge())
        for number, item in enumerate(items):
            hits: set[str] = set()
            forget(but=compiled)
            put_in_force(hits=hits)
            self._passes(item)
            for name in hits | every:
                reach[name].add(number)
        put_in_force()
        return reach

    def _start(self, change: str, items: list[pytest.Item], reached: set[int]) -> None:
        noticed = self._noticed[family(change)]
        order = sorted(reached, key=lambda number: (-noticed[number], -self._noticed[""][number], number))
        receive, send = os.pipe()
        if child := os.fork():
            os.close(send)
            self._running[child] = change, receive
            return
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        gc.disable()
        forget()
        put_in_force(change)
        for number in order:
            with contextlib.suppress(BaseException):
                if self._passes(items[number]):
                    continue
            os.write(send, str(number).encode())
            os._exit(1)
        os._exit(0)

    def _collect(self) -> None:
        child, status = os.wait()
        change, receive = self._running.pop(child)
        with os.fdopen(receive) as pipe:
            number = pipe.read()
        if status == 0:
            self.survived.append(change)
        elif number:
            self._noticed[family(change)][int(number)] += 1
            self._noticed[""][int(number)] += 1


def put_in_force(change: str = "", hits: set[str] | None = None) -> None:
    """The functions as they are, or with one change, or noting in `hits` which are reached."""
    module, _, variant = change.rpartition(".")
    for function in FUNCTIONS:
        original = function.variants["_mutmut_orig"]
        changed = function.module == module and variant in function.variants
        function.cell[0] = function.variants[variant] if changed else original
        if hits is not None:
            function.cell[0] = noting(function, hits)


def noting(function: Function, hits: set[str]) -> Callable[..., Any]:
    """The unchanged function, which adds its name to `hits` when it is called."""

    def call(*args: Any, **more: Any) -> Any:
        hits.add(function.name)
        return function.variants["_mutmut_orig"](*args, **more)

    return call


def forget(but: object = None) -> None:
    """Empties the caches of the changed modules: what is in them came from unchanged code."""
    for name, module in list(sys.modules.items()):
        if name.startswith("mappings.assess."):
            for value in vars(module).values():
                if hasattr(value, "cache_clear") and value.__module__ == name and value is not but:
                    value.cache_clear()


def main() -> None:
    """Judges every change, or those of some modules; prints the survivors and a table."""
    parser = argparse.ArgumentParser(prog="make mutants", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("only", nargs="*", help="of these modules, such as limits")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--tests", nargs="*", default=TESTS)
    chosen = parser.parse_args()
    changes = write_copy()
    wanted = [name for name in changes if not chosen.only or name.split(".")[2] in chosen.only]
    os.chdir(COPY)
    sys.path.insert(0, str(COPY))
    mutmut.mutation.trampoline.wrap_in_trampoline = replaceable
    files = [str(path) for pattern in chosen.tests for path in sorted(Path().glob(pattern))]
    judge = Judge(wanted, chosen.workers)
    quiet = ["--rootdir=.", "-q", "-p", "no:cacheprovider", "-s", "--tb=no", "--assert=plain"]
    if pytest.main([*quiet, *files], plugins=[judge]):
        sys.exit(1)
    for name in sorted(judge.survived):
        print(f"\n{name.removeprefix('mappings.assess.')}\n{changes[name]}")
    total, left = (Counter(name.split(".")[2] for name in names) for names in (wanted, judge.survived))
    print("\n| module | changes | noticed | survived |\n|---|---|---|---|")
    for module in (*sorted(total), ""):
        of = (total[module], left[module]) if module else (total.total(), left.total())
        print(f"| {f'`{module}`' if module else 'all'} | {of[0]} | {of[0] - of[1]} | {of[1]} |")


if __name__ == "__main__":
    main()

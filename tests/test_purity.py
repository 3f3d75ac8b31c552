"""Pure modules do no I/O and read no clock, environment or random source.

A module is pure if its docstring says so. A value that it needs is a parameter.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.syntax import MODULES, imports_of, location_of, tree_of

_SAYS_PURE = re.compile(r"\bpure\b", re.IGNORECASE)
PURE = [
    path
    for path in MODULES
    if path.name != "__init__.py" and _SAYS_PURE.search(ast.get_docstring(tree_of(path)) or "")
]

REQUIRED = {
    "directives/grammar.py",
    "errors.py",
    "gateway/failures.py",
    "page_layout.py",
    "option_parsers.py",
    "pacing.py",
    "originals/record.py",
    "pipeline/outcome.py",
    "request.py",
}
"""Modules that have to be pure: they decide about money, identity and text."""

_IMPURE_MODULES = {
    *("asyncio", "anyio", "glob", "http.client", "http.server", "httpx", "io", "logging"),
    *("multiprocessing", "random", "secrets", "select", "shutil", "signal", "socket", "sqlite3"),
    *("subprocess", "tempfile", "threading", "time", "urllib.request", "uuid"),
    *("PIL", "diskcache", "filelock", "markdown", "mkdocs", "mkdocs_imagegen.files"),
    "mkdocs_imagegen.log",
}
_IMPURE_FUNCTIONS = {"input", "open", "print"}
_IMPURE_METHODS = {
    *("absolute", "cwd", "exists", "expanduser", "glob", "home", "is_dir", "is_file", "iterdir"),
    *("lstat", "mkdir", "now", "open", "read_bytes", "read_text", "resolve", "rglob", "rmdir"),
    *("samefile", "stat", "today", "touch", "unlink", "utcnow", "write_bytes", "write_text"),
}
_PURE_NAMES_OF_OS = {"PathLike", "fsdecode", "fsencode", "fspath", "path", "sep", "stat_result"}


@pytest.mark.parametrize("path", PURE, ids=location_of)
def test_a_pure_module_reads_nothing_but_its_arguments(path: Path) -> None:
    assert not list(impurities(path))


def test_modules_that_have_to_be_pure_say_so() -> None:
    assert {location_of(path) for path in PURE} >= REQUIRED


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import time", "time"),
        ("def f():\n    from http.server import HTTPServer", "http.server"),
        ("import os\nos.environ", "os.environ"),
        ("import os\ndef f(facts: os.stat_result): ...", None),
        ("open('a')", "open"),
        ("datetime.now()", ".now"),
        ("def f(now): return now()", None),
        ("path.read_text()", ".read_text"),
    ],
)
def test_an_impurity_is_found(tmp_path: Path, source: str, found: str | None) -> None:
    path = tmp_path / "module.py"
    path.write_text(source)
    assert list(impurities(path)) == ([found] if found else [])


def impurities(path: Path) -> Iterator[str]:
    """Yield every import, function and method that a pure module does not use."""
    for module in imports_of(path):
        if _IMPURE_MODULES & {module, module.partition(".")[0]}:
            yield module
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os":
            yield from () if node.attr in _PURE_NAMES_OF_OS else (f"os.{node.attr}",)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield from (node.func.id,) if node.func.id in _IMPURE_FUNCTIONS else ()
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from (f".{node.func.attr}",) if node.func.attr in _IMPURE_METHODS else ()

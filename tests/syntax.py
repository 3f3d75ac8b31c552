"""The syntax trees of the package, for tests that hold its rules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeAlias

PACKAGE = Path(__file__).parents[1] / "mkdocs_imagegen"
MODULES = sorted(PACKAGE.rglob("*.py"))
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def location_of(path: Path) -> str:
    """Return the path of a module in the package, like ``gateway/client.py``."""
    return path.relative_to(PACKAGE).as_posix()


def name_of(path: Path) -> str:
    """Return the dotted name of a module."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(path: Path) -> str:
    """Return the folder or module at the root of the package to which a module belongs."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(path.read_text())


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Return every imported module, also inside functions and under TYPE_CHECKING."""
    names: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names.add(node.module or "")
            # `from package import module` imports the module too.
            names.update({f"{node.module}.{alias.name}" for alias in node.names} & _names())
    return frozenset(names)


@cache
def _names() -> frozenset[str]:
    return frozenset(map(name_of, MODULES))


def functions() -> Iterator[Function]:
    """Yield every function of the package."""
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def length_of(function: Function) -> int:
    """Return the lines of a function's body, its docstring left out."""
    has_docstring = ast.get_docstring(function) is not None and len(function.body) > 1
    first = function.body[1 if has_docstring else 0]
    return (function.end_lineno or 0) - first.lineno + 1


def public_definitions() -> Iterator[tuple[str, str | None]]:
    """Yield the name and the docstring of every public module, class, function and method."""
    for path in MODULES:
        tree = tree_of(path)
        yield location_of(path), ast.get_docstring(tree)
        yield from _public(tree.body, location_of(path))


def _public(body: list[ast.stmt], owner: str) -> Iterator[tuple[str, str | None]]:
    for node in body:
        is_definition = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if is_definition and not node.name.startswith("_"):
            yield f"{owner}: {node.name}", ast.get_docstring(node)
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body, f"{owner}: {node.name}")

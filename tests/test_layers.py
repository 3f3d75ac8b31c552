"""The rules of the house, held over the syntax tree of every module."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "mkdocs_imagegen"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Each group may import what stands before it in this list, and itself.
LAYERS = [
    ["frozen", "log"],
    ["errors"],
    ["event_loop", "files"],
    ["options"],
    ["request"],
    ["layout"],
    ["settings"],
    ["directives", "gateway", "originals", "report", "emulator"],
    ["derived"],
    ["imaging"],
    ["pages"],
    ["spending"],
    ["jobs"],
    ["pipeline"],
    ["gateway_opening"],
    ["hosts"],
    ["cli"],
    ["__main__"],
]

# Rooms of one layer do not import each other; these are the only doors between rooms.
DOORS = {
    "httpx": {"gateway/client.py"},
    "PIL": {"imaging/", "emulator/sketches/"},
    "diskcache": {"derived/"},
    "markdown": {"directives/extension.py", "directives/fences.py", "directives/tree.py"},
    "mkdocs": {"hosts/mkdocs/", "cli/"},
    "tenacity": {"gateway/policy.py"},
    "filelock": {"spending/claims.py"},
    "yaml": {"settings/prompts.py"},
    "click": {"hosts/", "cli/"},
    "rich": {"cli/terminal.py"},
}

HEAVY = [
    *(
        "httpx",
        "PIL",
        "diskcache",
        "tenacity",
        "filelock",
        "rich",
        "anyio",
        "mkdocs_imagegen.emulator",
    )
]


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, also inside functions and under TYPE_CHECKING."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names.add(node.module or "")
    return names


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def layer_of(room: str) -> int:
    return next(number for number, rooms in enumerate(LAYERS) if room in rooms)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room == "__init__":
        assert not imports_of(path)
        return
    for module in imports_of(path):
        if not module.startswith("mkdocs_imagegen."):
            continue
        other = room_of(module)
        assert other == room or layer_of(other) < layer_of(room), f"{room} imports {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_library_has_one_door(path: Path) -> None:
    location = path.relative_to(PACKAGE).as_posix()
    for module in imports_of(path):
        doors = DOORS.get(module.split(".")[0])
        assert doors is None or any(location.startswith(door) for door in doors), module


def test_every_room_has_a_layer() -> None:
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in MODULES}
    assert rooms - {"__init__"} == {room for rooms in LAYERS for room in rooms}


def test_no_import_cycle_between_modules() -> None:
    graph = {module_name(path): imports_of(path) for path in MODULES}
    seen: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module in seen or module not in graph:
            return
        for other in graph[module]:
            visit(other, (*trail, module))
        seen.add(module)

    for module in graph:
        visit(module, ())


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_the_plugin_loads_nothing_heavy() -> None:
    """A build in which all is there imports no client, no image library, no event loop."""
    code = (
        "import sys, mkdocs_imagegen.hosts.mkdocs.plugin;"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_grows_past_what_one_can_read(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 450


def test_the_median_function_is_short() -> None:
    lengths = sorted(
        (node.end_lineno or 0) - node.body[0].lineno + 1
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert lengths[len(lengths) // 2] < 10

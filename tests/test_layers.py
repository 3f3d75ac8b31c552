"""Imports between the parts of the package, and the only users of each library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.syntax import MODULES, imports_of, location_of, name_of, room_of

# Rooms of a layer import rooms of the layers before it; they do not import each other.
LAYERS = [
    ["frozen"],
    ["errors"],
    ["log", "pacing"],
    ["event_loop", "files"],
    ["option_parsers"],
    ["git"],
    ["request"],
    ["page_layout"],
    ["settings"],
    ["directives", "gateway", "originals", "report", "emulator"],
    ["derived", "causes"],
    ["imaging"],
    ["pages"],
    ["spending"],
    ["jobs"],
    ["pipeline"],
    ["hosts"],
    ["cli"],
    ["__main__"],
]

FRONT_DOORS = {"hosts", "cli"}
"""Rooms that no other room imports; only `cli` uses a host."""

# The only modules that import a library.
DOORS = {
    "boto3": {"originals/"},
    "dask": {"jobs/"},
    "jinja2": {"hosts/"},
    "obstore": {"originals/"},
    "sqlite3": {"derived/"},
    "subprocess": {"git.py"},
    "httpx": {"gateway/client.py"},
    "PIL": {"imaging/", "emulator/sketches/"},
    "diskcache": {"derived/"},
    "markdown": {"directives/extension.py", "directives/fences.py", "directives/tree.py"},
    "mkdocs": {"hosts/mkdocs/"},
    "filelock": {"spending/claims.py"},
    "yaml": {"settings/prompts.py"},
    "click": {"hosts/", "cli/"},
    "rich": {"cli/terminal.py", "jobs/progress.py"},
}

HEAVY = ["httpx", "PIL", "diskcache", "filelock", "rich", "anyio"]
HEAVY += ["mkdocs_imagegen.emulator"]


def layer_of(room: str) -> int:
    return next(number for number, rooms in enumerate(LAYERS) if room in rooms)


@pytest.mark.parametrize("path", MODULES, ids=location_of)
def test_imports_run_one_way(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        assert not imports_of(path)
        return
    for module in imports_of(path):
        if not module.startswith("mkdocs_imagegen."):
            continue
        other = module.split(".")[1]
        assert other == room or layer_of(other) < layer_of(room), f"{room} imports {other}"
        assert other == room or other not in FRONT_DOORS or room in {"cli", "__main__"}


@pytest.mark.parametrize("path", MODULES, ids=location_of)
def test_each_library_has_one_door(path: Path) -> None:
    location = location_of(path)
    for module in imports_of(path):
        doors = DOORS.get(module.split(".")[0])
        assert doors is None or any(location.startswith(door) for door in doors), module


def test_the_emulator_is_imported_by_front_doors_alone() -> None:
    users = {
        room_of(path)
        for path in MODULES
        if any(module.startswith("mkdocs_imagegen.emulator") for module in imports_of(path))
    }
    assert users <= {"emulator", *FRONT_DOORS}


def test_every_room_has_a_layer() -> None:
    rooms = {room_of(path) for path in MODULES}
    assert rooms - {"__init__"} == {room for rooms in LAYERS for room in rooms}


def test_no_import_cycle_between_modules() -> None:
    graph = {name_of(path): imports_of(path) for path in MODULES}
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


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        # A build that generates and derives no image needs none of them.
        ("mkdocs_imagegen.hosts.mkdocs.plugin", HEAVY),
        ("mkdocs_imagegen", [*HEAVY, *DOORS]),
    ],
)
def test_import_loads_no_heavy_library(module: str, heavy: list[str]) -> None:
    code = f"import sys, {module}; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

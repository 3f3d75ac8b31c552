"""Developer guide: paths, tables and commands agree with the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.manual.pages import DOCS, ROOT
from tests.soak.__main__ import FULL_ROUNDS

GUIDE = [*sorted((DOCS / "development").glob("*.md")), ROOT / "CONTRIBUTING.md"]
_PATH = re.compile(r"`((?:mkdocs_imagegen|tests|example_site|\.ci)/[\w./-]*)(?:\*[^`]*)?`")
_PARTS_OF_PACKAGE = re.compile(r"`((?:cli|hosts|spending|gateway|pipeline)/\w+\.py)`")
_NAME_IN_MODULE = re.compile(
    r"`(\w+)`,?\s+(?:in|of)\s+`((?:mkdocs_imagegen/|tests/)?(?:\w+/)+\w+\.py)`"
)
_SELECTION = re.compile(r"pytest (tests/[\w/]+\.py) -k (\w+)")
_SOAK_ROW = re.compile(r"^\| `(\w+)` \| [^|]+ \| ([\d,]+) \| ([\d,]+) \|$", re.MULTILINE)


@pytest.mark.parametrize("page", GUIDE, ids=lambda path: path.name)
def test_paths_exist(page: Path) -> None:
    text = page.read_text()
    paths = [ROOT / path for path in _PATH.findall(text)]
    paths += [ROOT / "mkdocs_imagegen" / path for path in _PARTS_OF_PACKAGE.findall(text)]
    assert [str(path) for path in paths if not path.exists()] == []


@pytest.mark.parametrize("page", GUIDE, ids=lambda path: path.name)
def test_names_exist_in_their_modules(page: Path) -> None:
    for name, module in _NAME_IN_MODULE.findall(page.read_text()):
        roots = ROOT, ROOT / "mkdocs_imagegen"
        (text,) = ((root / module).read_text() for root in roots if (root / module).exists())
        assert re.search(rf"^(?:def |class )?{name}\b(?:\(|:| = )", text, re.MULTILINE), name


@pytest.mark.parametrize("page", GUIDE, ids=lambda path: path.name)
def test_selections_of_tests_are_not_empty(page: Path) -> None:
    for module, word in _SELECTION.findall(page.read_text()):
        names = re.findall(r"def (test_\w+)", (ROOT / module).read_text())
        assert any(word in name for name in names), word


def soak_rows() -> dict[str, tuple[int, int]]:
    """Return the rounds in CI and at full size, by soak."""
    text = (DOCS / "development/reliability.md").read_text()
    rows = _SOAK_ROW.findall(text.partition("<!-- soaks -->")[2])
    return {
        name: (int(small.replace(",", "")), int(full.replace(",", "")))
        for name, small, full in rows
    }


def test_full_sizes_of_soaks_are_those_of_the_manual() -> None:
    assert {name: full for name, (_, full) in soak_rows().items()} == FULL_ROUNDS


@pytest.mark.parametrize("name", FULL_ROUNDS)
def test_size_of_a_soak_in_ci_is_that_of_the_manual(name: str) -> None:
    tree = ast.parse((ROOT / f"tests/soak/test_{name}.py").read_text())
    sizes = [
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "soak"
        and isinstance(node.args[0], ast.Constant)
    ]
    assert max(sizes) == soak_rows()[name][0]


def test_every_soak_has_a_size() -> None:
    modules = {path.stem for path in (ROOT / "tests/soak").glob("*.py")}
    assert FULL_ROUNDS.keys() == {
        name for name in modules if f"test_{name}" in modules and not name.startswith("test_")
    }

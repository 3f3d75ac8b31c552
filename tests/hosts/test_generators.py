"""A site with every feature looks the same, whichever site generator and theme builds it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hosts.environments import (
    ALONE,
    MATERIALX,
    NEWEST,
    OLDEST,
    TECHDOCS,
    Environment,
)
from tests.hosts.site import ShownPage, broken_references, read_site, write_site

pytestmark = pytest.mark.hosts

GENERATORS = {
    "MkDocs, oldest": (OLDEST, "mkdocs", "mkdocs.yml", "material"),
    "MkDocs, newest": (NEWEST, "mkdocs", "mkdocs.yml", "material"),
    "ProperDocs beside MkDocs": (NEWEST, "properdocs", "properdocs.yml", "material"),
    "ProperDocs": (ALONE, "properdocs", "properdocs.yml", "mkdocs"),
    "ProperDocs, file of MkDocs": (ALONE, "properdocs", "mkdocs.yml", "mkdocs"),
    "MaterialX, MkDocs": (MATERIALX, "mkdocs", "mkdocs.yml", "materialx"),
    "MaterialX, ProperDocs": (MATERIALX, "properdocs", "properdocs.yml", "materialx"),
    "Backstage TechDocs": (TECHDOCS, "mkdocs", "mkdocs.yml", "material"),
}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, environment) -> dict[str, ShownPage]:
    """Pages as the newest MkDocs builds them, with its built-in theme."""
    folder = tmp_path_factory.mktemp("expected")
    write_site(folder, theme="mkdocs")
    return build(environment(*NEWEST), folder, "mkdocs")


def build(environment: Environment, folder: Path, module: str) -> dict[str, ShownPage]:
    done = environment.run(module, "build", "--strict", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert broken_references(folder / "site") == []
    return read_site(folder / "site")


def test_site_has_every_feature(expected: dict[str, ShownPage]) -> None:
    """So that the comparisons compare something."""
    assert [len(page.images) for page in expected.values()] == [8, 2, 2]
    assert all(page.card for page in expected.values())
    assert any(
        file.scheme for page in expected.values() for each in page.images for file in each.files
    )


@pytest.mark.parametrize("name", GENERATORS)
def test_site_looks_the_same(
    name: str,
    environment: Callable[..., Environment],
    tmp_path: Path,
    expected: dict[str, ShownPage],
) -> None:
    requirements, module, config_file, theme = GENERATORS[name]
    write_site(tmp_path, config_file, theme)
    if requirements is TECHDOCS:
        # It has a theme and extensions of its own.
        path = tmp_path / config_file
        text = path.read_text().replace("- search", "- techdocs-core")
        path.write_text(
            "".join(
                line
                for line in text.splitlines(keepends=True)
                if not line.startswith(("theme", "markdown"))
            )
        )
    built = build(environment(*requirements), tmp_path, module)
    for page, shown in built.items():
        assert shown.images == expected[page].images, page
        assert shown.card == expected[page].card, page
        assert shown.style_sheets == expected[page].style_sheets == 2, page

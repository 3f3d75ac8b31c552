"""Links of the manual: pages, anchors, old addresses and the README."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.manual.pages import DOCS, ROOT, nav_titles, pages, plugin_options

URLS = dict(
    re.findall(
        r'^(\w+) = "(https://.*)"$',
        (ROOT / "pyproject.toml").read_text().partition("[project.urls]")[2].partition("\n[")[0],
        re.MULTILINE,
    )
)
"""URLs of the package; Python 3.10 has no module for TOML."""
REPOSITORY = URLS["Source"]
IN_BRANCH = (f"{REPOSITORY}/blob/main/", f"{REPOSITORY}/tree/main/")


def path_of(url: str) -> Path:
    """Return the file or folder that a URL shows."""
    return ROOT / re.sub(r"^.*?/(blob|tree)/main/", "", url)


def test_strict_build_has_no_warning(manual) -> None:
    """MkDocs checks links, anchors, and pages that the navigation lacks."""
    assert manual.warnings == ""


@pytest.mark.parametrize("old", plugin_options("redirects")["redirect_maps"])
def test_old_address_leads_to_a_page(manual, old) -> None:
    new = plugin_options("redirects")["redirect_maps"][old]
    assert not (DOCS / old).exists()
    page = manual.site / old.removesuffix("index.md").removesuffix(".md") / "index.html"
    (target,) = re.findall(r'rel="canonical" href="([^"]+)"', page.read_text())
    assert (page.parent / target).resolve() == manual.site / new.removesuffix(
        "index.md"
    ).removesuffix(".md")


def test_readme_links_work_on_a_package_index() -> None:
    (readme,) = (page for page in pages() if page.name == "/README.md")
    targets = re.findall(r"\]\(([^)]+)\)", readme.body)
    in_branch = [each for each in targets if each.startswith(IN_BRANCH)]
    assert len(in_branch) > 5
    assert [each for each in targets if not each.startswith(REPOSITORY)] == []
    assert [each for each in in_branch if not path_of(each).exists()] == []


def test_urls_of_the_package_lead_to_files() -> None:
    in_branch = [each for each in URLS.values() if each.startswith(IN_BRANCH)]
    assert in_branch
    assert [each for each in in_branch if not path_of(each).exists()] == []


def test_requirements_of_the_manual_name_the_repository() -> None:
    lines = [
        line
        for page in pages()
        for block in page.blocks
        for line in block.text.split("\n")
        if "git+" in line
    ]
    assert lines
    fixed, newest = f"mkdocs-imagegen @ git+{REPOSITORY}@COMMIT", f"pip install git+{REPOSITORY}"
    assert {*lines} == {fixed, newest}


def test_navigation_lists_every_page() -> None:
    assert {*nav_titles()} == {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}

"""Links of the manual: pages, anchors, old addresses and the README."""

from __future__ import annotations

import re

import pytest

from tests.manual.pages import DOCS, ROOT, nav_titles, plugin_options


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


def test_readme_links_to_files() -> None:
    targets = re.findall(r"\]\(([^)#]+)", (ROOT / "README.md").read_text())
    local = [each for each in targets if "://" not in each and not each.startswith("imagegen:")]
    assert local
    assert [each for each in local if not (ROOT / each).exists()] == []


def test_navigation_lists_every_page() -> None:
    assert {*nav_titles()} == {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}

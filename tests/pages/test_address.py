"""Addresses of files and pages, as seen from a page."""

from __future__ import annotations

import posixpath

import pytest

from mkdocs_imagegen.pages.cards import relative_page_url
from mkdocs_imagegen.pages.markup import relative_url

NAMES = ["a.png", "about/", "about", "a/b.png", "a/b/c.png", "a/b/", ".", "x y/z.png", "ab/a.png"]
PAGES = ["", "index.html", "a/", "a/b/", "a/b/c.html", "/404.html", "ab/c/", "deep/er/still/"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", NAMES)
def test_an_address_leads_from_the_page_to_the_file(name: str, page: str) -> None:
    folder = posixpath.dirname(page.lstrip("/"))
    address = relative_url(name, page)
    assert posixpath.normpath(posixpath.join(folder, address)) == posixpath.normpath(name)
    assert not address.startswith("/")


def test_an_address_of_a_page() -> None:
    assert relative_page_url("about/", "guide/start/") == "../../about/"
    assert relative_page_url("", "guide/start/") == "../../"
    assert relative_page_url("guide/start/", "guide/other/") == "../start/"
    assert relative_page_url("", "") == "./"

"""Addresses of files and pages, as seen from a page."""

from __future__ import annotations

import posixpath

import pytest

from mkdocs_imagegen.pages.address import relative_address
from mkdocs_imagegen.pages.cards import page_address

NAMES = ["a.png", "about/", "about", "a/b.png", "a/b/c.png", "a/b/", ".", "x y/z.png", "ab/a.png"]
PAGES = ["", "index.html", "a/", "a/b/", "a/b/c.html", "/404.html", "ab/c/", "deep/er/still/"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", NAMES)
def test_an_address_leads_from_the_page_to_the_file(name: str, page: str) -> None:
    folder = posixpath.dirname(page.lstrip("/"))
    address = relative_address(name, page)
    assert posixpath.normpath(posixpath.join(folder, address)) == posixpath.normpath(name)
    assert not address.startswith("/")


def test_an_address_of_a_page() -> None:
    assert page_address("about/", "guide/start/") == "../../about/"
    assert page_address("", "guide/start/") == "../../"
    assert page_address("guide/start/", "guide/other/") == "../start/"
    assert page_address("", "") == "./"

"""HTML of images, and relative URLs."""

from __future__ import annotations

import posixpath

import pytest

from mkdocs_imagegen.pages.markup import relative_url

NAMES = ["a.png", "about/", "about", "a/b.png", "a/b/c.png", "a/b/", ".", "x y/z.png", "ab/a.png"]
PAGES = ["", "index.html", "a/", "a/b/", "a/b/c.html", "/404.html", "ab/c/", "deep/er/still/"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", NAMES)
def test_relative_url_leads_from_the_page_to_the_file(name: str, page: str) -> None:
    folder = posixpath.dirname(page.lstrip("/"))
    url = relative_url(name, page)
    assert posixpath.normpath(posixpath.join(folder, url)) == posixpath.normpath(name)
    assert not url.startswith("/")

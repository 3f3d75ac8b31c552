"""A list of pages as a grid of cards."""

from __future__ import annotations

import pytest

from mkdocs_imagegen.pages.cards import relative_page_url


@pytest.mark.parametrize(
    ("url", "page_url", "expected"),
    [
        ("about/", "guide/start/", "../../about/"),
        ("", "guide/start/", "../../"),
        ("guide/start/", "guide/other/", "../start/"),
        ("", "", "./"),
        ("about.html", "guide/start.html", "../about.html"),
    ],
)
def test_relative_url_of_a_page_ends_as_its_own(url: str, page_url: str, expected: str) -> None:
    assert relative_page_url(url, page_url) == expected

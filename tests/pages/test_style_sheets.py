"""The style sheet of a site, and the pages that link it."""

from __future__ import annotations

import re

import pytest

from mkdocs_imagegen.directives.directive import WIDTH_CLASS
from mkdocs_imagegen.pages.style_sheets import SHEET, SHEET_NAME, style_link

LINK = '<link rel="stylesheet" href="../a.css">\n'


@pytest.mark.parametrize(
    "page",
    [
        '<p><img class="imagegen wide" src="a.webp" alt="a > b"></p>',
        "<p><img\nloading=lazy class=imagegen src=a.webp></p>",
        '<ul class="imagegen-cards" role="list"></ul>',
        '<span class="theirs imagegen-badge"><img></span>',
    ],
)
def test_page_with_an_element_of_a_class_links_the_style_sheet_once(page: str) -> None:
    assert style_link(page, "../a.css") == LINK
    assert style_link(LINK + page, "../a.css") == ""


@pytest.mark.parametrize(
    "page",
    [
        "",
        '<p><img src="imagegen.png" alt="" class="images"></p>',
        '<p class="a">class="imagegen"</p>',
        '<pre><code>&lt;img class="imagegen"&gt;</code></pre>',
        '<p title="imagegen" class="myimagegen">imagegen</p>',
    ],
)
def test_page_without_such_an_element_links_no_style_sheet(page: str) -> None:
    assert style_link(page, "../a.css") == ""


def test_name_of_the_style_sheet_is_one_that_techdocs_keeps() -> None:
    """https://github.com/backstage/backstage, plugins/techdocs, `MKDOCS_CSS`."""
    assert re.fullmatch(r"assets/imagegen/main\.[0-9a-f]{8}\.min\.css", SHEET_NAME)


def test_each_width_in_percent_has_a_rule() -> None:
    text = SHEET.decode()
    for width in (1, 50, 100):
        assert text.count(f".{WIDTH_CLASS}{width}{{width:{width}%}}") == 1
    assert text.count("{") == text.count("}")

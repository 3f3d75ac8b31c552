"""The style sheet of a site, and the pages that link it."""

from __future__ import annotations

import re

import pytest

from mkdocs_imagegen.directives.directive import WIDTH_CLASS
from mkdocs_imagegen.imaging.image import PageImage
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.pages.style_sheets import (
    SHEET,
    SHEET_NAME,
    PageStyles,
    blur_class,
    crop_class,
)

LINK = f'<link rel="stylesheet" href="../{SHEET_NAME}">\n'
RED, BLUE = "data:image/webp;base64,UmVk", "data:image/webp;base64,Qmx1ZQ=="


def links(page: str, *blurs: str) -> tuple[str, dict[str, bytes]]:
    """Return the links of a page, and the files that were added."""
    files: dict[str, bytes] = {}
    styles = PageStyles(files.__setitem__)
    for blur in blurs:
        styles.add_image(PageImage((), Size(3, 2), blur))
    return styles.links(page, lambda name: f"../{name}"), files


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
    assert links(page) == (LINK, {SHEET_NAME: SHEET})
    assert links(LINK + page) == ("", {})


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
    assert links(page) == ("", {})


def test_name_of_the_style_sheet_is_one_that_techdocs_keeps() -> None:
    """https://github.com/backstage/backstage, plugins/techdocs, `MKDOCS_CSS`."""
    assert re.fullmatch(r"assets/imagegen/main\.[0-9a-f]{8}\.min\.css", SHEET_NAME)


def test_each_width_in_percent_has_a_rule() -> None:
    text = SHEET.decode()
    for width in (1, 50, 100):
        assert text.count(f".{WIDTH_CLASS}{width}{{width:{width}%}}") == 1
    assert text.count("{") == text.count("}")


def test_blurred_previews_of_a_page_are_in_a_style_sheet_of_its_own() -> None:
    page = f'<img class="imagegen {blur_class(RED)}" src="a.webp">'
    found, files = links(page, RED, BLUE, "")
    (name,) = files.keys() - {SHEET_NAME}
    assert found == f'{LINK}<link rel="stylesheet" href="../{name}">\n'
    rule = f".{blur_class(RED)}{{background:url({RED}) center/cover content-box}}\n"
    assert files[name].decode() == rule
    assert re.fullmatch(r"assets/imagegen/main\.[0-9a-f]{8}\.min\.css", name)


def test_image_without_a_blurred_preview_has_no_class_for_it() -> None:
    assert blur_class("") == ""
    assert links('<img class="imagegen imagegen-blur-00000000" src="a.webp">', RED)[0] == LINK


def test_crop_of_an_original_is_in_the_style_sheet_of_its_page() -> None:
    files: dict[str, bytes] = {}
    styles = PageStyles(files.__setitem__)
    styles.add_image(PageImage((), Size(3, 2), crop="object-fit:cover"))
    styles.links(f'<img class="imagegen {crop_class("object-fit:cover")}" src="a.webp">', str)
    (name,) = files.keys() - {SHEET_NAME}
    assert files[name].decode() == f".{crop_class('object-fit:cover')}{{object-fit:cover}}\n"

"""Markers in the HTML of a page, compared with the parser of a browser."""

from __future__ import annotations

import re
import time

import html5lib
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mkdocs_imagegen.directives.directive import (
    InvalidDirective,
    SourceExcerpt,
    build_token,
)
from mkdocs_imagegen.directives.marker import (
    as_block,
    as_tag,
    attributes_of,
    fill_addresses,
    fill_images,
    find_shown_images,
)
from mkdocs_imagegen.option_parsers import Size
from tests.directives.strategies import DIRECTIVES

TOKEN = "imagegen:t" + "0123456789" * 4
OTHER = "imagegen:t" + "a" * 40
IMAGES = [
    '<img src="imagegen:{}">',
    "<img src='imagegen:{}' alt='a > b'>",
    "<img src=imagegen:{}>",
    "<IMG ALT=x SRC = 'imagegen:{}'/>",
    '<img\n\tsrc\n=\n"imagegen:{}" >',
    '<img alt=""src="imagegen:{}">',
    '<img alt="type src=imagegen:no here" src="imagegen:{}">',
    '<img/src="imagegen:{}"/>',
    '<img src="imagegen:{}" src="imagegen:second">',
    "<img alt=don't src=imagegen:{}>",
    '<img src=" imagegen:{}" a=b"c>',
]
AROUND = [
    "text",
    " imagegen: ",
    "a < b > c",
    "'",
    '"',
    "<",
    "<3",
    "</>",
    "</ >",
    "<!>",
    "<!DOCTYPE html>",
    "<?php echo '<b>' ?>",
    "<![CDATA[ x ]]>",
    "<!-- c -->",
    "<!-->",
    "<!--->",
    "<!-- a -- > b --!>",
    "<!--",
    "-->",
    "<p>",
    "</p>",
    "</p a='<img src=imagegen:no>'>",
    '<p class="a"">',
    "<a title=don't>",
    "<a title='x > y' b>",
    "<div data-x='<img src=imagegen:no>'>",
    "<P\nCLASS = x>",
    '<span class="k" id="x">',
    "</span>",
    '<a class="x" href="imagegen:no">',
    '<td class="<img src=imagegen:no>">',
    "<code>",
    "<br/>",
    "<title-card>",
    "<script-x>",
    "<img-x src=imagegen:no>",
    "<noscript>",
    "<script>",
    "<script src=a.js async>",
    "</script>",
    "</SCRIPT foo>",
    "</scripts>",
    "<style>",
    "</style >",
    "<textarea>",
    "</textarea>",
    "<title>",
    "</title/>",
    "<xmp>",
    "</xmp>",
    "<iframe>",
    "</iframe>",
    "<noembed>",
    "</noembed>",
    '<a href="',
    "<a href='",
    "<a b",
    "<a b=",
    '<img alt="',
    "<img src=imagegen:no",
]


def shown_by_browser(html):
    """Return the addresses of the images that a browser's parser finds."""
    tree = html5lib.parseFragment(html, namespaceHTMLElements=False)
    sources = (image.get("src", "").strip() for image in tree.iter("img"))
    return sorted(source for source in sources if source.startswith("imagegen:"))


def pages(pieces):
    return st.lists(pieces, max_size=12).map("".join)


@given(pages(st.sampled_from(IMAGES) | st.sampled_from(AROUND)))
def test_shown_images_are_those_of_a_browser(page):
    assume(
        "<script" not in page.lower() or "<!--" not in page
    )  # scripts have comments of their own
    page = number_them(page)
    assert sorted(each.address.strip() for each in find_shown_images(page)) == shown_by_browser(
        page
    )


@given(pages(st.sampled_from(IMAGES) | st.text("<>!-/='\" \nabimg", max_size=8)))
def test_shown_images_in_noise_are_those_of_a_browser(page):
    assume("=" not in re.sub(r"(?<=[\w])\s*=", "", page))  # an "=" where a name should stand
    page = number_them(page)
    assert sorted(each.address.strip() for each in find_shown_images(page)) == shown_by_browser(
        page
    )


def number_them(page):
    parts = page.split("{}")
    return "".join(f"{part}{number}" for number, part in enumerate(parts[:-1])) + parts[-1]


@pytest.mark.parametrize(
    "page",
    [
        '<svg><style/><title/></svg><img src="{}">',
        '<svg><style>a</style></svg><img src="{}">',
        '<template>x</template><img src="{}">',
        '<noscript><img src="{}"></noscript>',
    ],
)
def test_marker_is_found(page):
    (image,) = find_shown_images(page.format(TOKEN))
    assert (image.address, image.is_src) == (TOKEN, True)


@pytest.mark.parametrize(
    "page",
    [
        "<img data-src='{}' src=''>",
        '<img src="loading.gif" data-srcset="{} 2x">',
        "<img class=lazy data-x={}>",
    ],
)
def test_marker_of_a_lazy_loaded_image_is_found(page):
    (image,) = find_shown_images(page.format(TOKEN))
    assert (image.address, image.is_src) == (TOKEN, False)


def test_other_attributes_count_only_with_a_token():
    assert not list(find_shown_images('<img alt="write imagegen:hero" src="a.png">'))


@pytest.mark.parametrize(
    "page",
    [
        '<template><img src="{}"></template>',
        "<p><a title='x > <img src={}>' b></a></p>",
        '<p><a title = "x > <img src={}>" b></a></p>',
        "<p></3 <img src={}></p>",
        '<noframes><img src="{}"></noframes>',
        '<script><img src="{}">',
        '<a href="{}"></a>',
        '<image-gallery src="{}">',
        '&lt;img src="{}"&gt;',
        '<img src="{}"',
        "<p title=\"<img src='{}'>\">",
    ],
)
def test_hidden_images_are_not_found(page):
    assert not list(find_shown_images(page.format(TOKEN)))


@pytest.mark.parametrize(
    "piece",
    [
        '<img "',
        "<img '",
        '<img a="',
        "<img a='b\" ",
        "<a b=c ",
        "<a b=c d",
        "<a<",
        "<",
        "<!--",
        "<!-",
        "<!",
        "</",
        "<script>",
        "<script/>",
        "<style a=b/>",
        "<style a=b/ ",
        "<title",
        "=",
        "<a =",
        "<a " + "=",
        "<p>",
        "<p><",
        '<p class="',
        '<img src="imagegen:x" ',
        "./",
        "/",
        "#",
        "imagegen:",
        f"{TOKEN}<",
    ],
)
def test_scanning_takes_linear_time(piece):
    page = f"{TOKEN} <a " + piece * (100_000 // len(piece))
    before = time.perf_counter()
    list(find_shown_images(page))
    fill_images(page, find_shown_images(page), lambda _: None)
    fill_addresses(page, lambda _: "a.png")
    assert time.perf_counter() - before < 1


@given(pages(st.sampled_from([f'<img src="{TOKEN}">', f"<img class=x src={OTHER} />", *AROUND])))
def test_filling_replaces_markers_and_no_other_byte(page):
    filled = fill_images(page, find_shown_images(page), lambda name: f"[{name[-1]}]")
    parts, done = [], 0
    for each in find_shown_images(page):
        parts += [page[done : each.start], f"[{each.address[-1]}]"]
        done = each.end
    assert filled == "".join([*parts, page[done:]])
    assert not list(find_shown_images(filled))


def test_filling_keeps_unknown_markers():
    page = f'<p><img src="{TOKEN}"> <img src="{OTHER}"></p>'
    filled = fill_images(page, find_shown_images(page), lambda name: "X" if name == TOKEN else None)
    assert filled == f'<p>X <img src="{OTHER}"></p>'


@pytest.mark.parametrize("before", ["", "/", "./", "../", "../../", "/../", "#", "#../", "#/"])
def test_address_is_replaced_with_its_prefix(before):
    page = f'<a href="{before}{TOKEN}">x</a>'
    assert fill_addresses(page, lambda _: "a.png") == '<a href="a.png">x</a>'


@pytest.mark.parametrize("before", ["https://example.org/docs/", "a", "x.", "...", "\\", "("])
def test_address_is_replaced_without_other_text(before):
    filled = fill_addresses(f"{before}{TOKEN})", lambda _: "a.png")
    assert filled.endswith("a.png)")
    assert filled.rstrip("a.png)") in before


def test_text_without_a_token_is_unchanged():
    assert fill_addresses("../imagegen:t0123", lambda _: "a.png") == "../imagegen:t0123"


@given(DIRECTIVES)
def test_marker_has_the_attributes_of_its_directive(directive):
    token = build_token(directive)
    tag = as_tag(attributes_of(directive, token))
    (image,) = find_shown_images(f"<p>{tag}</p>")
    assert image.address == token
    image = html5lib.parseFragment(as_block(directive, token), namespaceHTMLElements=False).find(
        ".//img"
    )
    assert image.get("alt") == as_browsers_read(directive.alt)
    assert image.get("width") == str(directive.layout_size.width)
    assert image.get("height") == str(directive.layout_size.height)


def as_browsers_read(text):
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", re.sub("\r\n?", "\n", text))


def test_marker_of_an_invalid_directive_says_so():
    invalid = InvalidDirective("no prompt", Size(30, 20), SourceExcerpt("fence", ""))
    tag = as_block(invalid, build_token(invalid))
    assert 'alt="Image prompt with an error" width="30" height="20"' in tag
    assert "no prompt" not in tag

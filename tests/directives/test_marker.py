"""Which images stand in a page, as browsers read it, and how they are filled in."""

from __future__ import annotations

import re
import time

import html5lib
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mkdocs_imagegen.directives.directive import Directive, InvalidDirective, SourceExcerpt, token
from mkdocs_imagegen.directives.marker import (
    as_block,
    as_tag,
    attributes_of,
    fill_addresses,
    fill_images,
    find_shown_images,
)
from mkdocs_imagegen.layout import Layout
from mkdocs_imagegen.options import Size
from mkdocs_imagegen.request import ImageRequest

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


def placeholder(html):
    """What a browser's parser finds, which is the truth."""
    tree = html5lib.parseFragment(html, namespaceHTMLElements=False)
    sources = (image.get("src", "").strip() for image in tree.iter("img"))
    return sorted(source for source in sources if source.startswith("imagegen:"))


def pages(pieces):
    return st.lists(pieces, max_size=12).map("".join)


@given(pages(st.sampled_from(IMAGES) | st.sampled_from(AROUND)))
def test_what_is_shown_is_what_a_browser_shows(page):
    assume(
        "<script" not in page.lower() or "<!--" not in page
    )  # scripts have comments of their own
    page = number_them(page)
    assert sorted(each.address.strip() for each in find_shown_images(page)) == placeholder(page)


@given(pages(st.sampled_from(IMAGES) | st.text("<>!-/='\" \nabimg", max_size=8)))
def test_what_is_shown_in_noise_is_what_a_browser_shows(page):
    assume("=" not in re.sub(r"(?<=[\w])\s*=", "", page))  # an "=" where a name should stand
    page = number_them(page)
    assert sorted(each.address.strip() for each in find_shown_images(page)) == placeholder(page)


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
def test_a_marker_is_found(page):
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
def test_a_marker_that_was_moved_to_be_loaded_late_is_found(page):
    (image,) = find_shown_images(page.format(TOKEN))
    assert (image.address, image.is_src) == (TOKEN, False)


def test_only_a_token_counts_where_it_is_no_address():
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
def test_what_is_no_image_of_the_page_is_not_found(page):
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
def test_no_text_takes_long(piece):
    page = f"{TOKEN} <a " + piece * (100_000 // len(piece))
    before = time.perf_counter()
    list(find_shown_images(page))
    fill_images(page, find_shown_images(page), lambda _: None)
    fill_addresses(page, lambda _: "a.png")
    assert time.perf_counter() - before < 1


@given(pages(st.sampled_from([f'<img src="{TOKEN}">', f"<img class=x src={OTHER} />", *AROUND])))
def test_filling_replaces_what_is_shown_and_not_a_byte_more(page):
    filled = fill_images(page, find_shown_images(page), lambda name: f"[{name[-1]}]")
    parts, done = [], 0
    for each in find_shown_images(page):
        parts += [page[done : each.start], f"[{each.address[-1]}]"]
        done = each.end
    assert filled == "".join([*parts, page[done:]])
    assert not list(find_shown_images(filled))


def test_filling_keeps_what_nobody_knows():
    page = f'<p><img src="{TOKEN}"> <img src="{OTHER}"></p>'
    filled = fill_images(page, find_shown_images(page), lambda name: "X" if name == TOKEN else None)
    assert filled == f'<p>X <img src="{OTHER}"></p>'


@pytest.mark.parametrize("before", ["", "/", "./", "../", "../../", "/../", "#", "#../", "#/"])
def test_an_address_is_replaced_with_what_was_put_before_it(before):
    page = f'<a href="{before}{TOKEN}">x</a>'
    assert fill_addresses(page, lambda _: "a.png") == '<a href="a.png">x</a>'


@pytest.mark.parametrize("before", ["https://example.org/docs/", "a", "x.", "...", "\\", "("])
def test_an_address_takes_nothing_else_with_it(before):
    filled = fill_addresses(f"{before}{TOKEN})", lambda _: "a.png")
    assert filled.endswith("a.png)")
    assert filled.rstrip("a.png)") in before


def test_text_without_a_token_stays():
    assert fill_addresses("../imagegen:t0123", lambda _: "a.png") == "../imagegen:t0123"


TEXT = st.text(max_size=30) | st.text("\"'<>&;amp= ", max_size=10)
NAMES = st.sampled_from(["title", "id", "class", "loading", "data-x"])
SIZES = st.builds(Size, st.integers(1, 8192), st.integers(1, 8192))
REQUESTS = st.builds(ImageRequest, model=TEXT, prompt=TEXT, size=SIZES)
DIRECTIVES = st.builds(
    Directive,
    request=REQUESTS,
    dark=st.none() | REQUESTS,
    is_exact=st.booleans(),
    alt=TEXT,
    caption=TEXT,
    note=TEXT,
    layout=st.builds(Layout, SIZES),
    width_px=st.none() | st.integers(1, 8192),
    sizes=TEXT,
    attributes=st.dictionaries(NAMES, TEXT).map(lambda pairs: tuple(pairs.items())),
    source=st.builds(SourceExcerpt, st.just("fence"), TEXT, TEXT),
)


@given(DIRECTIVES)
def test_a_marker_reads_back_as_what_it_stands_for(directive):
    name = token(directive)
    tag = as_tag(attributes_of(directive, name))
    (image,) = find_shown_images(f"<p>{tag}</p>")
    assert image.address == name
    image = html5lib.parseFragment(as_block(directive, name), namespaceHTMLElements=False).find(
        ".//img"
    )
    assert image.get("alt") == as_browsers_read(directive.alt)
    assert image.get("width") == str(directive.layout_size.width)
    assert image.get("height") == str(directive.layout_size.height)


def as_browsers_read(text):
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", re.sub("\r\n?", "\n", text))


@given(DIRECTIVES, DIRECTIVES)
def test_a_token_is_a_name(one, other):
    assert (token(one) == token(other)) == (repr(one) == repr(other))
    assert re.fullmatch(r"imagegen:t[0-9a-f]{40}", token(one))


@given(DIRECTIVES)
def test_the_layout_keeps_the_proportions(directive):
    size, layout_size = directive.layout.size, directive.layout_size
    assert layout_size.width == (directive.width_px or size.width)
    assert layout_size.height >= 1
    assert abs(layout_size.height - layout_size.width * size.height / size.width) <= 1


def test_a_marker_of_a_mistake_says_so():
    mistake = InvalidDirective("no prompt", Size(30, 20), SourceExcerpt("fence", ""))
    tag = as_block(mistake, token(mistake))
    assert 'alt="An image prompt with a mistake" width="30" height="20"' in tag
    assert "no prompt" not in tag

"""HTML of images, and relative URLs."""

from __future__ import annotations

import html
import posixpath
import re
from dataclasses import replace

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.directives.directive import WIDTH_CLASS
from mkdocs_imagegen.imaging.image import ImageSource, PageImage
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.page_layout import Layout
from mkdocs_imagegen.pages.columns import UNKNOWN_THEME, theme_named
from mkdocs_imagegen.pages.markup import MarkupContext, image_markup, relative_url
from mkdocs_imagegen.pages.style_sheets import blur_class, crop_class
from tests.pipeline.support import directive

LAYOUT = Size(3, 2)
DIRECTIVE = directive("A balloon", layout=Layout(LAYOUT))

LAYOUT = Size(3, 2)
NAMES = ["a.png", "about/", "about", "a/b.png", "a/b/c.png", "a/b/", ".", "x y/z.png", "ab/a.png"]
PAGES = ["", "index.html", "a/", "a/b/", "a/b/c.html", "/404.html", "ab/c/", "deep/er/still/"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", NAMES)
def test_relative_url_leads_from_the_page_to_the_file(name: str, page: str) -> None:
    folder = posixpath.dirname(page.lstrip("/"))
    url = relative_url(name, page)
    assert posixpath.normpath(posixpath.join(folder, url)) == posixpath.normpath(name)
    assert not url.startswith("/")


def of_layout(**more):
    return replace(DIRECTIVE, **more)


def image(*sources, size=LAYOUT, blur=""):
    """Return an image from sources, each as a format and the widths of its files."""
    made = (
        ImageSource(f"image/{kind}", tuple((f"{kind}-{width}", width) for width in widths))
        for kind, *widths in sources
    )
    return PageImage(tuple(made), size, blur)


def markup(found, shown, dark=None, **frame):
    return image_markup(found, shown, dark, MarkupContext(lambda name: f"../{name}", **frame))


def elements(html_text):
    """Return name and attributes of each element, as a browser reads them."""
    fragment = html5lib.parseFragment(html_text, namespaceHTMLElements=False)
    return [(each.tag, dict(each.attrib)) for each in list(fragment.iter())[1:]]


ONE = image(("webp", 3))


def test_image_has_its_size_and_is_loaded_lazily():
    one = PageImage((ImageSource("image/webp", (("a&b.webp", 3),)),), LAYOUT)
    assert markup(DIRECTIVE, one) == (
        '<img class="imagegen" src="../a&amp;b.webp" alt="A balloon" width="3" height="2" '
        'loading="lazy" decoding="async">'
    )


def test_attributes_of_the_author_win():
    attributes = (
        ("loading", "eager"),
        ("style", "float: right"),
        ("class", "a"),
        ("decoding", "sync"),
    )
    written = of_layout(alt="x", width_px=30, attributes=attributes)
    for first in (True, False):
        assert markup(written, ONE, is_first=first) == (
            '<img class="imagegen a" src="../webp-3" alt="x" width="30" height="20" '
            'loading="eager" style="float: right" decoding="sync">'
        )


def test_first_image_of_a_page_has_priority():
    first = markup(DIRECTIVE, ONE, is_first=True)
    assert 'fetchpriority="high"' in first
    assert "loading" not in first
    said = of_layout(attributes=(("fetchpriority", "low"),))
    assert 'fetchpriority="low"' in markup(said, ONE, is_first=True)
    assert "loading" not in markup(said, ONE)


def test_sources_are_in_the_order_of_their_formats():
    shown = image(("avif", 1, 3), ("webp", 1, 3), ("jpeg", 1, 3), size=Size(3, 2))
    files = {
        kind: {"srcset": f"../{kind}-1 1w, ../{kind}-3 3w", "sizes": "(max-width: 3px) 100vw, 3px"}
        for kind in ("avif", "webp", "jpeg")
    }
    outer, *sources, img = elements(markup(DIRECTIVE, shown))
    assert outer == ("picture", {})
    assert sources == [
        ("source", {"type": f"image/{kind}"} | files[kind]) for kind in ("avif", "webp")
    ]
    assert img[0] == "img"
    assert {name: img[1][name] for name in ("src", "srcset", "sizes")} == (
        {"src": "../jpeg-3"} | files["jpeg"]
    )


@pytest.mark.parametrize(
    ("width_px", "said", "sizes"),
    [
        (None, "", "(max-width: 1200px) 100vw, 1200px"),
        (600, "", "(max-width: 600px) 100vw, 600px"),
        (3000, "", "(max-width: 1200px) 100vw, 1200px"),
        (600, "50vw", "50vw"),
    ],
)
def test_sizes_follow_the_width_on_the_page(width_px, said, sizes):
    shown = image(("webp", 480, 1200), size=Size(1200, 800))
    written = directive(layout=Layout(Size(1536, 1024)), width_px=width_px, sizes=said)
    assert elements(markup(written, shown))[0][1]["sizes"] == sizes


MATERIAL = theme_named("material", follows_palette=False)
COLUMN = (
    "(min-width: 2000px) 826px, (min-width: 1600px) 757px, (min-width: 1220px) 688px, "
    "(min-width: 960px) calc(100vw - 274px), calc(100vw - 32px)"
)
SEVERAL = image(("avif", 480, 1200), ("webp", 480, 1200), size=Size(1200, 800))


def sizes_of(found, shown=SEVERAL, **context):
    """Return the `sizes` of an image, which are equal in all of its elements."""
    context = {"theme": MATERIAL, "column": MATERIAL.column({})} | context
    found = replace(found, layout=Layout(Size(1536, 1024)))
    (sizes,) = {
        attributes["sizes"]
        for _, attributes in elements(markup(found, shown, **context))
        if "srcset" in attributes
    }
    return sizes


def test_lazy_image_lets_the_browser_choose_and_the_first_one_has_the_column():
    assert sizes_of(DIRECTIVE) == f"auto, {COLUMN}"
    assert sizes_of(DIRECTIVE, is_first=True) == COLUMN


@pytest.mark.parametrize(
    ("attributes", "is_lazy"),
    [
        ((("loading", "eager"),), False),
        ((("loading", "Lazy"),), True),
        ((("fetchpriority", "low"),), False),
        ((("style", "float: right; margin: 0 auto"),), True),
        ((("style", "width: fit-content"),), False),
    ],
)
def test_image_is_lazy_by_its_attributes(attributes, is_lazy):
    assert sizes_of(of_layout(attributes=attributes)).startswith("auto, ") is is_lazy


def test_image_with_a_width_is_no_wider_in_a_column():
    small = "(min-width: 332px) 300px, calc(100vw - 32px)"
    assert sizes_of(of_layout(width_px=300), is_first=True) == small
    half = sizes_of(of_layout(percent=50), is_first=True)
    assert half == (
        "(min-width: 2000px) 413px, (min-width: 1600px) 379px, (min-width: 1220px) 344px, "
        "(min-width: 960px) calc(50vw - 137px), calc(50vw - 16px)"
    )
    assert sizes_of(of_layout(percent=50, width_px=300), is_first=True) == (
        "(min-width: 632px) 300px, calc(50vw - 16px)"
    )


@pytest.mark.parametrize("theme", [UNKNOWN_THEME, MATERIAL])
def test_image_in_an_unknown_column_follows_the_window(theme):
    context = {"theme": theme, "column": (), "is_first": True}
    assert sizes_of(DIRECTIVE, **context) == "(max-width: 1200px) 100vw, 1200px"
    assert sizes_of(of_layout(percent=50), **context) == "(max-width: 1536px) 50vw, 768px"
    both = of_layout(percent=50, width_px=600)
    assert sizes_of(both, **context) == "(max-width: 1200px) 50vw, 600px"
    context["is_first"] = False
    auto = "auto, " if theme is MATERIAL else ""
    assert sizes_of(DIRECTIVE, **context) == f"{auto}(max-width: 1200px) 100vw, 1200px"


def test_sizes_of_the_site_are_for_images_without_a_width():
    assert sizes_of(DIRECTIVE, sizes="90vw") == "90vw"
    assert sizes_of(of_layout(sizes="50vw"), sizes="90vw") == "50vw"
    assert sizes_of(of_layout(sizes="50vw")) == "50vw"
    assert sizes_of(of_layout(width_px=300), sizes="90vw") == "(max-width: 300px) 100vw, 300px"
    assert sizes_of(of_layout(percent=25), sizes="90vw") == "(max-width: 1536px) 25vw, 384px"


def test_source_is_not_auto_without_srcset_in_the_image():
    """A browser would read `auto` in the source as the width of the window."""
    dark = image(("avif", 480, 1200), ("webp", 1200), size=Size(1200, 800))
    shown = markup(DIRECTIVE, image(("webp", 1200)), dark, theme=MATERIAL)
    assert "auto" not in shown


def test_single_file_has_no_srcset():
    assert "srcset" not in markup(DIRECTIVE, ONE)
    assert "sizes" not in markup(DIRECTIVE, ONE)


def test_blurred_preview_is_the_background():
    shown = replace(ONE, blur="data:image/webp;base64,AAAA")
    for said in [(), (("class", "mine"),)]:
        ((_, attributes),) = elements(markup(of_layout(attributes=said), shown))
        names = ["imagegen", *(value for _, value in said), blur_class(shown.blur)]
        assert attributes["class"].split() == names
        assert "style" not in attributes


def test_crop_has_a_class():
    ((_, attributes),) = elements(markup(DIRECTIVE, replace(ONE, crop="object-fit:cover")))
    assert attributes["class"].split() == ["imagegen", crop_class("object-fit:cover")]


@pytest.mark.parametrize("cropped", ["light", "dark"])
def test_pair_is_cropped_if_one_of_both_is_an_original(cropped):
    crops = {"light": "", "dark": "", cropped: "object-fit:cover"}
    light, dark = (replace(ONE, crop=crop) for crop in crops.values())
    img = elements(markup(DIRECTIVE, light, dark))[-1]
    assert img[1]["class"].split() == ["imagegen", crop_class("object-fit:cover")]


def test_color_scheme_of_the_system_selects_the_dark_image():
    dark = image(("avif", 2, 3), ("png", 3))
    outer, *sources, img = elements(markup(DIRECTIVE, image(("avif", 3), ("webp", 3)), dark))
    assert outer == ("picture", {})
    media = "(prefers-color-scheme: dark)"
    assert [(each["type"], each.get("media")) for _, each in sources] == [
        ("image/avif", media),
        ("image/png", media),
        ("image/avif", None),
    ]
    assert sources[0][1]["srcset"] == "../avif-2 2w, ../avif-3 3w"
    assert img[1]["src"] == "../webp-3"


def test_pair_has_no_blurred_preview():
    light = replace(ONE, blur="data:image/webp;base64,AAAA")
    assert "imagegen-blur" not in markup(DIRECTIVE, light, image(("png", 3)))


def test_palette_of_the_theme_selects_the_dark_image():
    dark = image(("png", 2, 3))
    theme = theme_named("", follows_palette=True)
    pair = markup(DIRECTIVE, ONE, dark, theme=theme, is_first=True)
    (_, first), (_, second) = elements(pair)
    assert first["src"] == "../webp-3#only-light"
    assert second["src"] == "../png-3#only-dark"
    assert second["srcset"] == "../png-2#only-dark 2w, ../png-3#only-dark 3w"
    assert (first.get("fetchpriority"), first.get("loading")) == ("high", None)
    assert (second.get("fetchpriority"), second.get("loading")) == (None, "lazy")


def test_badge_is_over_the_image():
    badged = markup(DIRECTIVE, ONE, badge="Made & <b>")
    outer, (img, attributes), small = elements(badged)
    assert (outer, img, small) == (("span", {"class": "imagegen-badge"}), "img", ("small", {}))
    assert attributes["src"] == "../webp-3"
    assert ">Made &amp; &lt;b&gt;</small></span>" in badged


def test_badge_is_over_an_image_with_a_width_in_percent():
    half = of_layout(attributes=(("class", f"{WIDTH_CLASS}50 wide"),))
    outer, (_, attributes), _ = elements(markup(half, ONE, badge="AI"))
    assert outer == ("span", {"class": "imagegen-badge imagegen-w50"})
    assert attributes["class"] == "imagegen imagegen-w50 wide"


@given(st.text(), st.text())
def test_attributes_are_escaped_once(alt, name):
    one = PageImage((ImageSource("image/webp", ((name, 3),)),), LAYOUT)
    written = re.fullmatch(
        r'<img class="imagegen" src="([^"<>]*)" alt="([^"<>]*)" width=.*',
        markup(of_layout(alt=alt), one),
    )
    assert (html.unescape(written[1]), html.unescape(written[2])) == (
        html.unescape(html.escape(f"../{name}")),
        html.unescape(html.escape(alt)),
    )

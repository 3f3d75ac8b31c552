"""Content columns of themes, and the HTML `sizes` of images in them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.pages.columns import UNKNOWN_THEME, Column, sizes_within, theme_named

THEMES = ["material", "materialx", "zensical", "mkdocs", "readthedocs"]
WIDE = 10_000
"""Width of an image that is wider than every column."""

# As in the docstring of the module, and a pixel more where the column has a fraction of one.
WINDOWS = [390, 768, 1024, 1280, 1440, 1600, 1920, 2560]
MEASURED = {
    ("material", ()): [358, 736, 750, 688, 688, 757, 757, 826],
    ("material", ("navigation",)): [358, 736, 750, 938, 938, 1032, 1032, 1126],
    ("material", ("toc",)): [358, 736, 992, 938, 938, 1032, 1032, 1126],
    ("material", ("navigation", "toc")): [358, 736, 992, 1188, 1188, 1307, 1307, 1426],
    ("mkdocs", ()): [366, 516, 696, 831, 966, 966, 966, 966],
    ("readthedocs", ()): [339, 717, 621, 697, 697, 697, 697, 697],
}


def column(name: str = "material", features=(), css=(), **meta) -> Column:
    return theme_named(name, features, css, follows_palette=False).column(meta)


def length(sizes: str, window: float) -> float:
    """Return the width that a browser reads from `sizes`, in a window."""
    for each in sizes.split(", "):
        condition, _, value = each.rpartition(") ") if each.startswith("(") else ("", "", each)
        if not condition or window >= int(re.fullmatch(r"\(min-width: (\d+)px", condition)[1]):
            break
    if calc := re.fullmatch(r"calc\(100vw - (\d+)px\)", value):
        return window - int(calc[1])
    return int(re.fullmatch(r"(\d+)px", value)[1])


@pytest.mark.parametrize(("name", "hidden"), MEASURED)
def test_sizes_are_the_measured_columns(name, hidden) -> None:
    sizes = sizes_within(column(name, hide=list(hidden)), WIDE)
    assert [length(sizes, window) for window in WINDOWS] == MEASURED[name, hidden]


@pytest.mark.parametrize("name", THEMES)
@given(window=st.integers(320, 4000), max_px=st.integers(100, 2000))
def test_image_is_as_wide_as_the_column_up_to_its_width(name, window, max_px) -> None:
    full = length(sizes_within(column(name), WIDE), window)
    assert length(sizes_within(column(name), max_px), window) == min(max_px, full)


def test_windows_with_equal_lengths_share_a_condition() -> None:
    assert sizes_within(column(), 300) == "(min-width: 332px) 300px, calc(100vw - 32px)"
    assert sizes_within(column("mkdocs"), 540).startswith(
        "(min-width: 992px) 540px, (min-width: 576px) 516px, (min-width: 564px) 540px, "
    )


@pytest.mark.parametrize("hide", ["toc", ["path", "toc"], ("toc",), {"toc": True}])
def test_hidden_sidebar_is_read_as_the_theme_reads_it(hide) -> None:
    assert column(hide=hide) == column(features=["toc.integrate"]) != column()


@pytest.mark.parametrize("hide", [None, True, 3, {"path": True}, []])
def test_front_matter_that_hides_nothing_leaves_the_column(hide) -> None:
    assert column(hide=hide) == column()


def test_post_has_its_facts_in_place_of_the_navigation() -> None:
    assert column(template="blog-post.html", hide=["navigation"]) == column()
    assert column(template="blog.html", hide=["navigation"]) == column(hide=["navigation"])


def test_page_with_another_template_has_an_unknown_column() -> None:
    assert column(template="home.html") == ()
    assert column(template=["home.html"]) == ()


def test_unknown_theme_has_no_column_and_no_auto_sizes() -> None:
    for theme in (theme_named("windmill", follows_palette=True), UNKNOWN_THEME):
        assert not theme.widths
        assert not theme.has_auto_sizes
        assert theme.column({}) == ()


@pytest.mark.parametrize(
    "css",
    [
        ".md-grid { max-width: initial }",
        "@media screen {\n  .md-typeset, .md-main__inner { margin-top: 0 }\n}",
        ".md-sidebar--secondary:not([hidden]) { display: none }",
        ".wy-nav-content{max-width:none}",
        ":root{--a:b;font-size:120%}",
        "<style>.md-content{padding:0}</style>",
        "p{}.container{width:90%}",
        "html{font:20px serif}",
        "HTML{FONT-SIZE:20px}",
        "p,*{font-size:20px}",
        "<style>*{font-size:20px}</style>",
        ".md-grid > *{margin:0}",
        "html[data-x]{font-size:20px}",
        ":root[data-x='a b']{font-size:20px}",
        "body:has(.a > .b){margin:0}",
        ".md-grid{inline-size:100%}",
        ".md-content{max-inline-size:40rem}",
        ".md-content__inner{zoom:1.2}",
        "[data-md-component=sidebar]{display:none}",
        "[class*='md-sidebar']{display:none}",
        ".md-grid /* {c} */ {max-width:100%}",
        ".md-grid{&{max-width:100%}}",
        ".md-grid{a{color:red}&:hover{color:red}max-width:100%}",
        ".md-grid{@media screen{max-width:100%}}",
    ],
)
def test_style_sheet_that_changes_the_column_makes_it_unknown(css) -> None:
    theme = theme_named("material", (), ["", css], follows_palette=True)
    assert theme.column({}) == ()
    assert (theme.widths, theme.has_auto_sizes) == ((480, 760), True)


@pytest.mark.parametrize(
    "css",
    [
        "",
        "}{",
        ".md-grid { color: red; --md-width: 3 }",
        ".md-content a { padding: 0 }",
        ".md-typeset img { max-width: 50% }",
        "html .card, .card-body, tbody { margin: 0 auto }",
        "/* .md-grid { width: 3px } */",
        "html { font-family: serif }",
        ".language-html, [data-lang=html], :is(.card, h1) { padding: 0 }",
        "*, *::before { box-sizing: border-box }",
        ".card > * + * { margin: 0 }",
        ".md-content { .card { margin: 0 } }",
        "{% block a %}<body style='margin: 0'>{{ super() }}{# width: 3px #}",
    ],
)
def test_other_style_sheets_leave_the_column(css) -> None:
    theme = theme_named("material", (), [css], follows_palette=True)
    assert theme.column({}) == column()
    assert theme.has_auto_sizes


@pytest.mark.parametrize(
    "value", ["auto", "fit-content", "MAX-CONTENT", "calc(auto)", "/* : */ auto"]
)
def test_width_that_follows_from_content_forbids_auto_sizes(value) -> None:
    css = [f"img{{height:1px; width: {value}}}"]
    theme = theme_named("material", (), css, follows_palette=True)
    assert not theme.has_auto_sizes
    assert theme.column({}) == column()


def test_long_style_sheets_are_read_in_linear_time() -> None:
    long = (
        "a",
        "{",
        " ",
        "width:",
        "/*",
        "<",
        "/*<",
        "@import '//",
        ".md-grid ",
        ".container-x",
        " ) ",
    )
    for css in (each * 10**5 + " a" for each in long):
        assert theme_named("material", (), [css], follows_palette=True).column({}) == column()


@pytest.mark.parametrize("rule", ['@import "a.css";', "@import url(/a.css);", "@IMPORT url( 'a' )"])
def test_imported_style_sheet_makes_the_theme_unknown(rule) -> None:
    theme = theme_named("material", (), [rule], follows_palette=True)
    assert (theme.column({}), theme.has_auto_sizes) == ((), False)


@pytest.mark.parametrize("rule", ['@import "https://a.org/";', "@import url( '//a.org/' )"])
def test_style_sheet_of_another_server_changes_nothing(rule) -> None:
    known = theme_named("material", follows_palette=True)
    assert theme_named("material", (), [rule], follows_palette=True) == known


def test_style_sheets_in_a_page_are_those_of_its_style_elements() -> None:
    theme = theme_named("material", follows_palette=True)
    css = ".md-grid { max-width: 100% }"
    for page in ("", f"<p>{css}", f"<style>p {{}}</style><p>{css}", "<style>a{}</style><style>"):
        assert theme.on_page(page) == theme
    for page in (f"<style>{css}</style>", f"<style></style><style media=all>\n{css}\n"):
        assert theme.on_page(page).column({}) == ()
    assert not theme.on_page("<style>img { width: auto }</style>").has_auto_sizes
    assert UNKNOWN_THEME.on_page(f"<style>{css}</style>") == UNKNOWN_THEME

"""Widths of the content columns of themes, and the HTML ``sizes`` that follow from them; pure.

Measured in Chromium 150 on 2026-11-30, as the width of a paragraph in CSS pixels; the benchmark
``readers`` and a test in a browser compare images with it. Versions: Material for MkDocs 9.8.2
(MaterialX 10.2.2 has the same widths), MkDocs 1.6.1, Zensical 0.0.73 and 0.1.3.

    window                       390   768  1024  1280  1440  1600  1920  2560
    Material                     358   736   750   688   688   757   757   826
    ... without navigation       358   736   750   938   938  1032  1032  1126
    ... without contents         358   736   992   938   938  1032  1032  1126
    ... without both             358   736   992  1188  1188  1307  1307  1426
    Zensical                     343   721   735   688   688   757   757   826
    mkdocs                       366   516   696   831   966   966   966   966
    readthedocs                  338   716   620   697   697   697   697   697

Zensical reserves 15 pixels for a scroll bar, which the table below leaves out: on phones, it covers
the page. Below 1220 pixels, Material moves the navigation into a menu.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

from mkdocs_imagegen.frozen import dataclass

Column = tuple[tuple[int, int], ...]
"""Steps of a content column, from wide to narrow windows: the minimum width of the window, and the
width of the column; or, if it is negative, the difference from the window's. ``()`` if unknown."""

_Columns = Mapping[tuple[bool, bool], Column]
"""Columns by the sidebars that a page shows: navigation and table of contents."""

_FULL = (True, True)
_UNKNOWN: _Columns = MappingProxyType({_FULL: ()})
_MATERIAL: _Columns = MappingProxyType(
    {
        _FULL: ((2000, 826), (1600, 757), (1220, 688), (960, -274), (0, -32)),
        (False, True): ((2000, 1126), (1600, 1032), (1220, 938), (960, -274), (0, -32)),
        (True, False): ((2000, 1126), (1600, 1032), (1220, 938), (0, -32)),
        (False, False): ((2000, 1426), (1600, 1307), (1220, 1188), (0, -32)),
    }
)
_THEMES: Mapping[str, _Columns] = MappingProxyType(
    {
        **dict.fromkeys(("material", "materialx", "zensical"), _MATERIAL),
        "mkdocs": {_FULL: ((1400, 966), (1200, 831), (992, 696), (576, 516), (0, -24))},
        "readthedocs": {_FULL: ((1100, 697), (769, -403), (0, -51))},
    }
)
# Together with the full width, no file is more than 1.5 times as wide as a column needs on pages
# with both sidebars, in windows up to 1920 pixels at a pixel ratio of 1 or 2. Each further width
# has to be encoded.
_WIDTHS = (480, 760)
"""For columns of 320 to 480 pixels (phones), and for those of 620 to 757 (phones with a ratio of 2,
and desktops); a desktop with a ratio of 2 needs the full width."""
_MORE_WIDTHS = MappingProxyType({"mkdocs": (480, 760, 1120)})
"""Widths for a theme that also has columns of 820 to 970 pixels."""

_POST = "blog-post.html"
"""Template of a post in a blog, which has the facts of the post in place of the navigation."""
_TEMPLATES = ("", "main.html", "blog.html", _POST)

# Within an HTML tag, a comment ends: `src="a/*"` does not begin one there.
_COMMENT = re.compile(r"/\*[^<]*?(?:\*/|(?![^<]))")
_RULE_PART = re.compile(r"([^{}]*)([{}]|\Z)")
_COMBINATOR = re.compile(r"[\s>+~]+(?![^()[\]]{0,99}[)\]])")
_COLUMN_SELECTOR = re.compile(
    r"[.\"'=](?:md-(?:grid|main|content|container|sidebar)|wy-(?:nav|grid)|rst-content|container|col-)"
    r"|(?<![\w.#=\"'-])(?:html|body)(?![\w-])|:root|\[data-md-component|\A\*|\A<style",
    re.IGNORECASE,
)
_COLUMN_PROPERTY = re.compile(
    r"(?<![\w-])(?:(?:max-|min-)?(?:width|inline-size)|margin|padding|display|flex|grid|column|float"
    r"|position|zoom|font(?!-)|font-size)[\w-]*\s*:",
    re.IGNORECASE,
)
_STYLE = re.compile(r"<style[^<>]*>(.*?)(?:</style|\Z)", re.DOTALL)
# Without those of other servers, such as of fonts.
_IMPORT = re.compile(r"@import(?![\s\"'(]*(?:url[\s\"'(]*)?(?:[a-z]+:)?//)", re.IGNORECASE)
_WIDTH_BY_CONTENT = re.compile(r"(?:width|inline-size)\s*:[^:;}]*(?:auto|content)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Theme:
    """Layout of a theme, as far as it concerns images.

    Attributes:
        columns: Content columns; none for an unknown theme.
        widths: Widths of smaller files that fit the columns; none for an unknown theme.
        has_toc: False if no page has its table of contents next to the content.
        has_auto_sizes: True if browsers may choose files by the width of an image on the page.
        follows_palette: True if the theme hides URLs with the fragment ``#only-dark`` or
            ``#only-light``, as Material for MkDocs does; else the color scheme of the system
            decides.
    """

    columns: _Columns
    widths: tuple[int, ...] = ()
    has_toc: bool = True
    has_auto_sizes: bool = False
    follows_palette: bool = False

    def changed_by(self, style_sheets: Iterable[str]) -> Theme:
        """Return the layout of the theme with more style sheets."""
        if not self.columns:
            return self
        css = "}".join(_COMMENT.sub("", each) for each in style_sheets)
        is_known = not _IMPORT.search(css)
        return replace(
            self,
            columns=self.columns if is_known and not _changes_column(css) else _UNKNOWN,
            has_auto_sizes=self.has_auto_sizes and is_known and not has_width_by_content(css),
        )

    def on_page(self, page: str) -> Theme:
        """Return the layout of a page, whose HTML can contain style sheets."""
        return self.changed_by(_STYLE.findall(page)) if "<style" in page else self

    def column(self, meta: Mapping[str, object]) -> Column:
        """Return the content column of a page.

        Args:
            meta: Front matter of the page.
        """
        template, hide = meta.get("template") or "", meta.get("hide")
        if not self.columns or template not in _TEMPLATES:
            return ()
        # As Jinja's `in`, which finds the keys of a mapping.
        hidden = hide if isinstance(hide, (str, list, tuple, dict)) else ()
        has_navigation = "navigation" not in hidden or template == _POST
        shown = has_navigation, self.has_toc and "toc" not in hidden
        return self.columns.get(shown, self.columns[_FULL])


UNKNOWN_THEME = Theme({})


def theme_named(
    name: str,
    features: Collection[str] = (),
    style_sheets: Iterable[str] = (),
    *,
    follows_palette: bool,
) -> Theme:
    """Return the layout of a theme.

    Args:
        name: Name of the theme.
        features: Features of Material for MkDocs that the site uses.
        style_sheets: Style sheets and templates that the site adds to the theme.
        follows_palette: True if the theme hides images by the color scheme.
    """
    columns = _THEMES.get(name, {})
    widths = _MORE_WIDTHS.get(name, _WIDTHS) if columns else ()
    theme = Theme(columns, widths, "toc.integrate" not in features, bool(columns), follows_palette)
    return theme.changed_by(style_sheets)


def has_width_by_content(css: str) -> bool:
    """Return True if CSS can set a width that follows from the content of an element."""
    return _WIDTH_BY_CONTENT.search(css) is not None


def _changes_column(css: str) -> bool:
    """Return True if CSS can change a column."""
    is_of_column = [False]  # for each open rule
    for text, brace in _RULE_PART.findall(css):
        if is_of_column[-1] and _COLUMN_PROPERTY.search(text):
            return True
        if brace == "{":
            is_nested = is_of_column[-1] and ("&" in text or "@" in text)
            is_of_column.append(is_nested or any(map(_is_column, re.split("[,;]", text))))
        elif len(is_of_column) > 1:
            is_of_column.pop()
    return False


def _is_column(selector: str) -> bool:
    """Return True if a selector can match elements that a column depends on."""
    compounds = _COMBINATOR.split(selector.strip())
    while len(compounds) > 1 and compounds[-1].startswith("*"):
        compounds.pop()
    return _COLUMN_SELECTOR.search(compounds[-1]) is not None


_WIDEST_PX = 100_000


@lru_cache(maxsize=256)  # the images of a site share a few widths
def sizes_within(column: Column, max_px: int) -> str:
    """Return the HTML ``sizes`` of an image in a column, for windows from wide to narrow.

    Args:
        column: The column.
        max_px: Maximum width of the image.
    """
    lengths: list[tuple[str, int]] = []
    for start, length in _lengths(column, max_px):
        if lengths and lengths[-1][0] == length:
            lengths.pop()
        lengths.append((length, start))
    return ", ".join(f"(min-width: {start}px) {each}" if start else each for each, start in lengths)


def _lengths(column: Column, max_px: int) -> Iterator[tuple[int, str]]:
    """Yield each minimum width of the window, and the width of an image from there on."""
    end = _WIDEST_PX
    for start, width in column:
        if width > 0:
            yield start, f"{min(max_px, width)}px"
        else:
            # From this window on, the image has its maximum width.
            full = max(start, max_px - width)
            if full < end:
                yield full, f"{max_px}px"
            if full > start:
                yield start, f"calc(100vw - {-width}px)"
        end = start

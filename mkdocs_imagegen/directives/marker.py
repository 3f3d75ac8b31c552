"""Markers: ``img`` elements that stand for images while a page is rendered; pure.

The address of a marker is a token. Since it is an ordinary ``img``, plugins that wrap or inspect
images handle it like any other image.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from mkdocs_imagegen.directives.directive import InvalidDirective, ParsedDirective
from mkdocs_imagegen.frozen import dataclass

ADDRESS_START = "imagegen:t"
_TOKEN = re.compile(r"imagegen:t[0-9a-f]{40}")
# With prefixes that plugins add to addresses: print-site turns links into links to sections.
_ADDRESS = re.compile(r"(?:(?<![./#])(?:#(?:\.{0,2}/)*|(?:\.{0,2}/)+))?imagegen:t[0-9a-f]{40}")
_SPACE = r"\t\n\f\r "
# The rest of a tag after its name, up to its ">" or to the end. Quotes count only after "=", as in
# https://html.spec.whatwg.org/multipage/parsing.html. There is exactly one way to match, so that
# the time is linear in the length of the text.
_ATTRIBUTES = (
    rf"[^>=]*(?:=[{_SPACE}]*"
    r"(?:\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z)"
    rf"|(?![\"'{_SPACE}])[^{_SPACE}>]*(?=[{_SPACE}>]|\Z))[^>=]*)*"
)
_RAW = "(?i:s(?:cript|tyle)|t(?:extarea|itle|emplate)|xmp|iframe|no(?:embed|frames))"
# Nearly all tags of a page. Skipping them in one step takes a third of the time.
_PLAIN = (
    r"(?:/?(?:span|p|a|li|ul|ol|td|th|tr|code|pre|div|em|strong|h[1-6])"
    r"(?: (?:class|href|id)=\"[^\"<>]*\")*>[^<]*<)*"
)
_SHOWN_OR_NOT = re.compile(
    rf"<{_PLAIN}(?:"
    rf"(?P<tag>(?:/|(?!{_RAW}[{_SPACE}/>]))[a-zA-Z][^{_SPACE}/>]*){_ATTRIBUTES}(?P<closed>>)?"
    r"|!--(?:-?>|.*?(?:--!?>|\Z))"
    r"|(?:[!?]|/[^a-zA-Z>])[^>]*>?"
    # Except in SVG, where such an element can close itself.
    rf"|(?P<raw>{_RAW})(?=[{_SPACE}/>]){_ATTRIBUTES}(?:(?<=/)>|(?<!/)(?:>|\Z)"
    rf".*?(?:</(?i:(?P=raw))(?=[{_SPACE}/>])|\Z)))",
    re.DOTALL,
)
_HIDING = (
    *("<!--", "<script", "<style", "<textarea", "<title", "<template"),
    *("<xmp", "<iframe", "<noembed", "<noframes"),
)
_LONG_TAG = re.compile(rf"=[{_SPACE}]*(?:\"[^\">]*>|'[^'>]*>)")
_ATTRIBUTE = re.compile(
    rf"([^{_SPACE}/>=]+)(?:[{_SPACE}]*=[{_SPACE}]*(?:\"([^\"]*)\"|'([^']*)'|([^{_SPACE}>]*)))?"
)


class Tag(NamedTuple):
    """Tag in the HTML of a page: its start and end, its name as written, its text."""

    start: int
    end: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class ShownImage:
    """Image element of a page that is a marker, or looks like one.

    Attributes:
        start: Index of its tag in the HTML.
        end: Index of the end of its tag.
        address: Token, or an address that an author wrote by hand.
        is_src: True if the address is in ``src``, and not in another attribute.
    """

    start: int
    end: int
    address: str
    is_src: bool


def attributes_of(found: ParsedDirective, address: str) -> dict[str, str]:
    """Return the attributes of a marker; the final image has the same ones but the address."""
    width, height = map(str, found.layout_size)
    attributes = {"src": address, "alt": "", "width": width, "height": height}
    if isinstance(found, InvalidDirective):
        return attributes | {"alt": "Image prompt with an error"}
    return attributes | {"alt": found.alt} | dict(found.attributes)


def as_tag(attributes: Mapping[str, str]) -> str:
    """Return an ``img`` tag with attributes, each escaped once."""
    pairs = (f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<img {' '.join(pairs)}>"


def as_block(found: ParsedDirective, address: str) -> str:
    """Return the HTML of an image block: a paragraph, or a figure if it has a caption."""
    image = as_tag(attributes_of(found, address))
    caption = caption_html(found)
    if not caption:
        return f"<p>{image}</p>"
    return f"<figure>\n{image}\n<figcaption>{caption}</figcaption>\n</figure>"


def caption_html(found: ParsedDirective) -> str:
    """Return the caption of an image, with the notice that it is AI-generated; ``""`` if empty."""
    if isinstance(found, InvalidDirective):
        return ""
    note = f"<small>{html.escape(found.note)}</small>" if found.note else ""
    return " ".join(filter(None, (html.escape(found.caption, quote=False), note)))


def find_shown_images(content: str) -> Iterator[ShownImage]:
    """Yield the images of this package that are elements in a page's HTML, in order.

    Images in comments, scripts, text areas and similar elements are left out. This is a scanner of
    tags, since the rest of the page must stay the same to the byte, and since the parser of the
    standard library takes 2.2 ms for a page.
    """
    for tag in find_shown_tags(content, "imagegen:"):
        if tag.name.lower() == "img":
            yield from _image_of(tag)


def find_shown_tags(content: str, word: str) -> Iterator[Tag]:
    """Yield the tags of a page's HTML that contain a word, in order."""
    begin, location = 0, content.find(word)
    is_plain = location >= 0 and _is_plain(content)
    while location >= 0:
        if is_plain:
            begin = max(begin, content.rfind(">", 0, location) + 1)
        matches = _SHOWN_OR_NOT.finditer(content, begin)
        match = next((each for each in matches if each.end() > location), None)
        if match is None:
            return
        start, begin = match.start("tag") - 1, match.end()
        if match["closed"] and content.find(word, start, begin) >= 0:
            yield Tag(start, begin, match["tag"], content[start:begin])
        location = content.find(word, begin)


def _is_plain(content: str) -> bool:
    """Return True if every ``>`` ends a tag and no element hides others, as in most pages.

    Then a tag can be read without those before it, which takes half the time.
    """
    lower = content.lower()
    return not any(word in lower for word in _HIDING) and _LONG_TAG.search(content) is None


def _image_of(tag: Tag) -> Iterator[ShownImage]:
    written = html.unescape(_source_of(tag.text)).strip()
    if written.lower().startswith("imagegen:"):
        yield ShownImage(tag.start, tag.end, written, is_src=True)
        return
    # Plugins for lazy loading move the address to another attribute.
    token = _TOKEN.search(tag.text)
    if token:
        yield ShownImage(tag.start, tag.end, token[0], is_src=False)


def _source_of(tag: str) -> str:
    attributes = _ATTRIBUTE.finditer(tag, len("<img"))
    source = next((each for each in attributes if each[1].lower() == "src"), None)
    return next(filter(None, source.groups()[1:]), "") if source else ""


def fill_images(
    content: str, images: Iterable[ShownImage], markup: Callable[[str], str | None]
) -> str:
    """Return the HTML with each marker replaced by the markup for its token.

    Args:
        content: HTML of a page or of a part of it.
        images: Images in it, in order.
        markup: Function that returns the HTML of an image; None keeps the marker.
    """
    parts, done = [], 0
    for image in images:
        filled = markup(image.address)
        if filled is not None:
            parts += [content[done : image.start], filled]
            done = image.end
    return "".join([*parts, content[done:]])


def fill_addresses(content: str, address: Callable[[str], str]) -> str:
    """Return the text with every token replaced by an address."""

    def replaced(match: re.Match[str]) -> str:
        return address(match[0][match[0].index(ADDRESS_START) :])

    return _ADDRESS.sub(replaced, content) if ADDRESS_START in content else content

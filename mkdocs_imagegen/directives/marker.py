"""The image that stands in a page until the real one is known; pure.

A marker is an ordinary ``img`` whose address is a token, so that whatever wraps or inspects
images does its work on it as on any other.
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
# With what plugins put before addresses: print-site takes every link for one of its sections.
_ADDRESS = re.compile(r"(?:(?<![./#])(?:#(?:\.{0,2}/)*|(?:\.{0,2}/)+))?imagegen:t[0-9a-f]{40}")
_SPACE = r"\t\n\f\r "
# What follows a tag's name, up to its ">" or to the end: quotes count only after "=", as browsers
# read it, and there is always exactly one way to match, so that no text makes it slow.
_ATTRIBUTES = (
    rf"[^>=]*(?:=[{_SPACE}]*"
    r"(?:\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z)"
    rf"|(?![\"'{_SPACE}])[^{_SPACE}>]*(?=[{_SPACE}>]|\Z))[^>=]*)*"
)
_RAW = "(?i:s(?:cript|tyle)|t(?:extarea|itle|emplate)|xmp|iframe|no(?:embed|frames))"
# Nearly all tags of a page; passed over in one go, they take a third of the time.
_PLAIN = (
    r"(?:/?(?:span|p|a|li|ul|ol|td|th|tr|code|pre|div|em|strong|h[1-6])"
    r"(?: (?:class|href|id)=\"[^\"<>]*\")*>[^<]*<)*"
)
_SHOWN_OR_NOT = re.compile(
    rf"<{_PLAIN}(?:"
    rf"(?P<tag>(?:/|(?!{_RAW}[{_SPACE}/>]))[a-zA-Z][^{_SPACE}/>]*){_ATTRIBUTES}(?P<closed>>)?"
    r"|!--(?:-?>|.*?(?:--!?>|\Z))"
    r"|(?:[!?]|/[^a-zA-Z>])[^>]*>?"
    # Not where it closes itself, as SVG may.
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
    """A tag of a page: where it begins and ends in the HTML, its name as written, its text."""

    start: int
    end: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class ShownImage:
    """A image of a page that has to do with us: a marker, or what looks like one.

    Attributes:
        start: where its tag begins in the HTML.
        end: where its tag ends.
        address: a token, or what an author wrote by hand.
        is_src: whether it is the image's address, and does not stand in another attribute.
    """

    start: int
    end: int
    address: str
    is_src: bool


def attributes_of(found: ParsedDirective, address: str) -> dict[str, str]:
    """The attributes of the image: of its marker, and but for the address of the final one."""
    layout_size = found.layout_size
    attributes = {
        "src": address,
        "alt": "",
        "width": str(layout_size[0]),
        "height": str(layout_size[1]),
    }
    if isinstance(found, InvalidDirective):
        return attributes | {"alt": "An image prompt with a mistake"}
    return attributes | {"alt": found.alt} | dict(found.attributes)


def as_tag(attributes: Mapping[str, str]) -> str:
    """An ``img`` tag with its attributes, each escaped once."""
    pairs = (f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<img {' '.join(pairs)}>"


def as_block(found: ParsedDirective, address: str) -> str:
    """The HTML of an image that stands alone: a paragraph, or a figure if it has a caption."""
    image = as_tag(attributes_of(found, address))
    caption = caption_html(found)
    if not caption:
        return f"<p>{image}</p>"
    return f"<figure>\n{image}\n<figcaption>{caption}</figcaption>\n</figure>"


def caption_html(found: ParsedDirective) -> str:
    """What stands below an image: its caption, and that it is generated; ``""`` for nothing."""
    if isinstance(found, InvalidDirective):
        return ""
    note = f"<small>{html.escape(found.note)}</small>" if found.note else ""
    return " ".join(filter(None, (html.escape(found.caption, quote=False), note)))


def find_shown_images(content: str) -> Iterator[ShownImage]:
    """The images of ours that stand as elements in a page's HTML, in order.

    Not those inside comments, scripts, text areas and the like. A scanner of tags, since what
    surrounds them has to stay as it is to the byte, and since parsing each page with the standard
    library's parser took 2.2 ms a page (fact sheet "performance", section 5).
    """
    for tag in find_shown_tags(content, "imagegen:"):
        if tag.name.lower() == "img":
            yield from _image_of(tag)


def find_shown_tags(content: str, word: str) -> Iterator[Tag]:
    """The tags that stand as elements in a page's HTML and hold a word, in order."""
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
    """Whether what stands behind any ``>`` is text or another tag, as in most pages.

    Then nothing hides elements, and no value of an attribute goes on behind a ``>``, so that a
    tag can be looked at without those before it, in half the time.
    """
    lower = content.lower()
    return not any(word in lower for word in _HIDING) and _LONG_TAG.search(content) is None


def _image_of(tag: Tag) -> Iterator[ShownImage]:
    written = html.unescape(_source_of(tag.text)).strip()
    if written.lower().startswith("imagegen:"):
        yield ShownImage(tag.start, tag.end, written, is_src=True)
        return
    # Plugins that load images late move the address to an attribute of their own.
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
    """The HTML with every shown marker replaced by what ``markup`` says for its token.

    Where it says None the marker stays; so does what is not shown.

    Args:
        content: of a page or of a part of it.
        images: those that are shown in it.
        markup: the HTML of an image.
    """
    parts, done = [], 0
    for image in images:
        filled = markup(image.address)
        if filled is not None:
            parts += [content[done : image.start], filled]
            done = image.end
    return "".join([*parts, content[done:]])


def fill_addresses(content: str, address: Callable[[str], str]) -> str:
    """The text with every token replaced by an address."""

    def replaced(match: re.Match[str]) -> str:
        return address(match[0][match[0].index(ADDRESS_START) :])

    return _ADDRESS.sub(replaced, content) if ADDRESS_START in content else content

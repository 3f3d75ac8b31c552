"""The tags by which others show a page's preview beside a link to it; pure."""

from __future__ import annotations

import contextlib
import html
from html.parser import HTMLParser

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import Size

_OURS = ("og:image", "twitter:image", "twitter:card")


@dataclass(frozen=True, slots=True)
class SocialCard:
    """A page's preview as others show it.

    Attributes:
        url: its address, absolute.
        mime: its type.
        size: in pixels.
        alt: what it shows; ``""`` for nothing to say.
        replaces: whether it takes the place of another one that the page has.
    """

    url: str
    mime: str
    size: Size
    alt: str
    replaces: bool


def add_social_tags(page: str, card: SocialCard) -> str:
    """The finished page with the tags of its card at the end of its head.

    A page that has another image for this keeps it, and gets none of ours, unless ours replaces
    it. A page without a head stays as it is.
    """
    head = _read_head(page)
    others = [tag for tag in head.tags if tag.name == "og:image" and tag.content != card.url]
    if head.end is None or (others and not card.replaces):
        return page
    parts, done = [], 0
    for tag in head.tags:
        parts.append(page[done : tag.start])
        done = tag.end
    return "".join([*parts, page[done : head.end], _tags(card), page[head.end :]])


def insert_in_head(page: str, text: str) -> str:
    """The finished page with a text at the end of its head, if it has one."""
    end = _read_head(page).end
    return page if end is None else page[:end] + text + page[end:]


def _tags(card: SocialCard) -> str:
    pairs = [("og:image", card.url), ("og:image:type", card.mime)]
    pairs += [("og:image:width", str(card.size.width)), ("og:image:height", str(card.size.height))]
    pairs += [("og:image:alt", card.alt)] if card.alt else []
    tags = [f'<meta property="{name}" content="{html.escape(said)}">\n' for name, said in pairs]
    return "".join([*tags, '<meta name="twitter:card" content="summary_large_image">\n'])


@dataclass(frozen=True, slots=True)
class _Tag:
    name: str
    content: str
    start: int
    end: int


class _EndOfHeadError(Exception):
    """What follows is no head any more."""


class _Head(HTMLParser):
    """Reads a page up to the end of its head.

    Not the whole page: that took 2.2 ms a page (fact sheet "performance", section 5).
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[_Tag] = []
        self.end: int | None = None
        self._lines = page.split("\n")
        self._line, self._before = 1, 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that has to do with images; a body ends the head."""
        if tag == "body":
            self._stop()
        attributes = {name: value or "" for name, value in attrs}
        name = attributes.get("property") or attributes.get("name") or ""
        if tag == "meta" and _is_ours(name.lower()):
            start, length = self._at(), len(self.get_starttag_text() or "")
            content = attributes.get("content", "")
            self.tags.append(_Tag(name.lower(), content, start, start + length))

    def handle_endtag(self, tag: str) -> None:
        """End with the head."""
        if tag == "head":
            self._stop()

    def _stop(self) -> None:
        self.end = self._at()
        raise _EndOfHeadError

    def _at(self) -> int:
        line, column = self.getpos()
        self._before += sum(len(each) + 1 for each in self._lines[self._line - 1 : line - 1])
        self._line = line
        return self._before + column


def _read_head(page: str) -> _Head:
    head = _Head(page)
    with contextlib.suppress(_EndOfHeadError):
        head.feed(page)
    return head


def _is_ours(name: str) -> bool:
    return any(name == ours or name.startswith(f"{ours}:") for ours in _OURS)

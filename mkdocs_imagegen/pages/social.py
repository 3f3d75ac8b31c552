"""Social tags: the preview that other sites show next to a link to a page; pure."""

from __future__ import annotations

import contextlib
import html
import re
from html.parser import HTMLParser

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import Size

_END_OF_HEAD = re.compile(r"</head>\s*<body[\s>]")
_NAMES = ("og:image", "twitter:image", "twitter:card")


@dataclass(frozen=True, slots=True)
class SocialCard:
    """The preview image of a page, for other sites.

    Attributes:
        url: Absolute URL of the image.
        mime: MIME type of the image.
        size: Size in pixels.
        alt: Alt text; ``""`` for decoration.
        replaces: True if it replaces the card that the page has from a theme or plugin.
    """

    url: str
    mime: str
    size: Size
    alt: str
    replaces: bool


def add_social_tags(page: str, card: SocialCard) -> str:
    """Return a finished page with the tags of its card at the end of its head.

    A page that has a card from a theme or plugin keeps it, unless the new card replaces it. A page
    without a head stays as it is.
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
    """Return a finished page with a text at the end of its head, if it has a head."""
    # Parsing the head of each page takes longer than all other work on an image that is reused.
    is_plain = page.count("</head>") == page.count("<body") == 1  # also none in a script
    found = _END_OF_HEAD.match(page, page.find("</head>")) if is_plain else None
    end = found.start() if found else _read_head(page).end
    return page if end is None else page[:end] + text + page[end:]


def _tags(card: SocialCard) -> str:
    pairs = [("og:image", card.url), ("og:image:type", card.mime)]
    pairs += [("og:image:width", str(card.size.width)), ("og:image:height", str(card.size.height))]
    pairs += [("og:image:alt", card.alt)] if card.alt else []
    tags = [f'<meta property="{name}" content="{html.escape(value)}">\n' for name, value in pairs]
    return "".join([*tags, '<meta name="twitter:card" content="summary_large_image">\n'])


@dataclass(frozen=True, slots=True)
class _Tag:
    name: str
    content: str
    start: int
    end: int


class _EndOfHeadError(Exception):
    """The end of the head was reached."""


class _Head(HTMLParser):
    """Parser of a page that stops at the end of its head.

    Parsing the whole page takes 2.2 ms per page.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[_Tag] = []
        self.end: int | None = None
        self._lines = page.split("\n")
        self._line, self._before = 1, 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a social tag; a body ends the head."""
        if tag == "body":
            self._stop()
        attributes = {name: value or "" for name, value in attrs}
        name = attributes.get("property") or attributes.get("name") or ""
        if tag == "meta" and _is_social(name.lower()):
            start, length = self._at(), len(self.get_starttag_text() or "")
            content = attributes.get("content", "")
            self.tags.append(_Tag(name.lower(), content, start, start + length))

    def handle_endtag(self, tag: str) -> None:
        """Stop at the end of the head."""
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


def _is_social(name: str) -> bool:
    return any(name == each or name.startswith(f"{each}:") for each in _NAMES)

"""A contact sheet: one page with many images that needs no other file; pure.

Cards have one width and one height, so the page does not move when a card is drawn for the first
time. The page's own policy allows only its style, its script and images: those in ``data:`` URLs,
and the originals next to it, of which a reader opens one at a time.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from mkdocs_imagegen.errors import escape_unseen
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.imaging.image import Thumbnail
from mkdocs_imagegen.pages.style_sheets import SCRIPT, STYLE
from mkdocs_imagegen.report import plural

_KEY_DIGITS = 16
_DAY = len("2026-11-23")


@dataclass(frozen=True, slots=True)
class SheetImage:
    """One image of a contact sheet.

    Attributes:
        key: Cache key.
        take: Number of the take.
        model: Model that generated the image.
        cost: Cost, such as ``$0.015`` or ``price unknown``.
        created: Time of generation, as ISO 8601 in UTC.
        is_shown: True if a page shows the image.
        url: URL of the original relative to the sheet; ``""`` for none.
        thumbnail: The image itself.
        side: ``before`` or ``after`` in a review of changes.
    """

    key: str
    take: int
    model: str
    cost: str
    created: str
    is_shown: bool
    url: str
    thumbnail: Thumbnail
    side: str = ""


@dataclass(frozen=True, slots=True)
class SheetGroup:
    """The takes of one prompt.

    Attributes:
        title: Prompt without the style.
        prompt: Final prompt.
        locations: Locations that show a take.
        images: The takes; in a review, the images before and after.
        change: Kind of the change in a review: ``added``, ``changed`` or ``dropped``.
        prompt_before: Final prompt before the change; ``""`` if there was none.
        note: Sentence about an image that is missing in a review.
    """

    title: str
    prompt: str
    locations: tuple[str, ...]
    images: tuple[SheetImage, ...]
    change: str = ""
    prompt_before: str = ""
    note: str = ""


def contact_sheet(
    title: str,
    note: str,
    groups: Sequence[SheetGroup],
    *,
    is_large: bool = False,
    is_review: bool = False,
) -> str:
    """Return the HTML of a contact sheet with all groups; see `sheet_frame` and `group_markup`."""
    count = len(groups) if is_review else sum(len(group.images) for group in groups)
    size = "review" if is_review else "large" if is_large else "small"
    head, tail = sheet_frame(title, note, count, {}, size)
    return "".join([head, *(group_markup(*each) for each in enumerate(groups)), tail])


def sheet_frame(
    title: str, note: str, count: int, parts: Mapping[str, str], size: str
) -> tuple[str, str]:
    """Return the HTML of a contact sheet before and after its groups.

    Args:
        title: Title of the page.
        note: Sentence under the title, with code in backticks; ``""`` for a page without one.
        count: Number of images on the page, or of changes.
        parts: URLs of other parts of the sheet, relative to this one, by the texts of their links.
        size: ``small``, ``large`` for images that fill the page in their own aspect ratio, or
            ``review`` if each group is a change.
    """
    links = (f'<a href="{_escape(url)}">{_escape(text)}</a>' for text, url in parts.items())
    head, tail = _PAGE.split(_GROUPS)
    head = head.format(
        policy=_POLICY,
        title=_escape(title),
        style=STYLE,
        size=size,
        note=f"<p>{_with_code(note)}</p>" if note else "",
        parts=f'<nav aria-label="Parts">{" ".join(links)}</nav>' if parts else "",
        count=plural(count, "change" if size == "review" else "image"),
    )
    return head, tail.format(script=SCRIPT)


def is_contact_sheet(head: str) -> bool:
    """Return True if a file that begins so is a contact sheet."""
    return _GENERATOR in head


def group_markup(number: int, group: SheetGroup) -> str:
    """Return the HTML of the takes of one prompt.

    Args:
        number: Position of the prompt on the pages of the site.
        group: The takes.
    """
    words = " ".join((group.prompt, *group.locations, *_words(group.images)))
    newest = max((image.created for image in group.images), default="")
    several = ' class="several"' if len(group.images) > 1 else ""
    locations = _escape(", ".join(group.locations) or "on no page")
    cards = "\n".join(_card(image, group) for image in group.images)
    if group.change:
        words, several = f"{group.change} {words} {group.prompt_before}", ' class="several"'
    return (
        f'<li{several} data-number="{number}" data-created="{_escape(newest)}" '
        f'data-words="{_escape(words.lower())}">\n'
        f'<h2 title="{_escape(group.prompt)}">{_escape(group.change or group.title)}</h2>\n'
        f'<p class="locations" title="{locations}">{locations}</p>\n'
        f'{_prompts(group)}<ul class="takes">\n{cards}\n</ul>\n</li>\n'
    )


def _prompts(group: SheetGroup) -> str:
    """Return the prompt of a change, with the words that it removes and inserts."""
    if not group.change:
        return ""
    before, after = (group.prompt_before or group.prompt).split(), group.prompt.split()
    parts = []
    for kind, start, end, first, last in SequenceMatcher(None, before, after).get_opcodes():
        removed, words = _escape(" ".join(before[start:end])), _escape(" ".join(after[first:last]))
        parts += [words] if kind == "equal" else [_tagged("del", removed), _tagged("ins", words)]
    note = f'<p class="note">{_escape(group.note)}</p>\n' if group.note else ""
    return f'<p class="prompt">{" ".join(filter(None, parts))}</p>\n{note}'


def _tagged(tag: str, text: str) -> str:
    return f"<{tag}>{text}</{tag}>" if text else ""


def _words(images: Iterable[SheetImage]) -> Iterator[str]:
    for image in images:
        yield from (image.model, image.key, f"take {image.take}", image.created[:_DAY])


def _card(image: SheetImage, group: SheetGroup) -> str:
    shown = " · on the page" if image.is_shown and not image.side else ""
    size = image.thumbnail.size
    take = f"take: {image.take}"
    is_before = image.side == "before" and group.prompt_before
    prompt = group.prompt_before if is_before else group.title
    alt = _escape(f"{image.side.capitalize() or f'Take {image.take}'}: {prompt}")
    copy = (
        f' <button type="button" class="copy" data-copy="{take}" aria-label="Copy {take}">Copy'
        "</button>"
    )
    side = f"<strong>{image.side}</strong> · " if group.change == "changed" else ""
    return (
        f'<li class="{image.side}">'
        f'<button type="button" class="image" data-file="{_escape(image.url)}" '
        f'data-prompt="{_escape(group.prompt_before if is_before else group.prompt)}" '
        f'aria-haspopup="dialog"><img src="{_escape(image.thumbnail.url)}" '
        f'width="{size.width}" height="{size.height}" alt="{alt}" loading="lazy" '
        f'decoding="async"></button>\n'
        f'<p class="take"><span>{side}<code>{take}</code> · {_escape(image.cost)}{shown}</span>'
        f"{'' if image.side else copy}</p>\n"
        f'<p class="facts"><span>{_escape(f"{image.model} · {image.created[:_DAY]}")}</span></p>\n'
        f'<p class="facts">Cache key <code>{_escape(image.key[:_KEY_DIGITS])}</code> '
        f'<button type="button" class="copy key" data-copy="{_escape(image.key)}" '
        f'aria-label="Copy cache key">Copy</button></p></li>'
    )


def _with_code(text: str) -> str:
    """Return text as HTML, with code for the words in backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", _escape(text))


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


_POLICY = (
    f"default-src 'none'; img-src data: file: 'self'; style-src {_hash(STYLE)}; "
    f"script-src {_hash(SCRIPT)}; base-uri 'none'; form-action 'none'"
)

_GENERATOR = '<meta name="generator" content="mkdocs-imagegen">'
_GROUPS = "{groups}"
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="mkdocs-imagegen">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>{style}</style>
</head>
<body class="{size}">
<header>
<h1>{title}</h1>
{note}
{parts}
<div class="tools">
<label>Filter <input id="filter" type="search" autocomplete="off" spellcheck="false"></label>
<label>Order <select id="order">
<option value="number">as on the pages</option><option value="time">newest first</option>
</select></label>
<output id="count" for="filter">{count}</output>
</div>
</header>
<main>
<ul id="groups">
{groups}</ul>
</main>
<dialog id="large" aria-labelledby="large-words">
<img id="large-image" alt="">
<p id="large-words"></p>
<p id="large-facts"></p>
<p><a id="large-file">Original file</a> <button type="button" id="close">Close</button></p>
</dialog>
<script>{script}</script>
</body>
</html>
"""


def _escape(text: str) -> str:
    return html.escape(escape_unseen(text))

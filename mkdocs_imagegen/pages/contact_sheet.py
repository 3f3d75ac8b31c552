"""A contact sheet: one page that holds every image and needs nothing beside itself; pure.

Cards have one width and one height, so nothing moves when a card is first drawn that was out of
sight. What may run and what may be shown is named by hash in the page's own policy.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable, Iterator, Sequence

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.imaging.image import Thumbnail
from mkdocs_imagegen.pages.contact_sheet_parts import SCRIPT, STYLE

_KEY_DIGITS = 16


@dataclass(frozen=True, slots=True)
class SheetImage:
    """One image of a sheet.

    Attributes:
        key: of its request.
        take: its number.
        model: that drew it.
        price: what was paid for it, in words.
        day: when it was made, as ``2026-11-23``.
        is_shown: whether a page shows this one.
        file: the address of its original, from the sheet.
        small: the image.
    """

    key: str
    take: int
    model: str
    price: str
    day: str
    is_shown: bool
    file: str
    small: Thumbnail


@dataclass(frozen=True, slots=True)
class SheetGroup:
    """The takes of one prompt.

    Attributes:
        prompt: the final prompt.
        locations: where it stands.
        frames: its takes.
    """

    prompt: str
    locations: tuple[str, ...]
    frames: tuple[SheetImage, ...]


def contact_sheet(title: str, note: str, strips: Sequence[SheetGroup]) -> str:
    """The page.

    Args:
        title: of the page.
        note: one sentence below it; ``""`` for none.
        strips: in the order of pages.
    """
    count = sum(len(strip.frames) for strip in strips)
    return _PAGE.format(
        policy=_POLICY,
        title=html.escape(title),
        style=STYLE,
        note=f"<p>{html.escape(note)}</p>" if note else "",
        count=f"{count} image{'' if count == 1 else 's'}",
        strips="\n".join(_strip(number, strip) for number, strip in enumerate(strips)),
        script=SCRIPT,
    )


def _strip(number: int, strip: SheetGroup) -> str:
    words = " ".join((strip.prompt, *strip.locations, *_words(strip.frames)))
    newest = max((frame.day for frame in strip.frames), default="")
    several = ' class="several"' if len(strip.frames) > 1 else ""
    cards = "\n".join(_card(frame, strip) for frame in strip.frames)
    return (
        f'<li{several} data-number="{number}" data-day="{html.escape(newest)}" '
        f'data-words="{html.escape(words.lower())}">\n'
        f'<h2 title="{html.escape(strip.prompt)}">{html.escape(strip.prompt)}</h2>\n'
        f'<p class="places" title="{html.escape(_listed(strip.locations))}">'
        f'{html.escape(_listed(strip.locations))}</p>\n<ul class="takes">\n{cards}\n</ul>\n</li>'
    )


def _words(frames: Iterable[SheetImage]) -> Iterator[str]:
    for frame in frames:
        yield from (frame.model, frame.key, f"take {frame.take}", frame.day)


def _listed(locations: Sequence[str]) -> str:
    return ", ".join(locations) or "on no page"


def _card(frame: SheetImage, strip: SheetGroup) -> str:
    quote_value = " · on the page" if frame.is_shown else ""
    size = frame.small.size
    words = html.escape(f"Take {frame.take}: {strip.prompt}")
    return (
        f'<li><button type="button" class="image" data-file="{html.escape(frame.file)}" '
        f'aria-haspopup="dialog"><img src="{html.escape(frame.small.url)}" '
        f'width="{size.width}" height="{size.height}" alt="{words}" loading="lazy" '
        f'decoding="async"></button>\n'
        f'<p class="take"><strong>take: {frame.take}</strong>{quote_value}</p>\n'
        f'<p class="facts">{html.escape(f"{frame.model} · {frame.price} · {frame.day}")}</p>\n'
        f'<p class="facts"><button type="button" class="key" data-key="{html.escape(frame.key)}">'
        f"Copy key <code>{html.escape(frame.key[:_KEY_DIGITS])}</code></button></p></li>"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


_POLICY = (
    f"default-src 'none'; img-src data:; style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}; "
    "base-uri 'none'; form-action 'none'"
)

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
{note}
<div class="tools">
<label>Filter <input id="filter" type="search" autocomplete="off" spellcheck="false"></label>
<label>Order <select id="order">
<option value="number">as on the pages</option><option value="day">newest first</option>
</select></label>
<output id="count" for="filter">{count}</output>
</div>
</header>
<main>
<ul id="strips">
{strips}
</ul>
</main>
<dialog id="large" aria-labelledby="large-words">
<img id="large-picture" alt="">
<p id="large-words"></p>
<p id="large-facts"></p>
<p><a id="large-file">The original's file</a> <button type="button" id="close">Close</button></p>
</dialog>
<script>{script}</script>
</body>
</html>
"""

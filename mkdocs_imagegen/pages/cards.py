"""A list of pages as a grid of cards; pure.

Themes and sites change it by CSS variables, whose names begin with ``--imagegen-cards-``.
"""

from __future__ import annotations

import html
import posixpath
from collections.abc import Sequence
from urllib.parse import unquote

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.pages.markup import relative_url


@dataclass(frozen=True, slots=True)
class PageCard:
    """A page in a list.

    Attributes:
        title: of the page, as text.
        description: of the page, as text; ``""`` for none.
        url: its address as seen from the page that lists it.
        image: the HTML of its preview; ``""`` where it has none.
    """

    title: str
    description: str
    url: str
    image: str


def cards_html(cards: Sequence[PageCard]) -> str:
    """The grid: a list of links, each with the page's preview and description."""
    items = "\n".join(f"<li>{_card(each)}</li>" for each in cards)
    # Without a role Safari takes a list that shows no bullets for none.
    return f'<ul class="imagegen-cards" role="list">\n{items}\n</ul>'


def error_html(text: str) -> str:
    """What stands where a list cannot be made."""
    return f"<p><strong>This list of cards has a mistake:</strong> {html.escape(text)}</p>"


def card_style(page: str) -> str:
    """What a finished page lacks in its head to show its cards; ``""`` for nothing."""
    return _STYLE if '<ul class="imagegen-cards"' in page and _STYLE not in page else ""


def relative_page_url(url: str, page_url: str) -> str:
    """The address of a page, as seen from another.

    Args:
        url: of the page, below the site's root, as MkDocs gives it: ``guide/`` or ``a/b.html``.
        page_url: of the other.
    """
    address = relative_url(url or ".", page_url)
    is_folder = not posixpath.basename(url) or address in {".", ".."}
    return f"{address}/" if is_folder else address


def _card(card: PageCard) -> str:
    image = f'<span class="imagegen-cards-picture">{card.image}</span>'
    title = html.escape(card.title or unquote(card.url))
    link = f'<a href="{html.escape(card.url)}">{title}</a>'
    text = f'<span class="imagegen-cards-text">{html.escape(card.description)}</span>'
    return f"{image}{link}{text if card.description else ''}"


_STYLE = """\
<style>
ul.imagegen-cards[role=list]{display:grid;gap:var(--imagegen-cards-gap,1.2em);\
grid-template-columns:repeat(auto-fill,minmax(min(100%,var(--imagegen-cards-width,14em)),1fr));\
margin:1.5em 0;padding:0;list-style:none}
ul.imagegen-cards[role=list]>li{position:relative;display:flex;flex-direction:column;margin:0;\
padding:0 0 .8em;overflow:hidden;border-radius:var(--imagegen-cards-radius,.4em);\
border:1px solid var(--imagegen-cards-border,rgba(128,128,128,.35));\
background:var(--imagegen-cards-background,transparent)}
ul.imagegen-cards[role=list]>li:hover,ul.imagegen-cards[role=list]>li:focus-within{\
border-color:var(--imagegen-cards-accent,currentColor)}
.imagegen-cards-picture{display:block;margin:0 0 .7em;overflow:hidden;\
aspect-ratio:var(--imagegen-cards-ratio,16/9);\
background:var(--imagegen-cards-tile,rgba(128,128,128,.16))}
.imagegen-cards-picture>*{height:100%}
ul.imagegen-cards .imagegen-cards-picture img{display:block;width:100%;height:100%!important;\
object-fit:cover}
ul.imagegen-cards>li>a{margin:0 .9em;font-weight:600;color:var(--imagegen-cards-title,inherit)}
ul.imagegen-cards>li>a::after{content:"";position:absolute;inset:0}
.imagegen-cards-text{margin:.25em 1em 0;font-size:.9em;color:var(--imagegen-cards-text,inherit)}
</style>
"""

"""A list of pages as a grid of cards; pure.

Themes and sites change its look with CSS variables, which begin with ``--imagegen-cards-``.
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
        title: Title of the page, as text.
        description: Description of the page, as text; may be ``""``.
        url: URL of the page relative to the page with the list.
        image: HTML of the preview; ``""`` for a page without one.
    """

    title: str
    description: str
    url: str
    image: str


def cards_html(cards: Sequence[PageCard]) -> str:
    """Return the HTML of a list of links, each with preview and description of its page."""
    items = "\n".join(f"<li>{_card(each)}</li>" for each in cards)
    # Safari announces a list without bullets as a list only if it has the role.
    return f'<ul class="imagegen-cards" role="list">\n{items}\n</ul>'


def error_html(text: str) -> str:
    """Return the HTML of a list that is invalid."""
    return f"<p><strong>This list of cards is invalid:</strong> {html.escape(text)}</p>"


def card_style(page: str) -> str:
    """Return the style that a finished page needs in its head; ``""`` for a page without cards."""
    return _STYLE if '<ul class="imagegen-cards"' in page and _STYLE not in page else ""


def relative_page_url(url: str, page_url: str) -> str:
    """Return the URL of a page relative to another page.

    Args:
        url: URL of the page in the site as MkDocs writes it: ``guide/`` or ``a/b.html``.
        page_url: URL of the other page in the site.
    """
    relative = relative_url(url or ".", page_url)
    is_folder = not posixpath.basename(url) or relative in {".", ".."}
    return f"{relative}/" if is_folder else relative


def _card(card: PageCard) -> str:
    image = f'<span class="imagegen-cards-picture">{card.image}</span>'
    title = html.escape(card.title or unquote(card.url))
    link = f'<a href="{html.escape(card.url)}">{title}</a>'
    text = f'<span class="imagegen-cards-text">{html.escape(card.description)}</span>'
    return f"{image}{link}{text if card.description else ''}"


_STYLE = """\
<style>
ul.imagegen-cards[role=list]{display:grid;gap:var(--imagegen-cards-gap,1.2em);\
grid-template-columns:repeat(auto-fill,minmax(min(100%,var(--imagegen-cards-width,13em)),1fr));\
margin:1.5em 0;padding:0;list-style:none}
ul.imagegen-cards[role=list]>li{position:relative;display:flex;flex-direction:column;margin:0;\
padding:0 0 .8em;overflow:hidden;overflow-wrap:anywhere;\
border-radius:var(--imagegen-cards-radius,.4em);\
border:1px solid var(--imagegen-cards-border,rgba(128,128,128,.35));\
background:var(--imagegen-cards-background,transparent)}
ul.imagegen-cards[role=list]>li:hover,ul.imagegen-cards[role=list]>li:focus-within{\
border-color:var(--imagegen-cards-accent,currentColor)}
ul.imagegen-cards[role=list]>li>.imagegen-cards-picture{display:block;margin:0 0 .7em;\
overflow:hidden;aspect-ratio:var(--imagegen-cards-ratio,16/9);\
background:var(--imagegen-cards-tile,rgba(128,128,128,.16))}
.imagegen-cards-picture>*{height:100%}
ul.imagegen-cards .imagegen-cards-picture img{display:block;width:100%;height:100%!important;\
margin:0;padding:0;border:0;border-radius:0;box-shadow:none;object-fit:cover}
ul.imagegen-cards[role=list]>li>a{margin:0 .9em;font-weight:600;text-decoration:none;\
color:var(--imagegen-cards-title,inherit)}
ul.imagegen-cards>li>a::after{content:"";position:absolute;inset:0}
ul.imagegen-cards[role=list]>li>.imagegen-cards-text{margin:.25em 1em 0;font-size:.9em;\
color:var(--imagegen-cards-text,inherit)}
</style>
"""

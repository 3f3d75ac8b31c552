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

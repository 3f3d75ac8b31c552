"""The SVG that a page shows while an image is missing, in the size of the image; pure."""

from __future__ import annotations

import hashlib
import html
import re
import textwrap
from collections.abc import Iterator

from mkdocs_imagegen.errors import escape_unseen
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.imaging.image import SITE_FOLDER, ImageSource, PageImage
from mkdocs_imagegen.option_parsers import Size

_LINES = 6
_PARAGRAPHS = 2
_LEADING = 1.45
_GAP = 0.6
"""Space between paragraphs, in lines."""

# Contrast to the background of more than 4.5:1, see https://www.w3.org/TR/WCAG22/#contrast-minimum
_TITLE = 'font-weight="600" fill="#333c49"'
_PROBLEM = 'font-weight="400" fill="#333c49"'
_PROMPT = 'font-weight="400" fill="#5c6675"'

_NOT_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
"""Characters that are not in XML, apart from control characters, which are escaped."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """An image as the page shows it, and the bytes of its only file."""

    image: PageImage
    content: bytes


def render_placeholder(title: str, text: str, size: Size) -> Placeholder:
    """Return an SVG with a title and the first words of each paragraph of a text below it.

    The last paragraph is the prompt; of two paragraphs, the first is the problem.
    """
    content = _svg(title, escape_unseen(_NOT_XML.sub("�", text)), size).encode()
    name = f"{SITE_FOLDER}/missing-{hashlib.sha256(content).hexdigest()[:16]}.svg"
    source = ImageSource("image/svg+xml", ((name, size.width),))
    return Placeholder(PageImage((source,), size), content)


def _svg(title: str, text: str, size: Size) -> str:
    letter = max(8, min(size.width / 28, size.height / 14, 40))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size.width}" height="{size.height}" '
        f'viewBox="0 0 {size.width} {size.height}" role="img">\n'
        '<rect width="100%" height="100%" fill="#eceff3"/>\n'
        f'<rect x="1%" y="1.5%" width="98%" height="97%" rx="{letter:.0f}" fill="none" '
        f'stroke="#9aa5b4" stroke-width="{letter / 10:.1f}" '
        f'stroke-dasharray="{letter / 2:.0f} {letter / 3:.0f}"/>\n'
        f"{''.join(_texts(title, text, size, letter))}"
        "</svg>\n"
    )


def _texts(title: str, text: str, size: Size, letter: float) -> Iterator[str]:
    columns = max(8, int(size.width * 0.84 / (letter * 0.55)))
    paragraphs = [words for each in text.split("\n") if (words := " ".join(each.split()))]
    paragraphs = paragraphs[:_PARAGRAPHS]
    wrapped = [_wrap(each, columns, _LINES // len(paragraphs)) for each in paragraphs]
    gaps = max(0, len(wrapped) - 1) * _GAP
    y = size.height / 2 - (sum(map(len, wrapped)) + gaps) * letter * _LEADING / 2
    yield _text(title, size.width / 2, y, letter * 1.15, _TITLE)
    y += letter * _LEADING * 1.3
    for number, lines in enumerate(wrapped, start=1):
        style = _PROMPT if number == len(wrapped) else _PROBLEM
        for line in lines:
            yield _text(line, size.width / 2, y, letter, style)
            y += letter * _LEADING
        y += letter * _LEADING * _GAP


def _wrap(text: str, columns: int, max_lines: int) -> list[str]:
    return textwrap.wrap(text, columns, max_lines=max_lines, placeholder=" …")


def _text(words: str, x: float, y: float, letter: float, style: str) -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="{letter:.1f}" {style} '
        'font-family="system-ui, sans-serif" text-anchor="middle">'
        f"{html.escape(words)}</text>\n"
    )

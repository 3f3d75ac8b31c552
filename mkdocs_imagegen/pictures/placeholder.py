"""A stand-in for a picture that is not there: an SVG of the right size that says so; pure."""

from __future__ import annotations

import hashlib
import html
import re
import textwrap
from dataclasses import dataclass

from mkdocs_imagegen.pictures.picture import SITE_FOLDER, Picture, Source
from mkdocs_imagegen.values import Size

_LINES = 6


@dataclass(frozen=True, slots=True)
class StandIn:
    """A picture that is not there, and the bytes of its file."""

    picture: Picture
    content: bytes


_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def placeholder(title: str, text: str, size: Size) -> StandIn:
    """The stand-in: a title, and the first words of a text below it."""
    content = _svg(title, _NO_XML.sub("�", text), size).encode()
    name = f"{SITE_FOLDER}/missing-{hashlib.sha256(content).hexdigest()[:16]}.svg"
    return StandIn(Picture((Source("image/svg+xml", ((name, size.width),)),), size), content)


def _svg(title: str, text: str, size: Size) -> str:
    letter = max(8, min(size.width / 28, size.height / 14, 40))
    columns = max(8, int(size.width * 0.84 / (letter * 0.55)))
    lines = textwrap.wrap(" ".join(text.split()), columns, max_lines=_LINES, placeholder=" …")
    top = size.height / 2 - len(lines) * letter * 0.7
    texts = [_text(title, size.width / 2, top, letter * 1.15, "600")]
    texts += [
        _text(line, size.width / 2, top + (number + 1.3) * letter * 1.45, letter, "400")
        for number, line in enumerate(lines)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size.width}" height="{size.height}" '
        f'viewBox="0 0 {size.width} {size.height}" role="img">\n'
        '<rect width="100%" height="100%" fill="#eceff3"/>\n'
        f'<rect x="1%" y="1.5%" width="98%" height="97%" rx="{letter:.0f}" fill="none" '
        f'stroke="#9aa5b4" stroke-width="{letter / 10:.1f}" '
        f'stroke-dasharray="{letter / 2:.0f} {letter / 3:.0f}"/>\n'
        f"{''.join(texts)}"
        "</svg>\n"
    )


def _text(words: str, x: float, y: float, letter: float, weight: str) -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="{letter:.1f}" font-weight="{weight}" '
        'font-family="system-ui, sans-serif" fill="#475161" text-anchor="middle">'
        f"{html.escape(words)}</text>\n"
    )

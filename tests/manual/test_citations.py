"""Citations in docstrings and comments of the package lead to a page that a reader can open."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.english import comments, docstrings
from tests.manual.pages import DOCS
from tests.syntax import MODULES, location_of

PUBLIC = {
    "cv.iptc.org",
    "developers.openai.com",
    "docs.python.org",
    "git-scm.com",
    "github.com",
    "html.spec.whatwg.org",
    "owasp.org",
    "sqlite.org",
    "vercel.com",
    "www.w3.org",
}
"""Hosts of pages that anyone can read. Add a host only after opening the page."""

_URL = re.compile(r"https?://[^\s\"'`<>]+")
_CODE = re.compile(r"(`+)[^`]*\1")
_DIAGRAM = re.compile(r"::\n(\n(    .*)?)+")
_PAGE = re.compile(r"\b[\w-]+/[\w/-]+\.md\b")
_VAGUE = re.compile(
    r"\bfact sheets?\b|\bdesign (?:document|sheet)\b|\bDESIGN\b|\bissues? #?\d+|\bticket\b"
    r"|(?<!RFC \d{4}, )\bsections? \d"
)
_SEE = re.compile(r"(?:\bSee|[;,(-] ?see)\s(?P<target>\S+(?:\s\S+)?)")
_FOLLOWED = re.compile(r"https?://|`|:\w+:|the class\b|RFC \d|[\w-]+/[\w/-]+\.md\b")
_LOOPBACK = ("127.0.0.1", "localhost")


def texts(path: Path) -> list[tuple[int, str]]:
    """Return line and text of every docstring and comment, without code."""
    found = [*docstrings(path), *comments(path)]
    return [(line, _DIAGRAM.sub(" ", text)) for line, text in found]


def faults(text: str) -> list[str]:
    """Return the citations of a text that lead to no page."""
    prose = _CODE.sub("`code`", text)
    found = [
        url
        for url in _URL.findall(prose)
        if urlsplit(url).hostname not in _LOOPBACK
        and (urlsplit(url).scheme != "https" or urlsplit(url).hostname not in PUBLIC)
    ]
    found += [page for page in _PAGE.findall(prose) if not (DOCS / page).exists()]
    found += [match[0] for match in _VAGUE.finditer(prose)]
    found += [match[0] for match in _SEE.finditer(prose) if not _FOLLOWED.match(match["target"])]
    return found


@pytest.mark.parametrize("path", MODULES, ids=location_of)
def test_citation_leads_to_a_page(path: Path) -> None:
    assert [(line, fault) for line, text in texts(path) for fault in faults(text)] == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("See https://intranet.example/page.", "https://intranet.example/page."),
        ("Rules of http://sqlite.org/security.html", "http://sqlite.org/security.html"),
        ("As in development/no-such-page.md", "development/no-such-page.md"),
        ('Rules (fact sheet "money")', "fact sheet"),
        ("Rules of section 4.3", "section 4"),
        ("See below.", "See below."),
    ],
)
def test_a_citation_without_a_page_is_found(text: str, fault: str) -> None:
    assert fault in faults(text)


@pytest.mark.parametrize(
    "text",
    [
        "See https://sqlite.org/security.html.",
        "See development/decisions.md.",
        "A date (RFC 9110, section 10.2.3).",
        "The style (see :func:`final_prompt`).",
    ],
)
def test_a_public_citation_is_accepted(text: str) -> None:
    assert faults(text) == []

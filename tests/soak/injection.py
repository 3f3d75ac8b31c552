"""Hostile texts of authors and servers: builds and commands, and a search in all that they write.

A hit is a control or direction character on a terminal, in a log, in JSON, in a placeholder or in a
contact sheet; a line that a text forges; JSON that cannot be read; and an element, an attribute or
an address in HTML that a site with harmless texts does not have.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from urllib.parse import quote

import html5lib
import pytest
import yaml
from mkdocs.exceptions import Abort

from mkdocs_imagegen.emulator.wire_types import HttpResponse
from mkdocs_imagegen.imaging.placeholder import render_placeholder
from mkdocs_imagegen.option_parsers import Size
from tests.cli.support import command, run_in_terminal
from tests.paid import PaidEmulator, PaidSite, fence, paid_gateway
from tests.soak.canary import ECHOES
from tests.soak.figures import Figure
from tests.support import recorded

_MARKUP = (
    *("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onload='alert(1)"),
    *("</figcaption></figure></p><a href=x>", "</script><script>", "</svg></style><b>", "--><b>"),
    *('" onload="alert(1)', "]]><b>", "&lt;b&gt;&#60;b&#62;", "<svg/onload=alert(1)>", "<!-- <b>"),
    *("javascript:alert(1)", "[a](javascript:alert(1))", "![x](y.png)", "**b** _i_", "{{ 7 }}"),
    *("{ onclick=alert(1) }", "%s %n {0}", "imagegen:t" + 40 * "0", "\x02wzxhzdk:0\x03", "\\"),
)
_CHARACTERS = (
    *("\x1b[31mred\x1b[0m", "\x1b]8;;https://x.org\x07a\x1b]8;;\x07", "\x1b]0;a\x07", "\x9b31m"),
    *("\u202eevil\u202c", "\u2066\u2069\u200f\u061c", "\x00", "\x08\x7f", ""),
)
_LINES = (
    *("\r\nFORGED", "\n::error::FORGED", "\u2028FORGED\u2029", "\rFORGED", "\x0bFORGED"),
    *("\x85FORGED", "", 20_000 * "a"),
)
_SURROGATE = "\ud800"
"""Half of a character, which only JSON can contain, by its number."""

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_FORGED = re.compile(r"^(FORGED|::)", re.MULTILINE)
_OWN = re.compile(
    r"((\.\./)*assets/imagegen/[\w.-]+( \d+w)?(, |$))+|data:image/webp;base64,[\w+/=]+|"
    r"(\.\./)*(\./|[az][^/]*/)?"  # pages
)
_ADDRESSES = frozenset({"src", "srcset", "href", "action", "data", "poster", "formaction"})
_TEMPLATE = "<!doctype html><html><head><title>x</title></head><body>{{ page.content }}</body>"
_PLACEHOLDER = render_placeholder("A title", "A problem\nA prompt", Size(3, 2)).content.decode()
_DISCLOSURES = ("caption", "badge")
_COMMANDS = ("plan", "models", "check", "verify", "credits", "prune")


@dataclass
class Found:
    """Outputs that were searched, and the hits in them."""

    texts: int = 0
    json: int = 0
    documents: int = 0
    hits: list[str] = field(default_factory=list)

    def search_text(self, name: str, text: str) -> None:
        """Search a text for control and direction characters, and for forged lines."""
        self.search_characters(name, text, _UNSEEN, _FORGED)

    def search_characters(self, name: str, text: str, *patterns: re.Pattern[str]) -> None:
        """Search a text for patterns."""
        self.texts += 1
        for pattern in patterns:
            if match := pattern.search(text):
                around = text[max(0, match.start() - 40) : match.end() + 20]
                self.hits.append(f"{name}: {around!r}")

    def search_json(self, name: str, text: str) -> None:
        """Search JSON, which has to be readable."""
        self.search_text(name, text)
        self.json += 1
        try:
            json.loads(text)
        except ValueError as error:
            self.hits.append(f"{name}: {error}: {text[:80]!r}")

    def search_html(self, name: str, document: str, harmless: str) -> None:
        """Compare HTML or SVG to a document with harmless texts."""
        self.documents += 1
        shape, expected = Shape(document), Shape(harmless)
        more = shape.tags - expected.tags
        del more["p"]  # in place of a figure, if an option is invalid
        more["a comment"] = max(0, shape.comments - expected.comments)
        found = [*more.elements(), *(shape.attributes - expected.attributes), *shape.addresses]
        self.hits += [f"{name}: {each}" for each in found]


class Shape:
    """Elements, attributes and foreign addresses of a document.

    Attributes:
        tags: Number of elements by name, without the lines of a placeholder.
        attributes: Names of elements with the names of their attributes.
        addresses: Addresses that the plugin does not write.
        comments: Number of comments, which hide what follows.
    """

    def __init__(self, document: str) -> None:
        tree = html5lib.parse(document, namespaceHTMLElements=False)
        elements = [each for each in tree.iter() if isinstance(each.tag, str)]
        self.comments = sum(1 for _ in tree.iter()) - len(elements)
        names = [each.tag.rpartition("}")[2] for each in elements]
        self.tags = Counter(name for name in names if name != "text")
        self.attributes = {
            f"{tag} {name}"
            for tag, each in zip(names, elements, strict=True)
            for name in each.attrib
        }
        self.addresses = {
            f"{name}={value[:80]!r}"
            for each in elements
            for name, value in each.attrib.items()
            if name in _ADDRESSES and not _OWN.fullmatch(value)
        }


class HostileServer(PaidEmulator):
    """Server whose texts are hostile: errors, names, prices, ids, headers and prompts.

    Attributes:
        text: Function that returns the next hostile text; None for a harmless server.
        sent: Number of hostile responses.
    """

    text: Callable[[], str] | None = None
    sent = 0

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> HttpResponse:
        response = super().handle(method, path, headers, body)
        if self.text is None:
            return response
        self.sent += 1
        if method == "GET":
            poisoned = _poisoned(response.body, self.text)
            return _headed(replace(response, body=poisoned), self.text())
        kinds = [*list(ECHOES.values())[:-1], _surrogate]  # the last one ends a build
        # Every second image arrives.
        kind = kinds[0] if self.sent % 2 else kinds[self.sent // 2 % len(kinds)]
        return _headed(kind(self.text(), response.body), self.text())


def _surrogate(text: str, _: bytes) -> HttpResponse:
    error = {"message": f"{_SURROGATE}{text}", "type": _SURROGATE, "code": f"{text}{_SURROGATE}"}
    return HttpResponse(400, {}, json.dumps({"error": error}).encode())


def _poisoned(body: bytes, text: Callable[[], str]) -> bytes:
    """Return a list of models with one that has hostile names, or an object with such texts."""
    answer = json.loads(body)
    listed = answer.get("data")
    if not isinstance(listed, list) or not listed:
        return json.dumps({"error": {"message": text()}, "balance": text()}).encode()
    names = ("id", "name", "description", "owned_by")
    poisoned = [listed[0] | {name: f"{text()}{end}" for name in names} for end in ("", _SURROGATE)]
    return json.dumps({**answer, "data": [*listed, *poisoned]}).encode()


def _headed(response: HttpResponse, text: str) -> HttpResponse:
    """Return a response with hostile headers, as far as HTTP can send them."""
    headers = {**response.headers, "x-request-id": text, "x-vercel-id": text, "server": text}
    sent = {
        name: re.sub(r"[\r\n]", "", value[:500]).encode("latin-1", "ignore").decode("latin-1")
        for name, value in headers.items()
    }
    return replace(response, headers=sent)


Texts = Callable[[str], str]
"""Returns the next text: `text`, or `line` without line breaks."""


def soak(rounds: int, folder: Path) -> Sequence[Figure]:
    """Build sites with hostile texts, run commands on them, and search all outputs."""
    found, server = Found(), HostileServer()
    with pytest.MonkeyPatch.context() as patch, paid_gateway(patch, server):
        expected = [_harmless(kind, server, folder) for kind in range(len(_DISCLOSURES))]
        for number in range(rounds):
            # Two of them: the server's requests come in any order.
            server.text = partial(_hostile, random.Random(-number - 1))  # noqa: S311 - no secrets
            text = partial(_hostile_of, random.Random(number))  # noqa: S311 - no secrets
            site = PaidSite(folder / str(number), server)
            _write(site, number, text)
            for name, document in _build(site, found).items():
                harmless = expected[number % len(expected)][name]
                found.search_html(f"round {number}: {name}", document, harmless)
            _search_commands(site, number, text, found)
            _search_files(site, found)
    print(*found.hits, sep="\n", file=sys.stderr)  # noqa: T201 - details
    return [
        Figure("hostile responses", server.sent, min_value=8 * rounds),
        Figure("texts searched", found.texts, min_value=20 * rounds),
        Figure("JSON documents searched", found.json, min_value=4 * rounds),
        Figure("HTML and SVG documents compared", found.documents, min_value=4 * rounds),
        Figure("hits", len(found.hits), max_value=0),
    ]


def _harmless(number: int, server: HostileServer, folder: Path) -> dict[str, str]:
    """Return the documents of a site with harmless texts."""
    site, names = PaidSite(folder / f"harmless-{number}", server), count()
    _write(site, number, lambda _: f"kettle{next(names)}")
    return _build(site, Found())


def _hostile(rng: random.Random) -> str:
    parts = [rng.choice(each) for each in (_MARKUP, _CHARACTERS, _LINES)]
    rng.shuffle(parts)
    return rng.choice(["", "A kettle "]) + rng.choice(["", " "]).join(parts)


def _hostile_of(rng: random.Random, kind: str) -> str:
    text = _hostile(rng)
    return text if kind == "text" else " ".join(re.split(r"[\r\n]+", text))


def _write(site: PaidSite, number: int, text: Texts) -> None:
    """Write the configuration and two pages, with a text in each place that an author can fill."""
    site.config["theme"] = {"name": None, "custom_dir": "theme"}
    (site.folder / "theme").mkdir()
    (site.folder / "theme/main.html").write_text(_TEMPLATE)
    site.options.update(
        disclosure=_DISCLOSURES[number % len(_DISCLOSURES)],
        disclosure_text=text("line"),
        prompts={"site": text("text")},
        concurrency=2,
    )
    site.write("index.md", _front_matter(text) + "\n\n".join(_blocks(text)))
    for page in range(4):
        site.write(f"a{page}.md", _front_matter(text) + "Words.\n")
    name = re.sub(r"[/\x00]", "", text("text"))[:60]
    site.write(f"z{name}.md", _front_matter(text) + f"# Page\n\n{fence(text('text'))}")


def _front_matter(text: Texts) -> str:
    preview = {"prompt": text("text"), "alt": text("text")}
    meta = {"title": text("text"), "description": text("text")}
    meta["imagegen"] = {"preview": preview, "prompts": {"own": text("text")}}
    return f"---\n{yaml.safe_dump(meta)}---\n"


def _blocks(text: Texts) -> Iterator[str]:
    line = partial(text, "line")
    yield "# Page"
    yield fence(text("text"), alt=line(), title=line(), caption=line(), dark=line())
    yield fence(text("text"), id=line())
    yield fence(text("text"), **{"class": line()})
    for option in ("size", "model", "name", "reference", "take", "no such option"):
        yield fence(text("text"), **{option: line()})
    yield fence(text("text"), **{line(): line()})
    query = "&".join(f"{name}={quote(text('text'))}" for name in ("prompt", "alt", "title"))
    yield f"![A kettle](imagegen:?{query})"
    yield "![A kettle](imagegen:own) ![A kettle](imagegen:site)"
    yield f"![{re.sub(r'[][()<>]', '', line())}](imagegen:)"
    yield f"```imagegen-cards\n*.md\n{line()}\n```"


def _build(site: PaidSite, found: Found) -> dict[str, str]:
    """Build a site, and search its log; return its pages, placeholders and contact sheet."""
    for on_missing in ("error", "warn"):
        site.options["on_missing"] = on_missing
        ignored = suppress(Abort) if on_missing == "error" else nullcontext()
        with recorded() as records, ignored:
            built = site.build()
        messages = [each.getMessage() for each in records]
        own = "\n".join(each for each in messages if "imagegen" in each)
        found.search_text(f"build with on_missing {on_missing}", own)
    sheet = site.folder / "sheet.html"
    site.command("gallery", str(sheet))
    documents = {"contact sheet": sheet.read_text()}
    pages = sorted(built.site.rglob("index.html"), key=lambda path: (len(path.parts), path))
    documents |= {f"page {number}": path.read_text() for number, path in enumerate(pages)}
    found.search_characters("contact sheet", documents["contact sheet"], _UNSEEN)
    for path in built.site.rglob("missing-*.svg"):
        found.search_characters("placeholder", path.read_text(), _UNSEEN)
        found.search_html("placeholder", path.read_text(), _PLACEHOLDER)
    return documents


def _search_commands(site: PaidSite, number: int, text: Texts, found: Found) -> None:
    as_json = ["--json"] if number % 2 else []
    named = ("generate", "candidates")[number % 2]
    for arguments in ((named, text("text")), *((each, *as_json) for each in _COMMANDS)):
        done = site.command(*arguments)
        name = f"round {number}: {arguments[0]}"
        if done.exception and not isinstance(done.exception, SystemExit):
            found.hits.append(f"{name}: {done.exception!r}")
        found.search_text(name, done.output)
        if done.stdout.startswith("{"):
            found.search_json(name, done.stdout)
    shown = _COMMANDS[number % 4]
    _, output = run_in_terminal(site.folder, command(shown), {"TERM": "dumb"})
    found.search_text(f"round {number}: {shown} on a terminal", output.replace("\r\n", "\n"))


def _search_files(site: PaidSite, found: Found) -> None:
    """Search the report and the JSON of originals, without the prompts of the author."""
    found.search_json("report", (site.folder / "report.json").read_text())
    for path in site.originals.glob("??/*.json"):
        stored = json.loads(path.read_text())
        if isinstance(stored, dict):
            stored.pop("prompt")
        found.search_json(path.name, json.dumps(stored, ensure_ascii=False))

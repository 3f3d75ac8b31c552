"""Sources of the manual: its pages, their prose, headings and code blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mkdocs.utils.meta import get_data
from mkdocs.utils.yaml import get_yaml_loader, yaml_load

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "example_site/docs"
CONFIG = ROOT / "example_site/mkdocs.yml"

_FENCE = re.compile(r"(?P<indent> *)(?P<ticks>`{3,}|~{3,})(?P<info>[^`]*)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)")
_LINK_TARGET = re.compile(r"\]\([^)]*\)|\]\[[^]]*\]|^\[[^]]+\]: .*$", re.MULTILINE)
_ATTRIBUTES = re.compile(r"\{[^{}]*\}")
_HTML = re.compile(r"<[^>]+>")
_TABLE_ROW = re.compile(r"^\s*\|.*$", re.MULTILINE)
_URL = re.compile(r"https?://\S+")
_HEADING = re.compile(r"^(#{1,6}) (.+?)(?: *\{[^{}]*\})?$", re.MULTILINE)


@dataclass(frozen=True)
class CodeBlock:
    """Fenced code block, without its indentation."""

    page: str
    line: int
    info: str
    text: str

    @property
    def language(self) -> str:
        return re.split(r"[\s{]+", self.info.strip().lstrip("{. "))[0].rstrip("}")

    @property
    def title(self) -> str:
        match = re.search(r'title="([^"]*)"', self.info)
        return match[1] if match else ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class ManualPage:
    """One Markdown file."""

    name: str
    text: str

    def __str__(self) -> str:
        return self.name

    @property
    def front_matter(self) -> dict[str, Any]:
        return get_data(self.text)[1]

    def _split(self) -> tuple[list[CodeBlock], list[str]]:
        """Return the code blocks, and the other lines."""
        blocks: list[CodeBlock] = []
        lines, inside = [], list[str]()
        opening: re.Match[str] | None = None
        start = 0
        for number, line in enumerate(self.text.split("\n"), 1):
            if opening is None:
                opening = _FENCE.fullmatch(line)
                start, inside = number, []
                if opening is None:
                    lines.append(line)
            elif line.strip() == opening["ticks"]:
                cut = len(opening["indent"])
                text = "\n".join(each[cut:] for each in inside)
                blocks.append(CodeBlock(self.name, start, opening["info"], text))
                opening = None
            else:
                inside.append(line)
        return blocks, lines

    @property
    def blocks(self) -> list[CodeBlock]:
        return self._split()[0]

    @property
    def body(self) -> str:
        """Text without front matter and code blocks."""
        text = "\n".join(self._split()[1])
        return _COMMENT.sub("", re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL))

    @property
    def headings(self) -> list[tuple[int, str]]:
        """Level and text of each heading."""
        return [(len(match[1]), match[2]) for match in _HEADING.finditer(self.body)]

    @property
    def prose(self) -> str:
        """Text without code, tables, link targets, attributes and HTML."""
        text = self.body
        for pattern in (_TABLE_ROW, _CODE, _LINK_TARGET, _ATTRIBUTES, _HTML, _URL):
            text = pattern.sub(" ", text)
        return text


def pages() -> Iterator[ManualPage]:
    """Yield the pages of the manual, README.md and CHANGELOG.md."""
    for path in sorted(DOCS.rglob("*.md")):
        yield ManualPage(path.relative_to(DOCS).as_posix(), path.read_text())
    for name in ("README.md", "CHANGELOG.md"):
        if (ROOT / name).exists():
            yield ManualPage(f"/{name}", (ROOT / name).read_text())


def configuration() -> dict[str, Any]:
    """Return the configuration of the manual."""
    loader = get_yaml_loader()
    loader.add_constructor("!relative", lambda _, node: node.value)
    return yaml_load(CONFIG.read_text(), loader)


def nav_titles() -> dict[str, str]:
    """Return the title of each page in the navigation."""

    def titles(items: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
        for item in items:
            for title, value in item.items():
                if isinstance(value, list):
                    yield from titles(value)
                else:
                    yield value, title

    return dict(titles(configuration()["nav"]))


def plugin_options(name: str) -> dict[str, Any]:
    """Return the options of a plugin of the manual."""
    plugins = configuration()["plugins"]
    return next(each[name] for each in plugins if isinstance(each, dict) and name in each)

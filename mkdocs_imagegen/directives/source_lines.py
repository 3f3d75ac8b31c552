"""Lines of a source file, to find the line of a directive; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mkdocs_imagegen.directives.directive import SourceExcerpt

_INDENT_OR_QUOTE = re.compile(r"[\s>]*")
_WORD = re.compile(r"\w+")
_FENCE = re.compile(r"[\s>]*(?:(?:[-*+]|\d+[.)])\s+)*(`{3,}|~{3,})([^`]*)$")
_IMAGE_BLOCK = re.compile(r"[`~]{3,}.*imagegen")
_IMAGE_HEADER = re.compile(r"[`~]{3,}[ \t]*(?:\{[ \t]*)?\.?imagegen(?:-cards)?(?![\w-])")
_HEADER = re.compile(
    r"(`{3,}|~{3,})(?:[ \t]*\.?[\w#.+-]+)?"
    r"(?:[ \t]*\{.*\}|(?:[ \t]+[A-Za-z]\w*(?:=(?:\"[^\"]*\"|'[^']*'))?)*)"
)
"""Header of a block for superfences, which reads a line with another header as text."""

_PREVIEW = re.compile(r"(?:\s+|\s*imagegen\s*:\s*\{.*)[\"']?\bpreview\b[\"']?\s*:")
_END_OF_TARGET = r"(?=[)>\s\"']|$)"


class SwallowedBlock(NamedTuple):
    """Image block that is not read, since it is inside a block without a closing fence.

    Attributes:
        line: Line of the other block, from 0.
        header: Header of the other block.
        words: First line of the image block.
        body: All words of the image block.
    """

    line: int
    header: str
    words: str
    body: str

    @property
    def is_read(self) -> bool:
        """True if the header of the other block is read as such."""
        return _HEADER.fullmatch(self.header) is not None


class SourceLines:
    """Lines of a page's source file, scanned once for all of its directives.

    Args:
        text: Content of the file, with the front matter.
    """

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._outside = set(_outside_fences(self._lines))
        self._fences: dict[str, list[int]] = {}
        for number, line in enumerate(self._lines):
            if _IMAGE_BLOCK.search(line):
                words = _first_line_after(self._lines, number)
                self._fences.setdefault(words, []).append(number)

    def find(self, source: SourceExcerpt, occurrence: int) -> int | None:
        """Return the line of a directive, from 1; None if no line matches.

        Args:
            source: Excerpt of the directive.
            occurrence: Number of directives with the same excerpt before it on the page.
        """
        if source.kind == "preview":
            return self._preview()
        if source.kind == "unclosed block":
            excerpt = (source.first_words, source.body)
            locations = [
                each.line
                for each in swallowed_blocks(self._lines)
                if (each.header, each.body) == excerpt
            ]
        elif source.kind == "fence":
            words = _INDENT_OR_QUOTE.sub("", source.first_words, count=1).strip()
            locations = self._fences.get(words, [])
            if source.body and len(locations) > 1:
                locations = [
                    at for at in locations if _body(self._lines, at) == source.body
                ] or locations
        else:
            locations = self._images(source)
        locations = [number for number in locations if number in self._outside] or locations
        return locations[min(occurrence, len(locations) - 1)] + 1 if locations else None

    def _preview(self) -> int | None:
        """Return the line of the page's preview in its front matter."""
        inside = self._lines[: 1 + _end_of_front_matter(self._lines)]
        return next((number for number, line in enumerate(inside, 1) if _PREVIEW.match(line)), None)

    def _images(self, source: SourceExcerpt) -> list[int]:
        """Return the lines with the target and every word; a wrong line is worse than no line."""
        words = _WORD.findall(f"{source.first_words} {source.title}")
        name = re.escape(source.target[len("imagegen:") :])
        target = re.compile(f"(?i:imagegen:){name}{_END_OF_TARGET}")
        locations = [number for number, line in enumerate(self._lines) if target.search(line)]
        for lines_before in (0, 3):
            found = [at for at in locations if self._has_words(at, lines_before, words)]
            if found:
                text = f"[{source.first_words}]"
                exact = [at for at in found for _ in range(self._lines[at].count(text))]
                return exact or found
        return []

    def _has_words(self, at: int, lines_before: int, words: list[str]) -> bool:
        text = "\n".join(self._lines[max(0, at - lines_before) : at + 1])
        return all(word in text for word in words)


def swallowed_blocks(lines: Sequence[str]) -> Iterator[SwallowedBlock]:
    """Yield the image blocks inside of blocks without a closing fence, as superfences reads them.

    A block ends at a line with only its fence, with the same indentation. It is not closed if a
    line with less indentation comes first, or if that line is the end of an image block in it.

    Args:
        lines: Lines of a page.
    """
    fence, indent, begin, inside = "", 0, 0, list[int]()
    fault: int | None = None  # line before which all blocks are closed
    for number, line in enumerate(lines):
        text, width = line.strip("> \t\r"), _indentation(line)
        inside += [number] if fence and _IMAGE_HEADER.match(text) else []
        if not fence and (header := _HEADER.fullmatch(text)):
            fence, indent = header[1], width
            begin = number if fault is None or text != fence else fault
        elif not fence and _FENCE.match(text):
            fault = number  # with a header that is not read
        elif fence and text and width < indent:
            yield from (_swallowed(lines, begin, at) for at in inside)
            fence, inside, fault = "", [], begin
        elif fence and text == fence and width == indent:
            ends = [at for at in inside if fence in lines[at] and _indentation(lines[at]) == width]
            yield from (_swallowed(lines, begin, at) for at in ends)
            fence, inside, fault = "", [], None
    yield from (_swallowed(lines, begin, at) for at in inside)


def _indentation(line: str) -> int:
    line = line.expandtabs(4)
    return len(line) - len(line.lstrip("> "))


def _swallowed(lines: Sequence[str], begin: int, at: int) -> SwallowedBlock:
    header = lines[begin].strip("> \t\r")
    return SwallowedBlock(begin, header, _first_line_after(lines, at), _body(lines, at))


def _first_line_after(lines: Sequence[str], number: int) -> str:
    below = lines[number + 1 : number + 9]
    bare = (_INDENT_OR_QUOTE.sub("", line, count=1).strip() for line in below)
    words = next((line for line in bare if line), "")
    return "" if _FENCE.match(words) else words


def _body(lines: Sequence[str], number: int) -> str:
    """Return all words of the block that opens on a line."""
    words: list[str] = []
    for line in lines[number + 1 :]:
        bare = _INDENT_OR_QUOTE.sub("", line, count=1)
        if _FENCE.match(bare):
            break
        words += bare.split()
    return " ".join(words)


def _end_of_front_matter(lines: list[str]) -> int:
    ends = (
        number for number, line in enumerate(lines) if number and line.strip() in {"---", "..."}
    )
    return next(ends, 0)


def _outside_fences(lines: list[str]) -> Iterator[int]:
    """Yield the lines outside code samples; the opening line of a block is outside."""
    opened_by = ""
    for number, line in enumerate(lines):
        fence = _FENCE.match(line)
        if not opened_by:
            yield number
            opened_by = fence[1] if fence else ""
        elif fence and fence[1].startswith(opened_by) and not fence[2].strip():
            opened_by = ""

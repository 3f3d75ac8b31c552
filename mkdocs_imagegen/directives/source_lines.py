"""Lines of a source file, to find the line of a directive; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from mkdocs_imagegen.directives.directive import SourceExcerpt

_INDENT_OR_QUOTE = re.compile(r"[\s>]*")
_WORD = re.compile(r"\w+")
_FENCE = re.compile(r"[\s>]*(?:(?:[-*+]|\d+[.)])\s+)*(`{3,}|~{3,})([^`]*)$")
_IMAGE_BLOCK = re.compile(r"[`~]{3,}.*imagegen")
_IMAGE_HEADER = re.compile(r"[`~]{3,}[ \t]*(?:\{[ \t]*)?\.?imagegen(?:-cards)?(?![\w-])")
_PREVIEW = re.compile(r"(?:\s+|\s*imagegen\s*:\s*\{.*)[\"']?\bpreview\b[\"']?\s*:")
_END_OF_TARGET = r"(?=[)>\s\"']|$)"


class SwallowedBlock(NamedTuple):
    """Image block that is not read, since it is inside a block without a closing fence.

    Attributes:
        header: First line of the other block.
        is_closed: True if the other block has a closing fence, but a header that is not read.
        words: First line of the image block.
        body: All words of the image block.
    """

    header: str
    is_closed: bool
    words: str
    body: str


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
            locations = list(self._blocks_above(source.first_words, source.body))
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

    def _blocks_above(self, header: str, body: str) -> Iterator[int]:
        """Yield the nearest line with a header above each image block with a body."""
        bare = [line.strip("> \t\r") for line in self._lines]
        for at in (at for found in self._fences.values() for at in found):
            if header in bare[:at] and _body(self._lines, at) == body:
                yield at - 1 - bare[:at][::-1].index(header)

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


def swallowed_blocks(
    lines: Sequence[str], is_header: Callable[[str], bool]
) -> Iterator[SwallowedBlock]:
    """Yield the image blocks inside of blocks without a closing fence, as superfences reads them.

    A block ends at a line with only its fence, with the same indentation. It is not closed if a
    line with less indentation comes first, or if that line is the end of an image block in it. If
    its header is not read, its last line begins another block.

    Args:
        lines: Lines of a page.
        is_header: Function that returns True if a block with the line as its header is read.
    """
    fence, indent, begin, inside = "", 0, 0, list[int]()
    is_stray = False  # the block begins with the last line of another one
    fault: int | None = None  # line before which all blocks are closed
    for number, line in enumerate(lines):
        text, width, match = line.strip("> \t\r"), _indentation(line), _FENCE.match(line)
        inside += [number] if fence and _IMAGE_HEADER.match(text) else []
        if not fence and match and is_header(text):
            fence, indent, is_stray = match[1], width, fault is not None and text == match[1]
            begin = fault if fault is not None and is_stray else number
        elif not fence and match:
            fault = number
        elif fence and text and width < indent:
            yield from (_swallowed(lines, begin, at, is_header) for at in inside)
            fence, inside, fault = "", [], begin
        elif fence and text == fence and width == indent:
            # A deeper image block, or one in a longer fence, is a sample.
            own = [at for at in inside if fence in lines[at] and _indentation(lines[at]) == width]
            found = inside if is_stray else own
            yield from (_swallowed(lines, begin, at, is_header) for at in found)
            fence, inside, fault = "", [], None
    yield from (_swallowed(lines, begin, at, is_header) for at in inside)


def _indentation(line: str) -> int:
    line = line.expandtabs(4)
    return len(line) - len(line.lstrip("> "))


def _swallowed(
    lines: Sequence[str], begin: int, at: int, is_header: Callable[[str], bool]
) -> SwallowedBlock:
    header = lines[begin].strip("> \t\r")
    words, body = _first_line_after(lines, at), _body(lines, at)
    return SwallowedBlock(header, not is_header(header), words, body)


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

"""The line of a source file on which a directive stands; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mkdocs_imagegen.directives.directive import Source

_INDENT_OR_QUOTE = re.compile(r"[\s>]*")
_WORD = re.compile(r"\w+")
_FENCE = re.compile(r"[\s>]*(?:(?:[-*+]|\d+[.)])\s+)*(`{3,}|~{3,})([^`]*)$")
_FENCE_OF_OURS = re.compile(r"[`~]{3,}.*imagegen")


def find_line(text: str, source: Source, occurrence: int) -> int | None:
    """The line, from 1, of the n-th place that looks like the directive; None if there is none.

    Args:
        text: the page's source file, front matter included.
        source: what to look for.
        occurrence: how many places like it come before, on the same page.
    """
    lines = text.split("\n")
    find = _fence_lines if source.kind == "fence" else _picture_lines
    outside = set(_outside_fences(lines))
    places = find(lines, source)
    places = [number for number in places if number in outside] or places
    return places[min(occurrence, len(places) - 1)] + 1 if places else None


def _outside_fences(lines: list[str]) -> Iterator[int]:
    """The lines that no fence holds; those that open one are outside, and code samples inside."""
    opened_by = ""
    for number, line in enumerate(lines):
        fence = _FENCE.match(line)
        if not opened_by:
            yield number
            opened_by = fence[1] if fence else ""
        elif fence and fence[1].startswith(opened_by) and not fence[2].strip():
            opened_by = ""


def _fence_lines(lines: list[str], source: Source) -> list[int]:
    words = _INDENT_OR_QUOTE.sub("", source.first_words, count=1).strip()
    opened = (number for number, line in enumerate(lines) if _FENCE_OF_OURS.search(line))
    return [number for number in opened if _first_line_after(lines, number) == words]


def _first_line_after(lines: list[str], number: int) -> str:
    bare = (_INDENT_OR_QUOTE.sub("", line, count=1).strip() for line in lines[number + 1 :])
    return next((line for line in bare if line), "")


def _picture_lines(lines: list[str], source: Source) -> list[int]:
    """Lines with the target and every word of text and title: a wrong line is worse than none."""
    words = _WORD.findall(f"{source.first_words} {source.title}")
    places = [number for number, line in enumerate(lines) if source.target in line]
    for lines_before in (0, 3):
        texts = ("\n".join(lines[max(0, at - lines_before) : at + 1]) for at in places)
        found = [
            at
            for at, text in zip(places, texts, strict=True)
            if all(word in text for word in words)
        ]
        if found:
            return [at for at in found if f"[{source.first_words}]" in lines[at]] or found
    return []

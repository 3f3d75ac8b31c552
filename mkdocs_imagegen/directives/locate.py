"""The line of a source file on which a directive stands; pure."""

from __future__ import annotations

import re

from mkdocs_imagegen.directives.directive import Source

_INDENT_OR_QUOTE = re.compile(r"[\s>]*")
_WORD = re.compile(r"\w+")
_FENCE_OF_OURS = re.compile(r"[`~]{3,}.*imagegen")


def find_line(text: str, source: Source, occurrence: int) -> int | None:
    """The line, from 1, of the n-th place that looks like the directive; None if there is none.

    Args:
        text: the page's source file, front matter included.
        source: what to look for.
        occurrence: how many places like it come before, on the same page.
    """
    lines = text.splitlines()
    find = _fence_lines if source.kind == "fence" else _picture_lines
    places = find(lines, source)
    return places[min(occurrence, len(places) - 1)] + 1 if places else None


def _fence_lines(lines: list[str], source: Source) -> list[int]:
    words = source.first_words.strip()
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
            return found
    return []

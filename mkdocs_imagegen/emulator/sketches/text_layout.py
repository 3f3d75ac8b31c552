"""Layout of the text on a sketch: a panel with the prompt and the image size, and a tag.

Pillow's built-in font has only ASCII letters and a few signs. Accents are removed, and a word in
another script becomes a bar of about its length. Pure: no I/O, clock or environment.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from mkdocs_imagegen.frozen import dataclass

Measure = Callable[[str, int], float]
"""Function that returns the width of a text at a font size, both in pixels."""

_EXTRA_SIGNS = "©«°±\u00b4·»\u2018\u2019“”…\u2039\u203a™"
_REPLACEMENTS = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2013\u2014\u2212", "-")  # hyphens, dashes and the minus sign
    | {"ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O"}
    | {"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "þ": "th", "\u0131": "i", "\u00d7": "x"}
)
_SIZES = ((0.056, 2), (0.05, 3), (0.044, 4), (0.039, 5))
_MIN_FONT_PX = 9
_MAX_BAR_LETTERS = 9
_LINE_HEIGHT = 1.34


class Box(NamedTuple):
    """Rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class TextRun:
    """Letters on a line, or a bar in their place.

    Attributes:
        text: Letters; for a bar, the word that it replaces.
        x: Left end, in pixels.
        y: Middle of the line, in pixels.
        size: Font size, in pixels.
        bar: Width of the bar, in pixels; None for letters.
    """

    text: str
    x: float
    y: float
    size: int
    bar: float | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """Label of a sketch.

    Attributes:
        box: Panel; None if the image is too small for one.
        words: Words of the prompt.
        note: Image size as text; None without a panel.
        tag_box: Tag; None if the image is too small for one.
        tag: Text of the tag.
    """

    box: Box | None
    words: tuple[TextRun, ...]
    note: TextRun | None
    tag_box: Box | None
    tag: TextRun | None


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    is_bar: bool

    def width(self, measure: Measure, size: int) -> float:
        if self.is_bar:
            return min(len(self.text), _MAX_BAR_LETTERS) * size * 0.55
        return measure(self.text, size)


def lay_out(prompt: str, label: str, width: int, height: int, measure: Measure) -> Panel:
    """Lay out the label for an image; a small image gets the tag only."""
    canvas = _Canvas(label, width, height, measure)
    if canvas.tag_width > width / 2:
        canvas = replace(canvas, label=label.partition(",")[0])
    words = [_word(text) for text in prompt.split()]
    if words and canvas.unit >= _MIN_FONT_PX * 9:
        return canvas.panel(*canvas.fitted(words))
    fits = canvas.tag_width <= width and canvas.tag_size * 2 <= height
    left, top = (width - canvas.tag_width) / 2, height / 2 - canvas.tag_size
    return Panel(None, (), None, *(canvas.tag(left, top) if fits else (None, None)))


def _word(text: str) -> _Word:
    split = unicodedata.normalize("NFKD", text.translate(_REPLACEMENTS))
    bare = "".join(letter for letter in split if not unicodedata.combining(letter))
    known = all("!" <= letter <= "~" or letter in _EXTRA_SIGNS for letter in bare)
    return _Word(bare if known else text, not known)


@dataclass(frozen=True, slots=True)
class _Canvas:
    label: str
    width: int
    height: int
    measure: Measure

    @property
    def unit(self) -> int:
        return min(self.width, self.height)

    @property
    def tag_size(self) -> int:
        return max(_MIN_FONT_PX, round(self.unit * 0.038))

    @property
    def tag_width(self) -> float:
        return self.measure(self.label, self.tag_size) + self.tag_size * 1.5

    def fitted(self, words: list[_Word]) -> tuple[int, list[list[_Word]]]:
        """Return the largest fitting font size and its lines, cut off at the smallest size."""
        room = self.width * (0.6 if self.width > 1.2 * self.height else 0.72)
        size, lines = _MIN_FONT_PX, [words]
        for share, most in _SIZES:
            size = max(_MIN_FONT_PX, round(self.unit * share))
            lines = self._wrapped(words, size, room)
            if len(lines) <= min(most, self._most_lines(size)):
                return size, self._balanced(words, size, room, lines)
        last = min(_SIZES[-1][1], self._most_lines(size)) - 1
        return size, [*lines[:last], self._cut(lines[last], size, room)]

    def _most_lines(self, size: int) -> int:
        return max(1, int(self.height * 0.5 / (size * _LINE_HEIGHT)) - 1)

    def panel(self, size: int, lines: list[list[_Word]]) -> Panel:
        """Return the panel around the lines, in the middle of the lower half."""
        note = f"{self.width} x {self.height}"
        small, pad, leading = self.tag_size, size * 1.0, size * _LINE_HEIGHT
        note_width = self.measure(note, small)
        inside = max(*(self._length(line, size) for line in lines), self.tag_width + note_width)
        tall = leading * len(lines) + small * 1.5 + pad * 1.8
        bottom = self.height * 0.88
        left, top = (self.width - inside) / 2 - pad, bottom - tall
        box = Box(left, top, self.width - left, bottom)
        rows = [top + pad * 1.1 + leading * (row + 0.5) for row in range(len(lines))]
        runs = (
            run
            for line, y in zip(lines, rows, strict=True)
            for run in self._runs(line, left + pad, y, size)
        )
        below = TextRun(note, left + pad, bottom - pad * 0.75 - small * 0.5, small)
        return Panel(box, tuple(runs), below, *self.tag(left + pad, top - small))

    def tag(self, left: float, top: float) -> tuple[Box, TextRun]:
        """Return the tag with its upper left corner at the position."""
        size = self.tag_size
        box = Box(left, top, left + self.tag_width, top + size * 2)
        return box, TextRun(self.label, left + size * 0.75, top + size, size)

    def _length(self, line: list[_Word], size: int) -> float:
        gaps = self.measure(" ", size) * (len(line) - 1)
        return gaps + sum(word.width(self.measure, size) for word in line)

    def _wrapped(self, words: list[_Word], size: int, room: float) -> list[list[_Word]]:
        lines: list[list[_Word]] = [[]]
        for word in words:
            if lines[-1] and self._length([*lines[-1], word], size) > room:
                lines.append([])
            lines[-1].append(self._shortened(word, size, room))
        return lines

    def _balanced(
        self, words: list[_Word], size: int, room: float, lines: list[list[_Word]]
    ) -> list[list[_Word]]:
        while len(tighter := self._wrapped(words, size, room := room * 0.97)) == len(lines):
            if max(len(line) for line in tighter) == 1:
                break
            lines = tighter
        return lines

    def _shortened(self, word: _Word, size: int, room: float) -> _Word:
        kept, shown = word.text, word
        while len(kept) > 1 and shown.width(self.measure, size) > room:
            kept = kept[: len(kept) * 9 // 10]
            shown = _Word(kept if word.is_bar else f"{kept}…", word.is_bar)
        return shown

    def _cut(self, line: list[_Word], size: int, room: float) -> list[_Word]:
        kept = [*line, _Word("…", is_bar=False)]
        while len(kept) > 1 and self._length(kept, size) > room:
            del kept[-2]
        return kept

    def _runs(self, line: list[_Word], x: float, y: float, size: int) -> list[TextRun]:
        runs = []
        for word in line:
            width = word.width(self.measure, size)
            runs.append(TextRun(word.text, x, y, size, width if word.is_bar else None))
            x += width + self.measure(" ", size)
        return runs

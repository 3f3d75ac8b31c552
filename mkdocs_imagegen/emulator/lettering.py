"""Where the words of a sketch stand: its prompt on a panel, and a tag; pure.

The built-in font has the letters of ASCII and a few signs. Accents are taken off, and a word in
another script is shown as a bar of about its length, as on a printer's dummy.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from mkdocs_imagegen.frozen import dataclass

Measure = Callable[[str, int], float]
"""The width in pixels of a text at a font size in pixels."""

_SIGNS = "©«°±´·»‘’“”…‹›™"  # noqa: RUF001 - what the font has beside ASCII
_WRITTEN_AS = str.maketrans(
    dict.fromkeys("–—−‐‑", "-")  # noqa: RUF001 - the dashes and hyphens to replace
    | {"ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O"}
    | {"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "þ": "th", "ı": "i", "×": "x"}  # noqa: RUF001
)
_SIZES = ((0.056, 2), (0.05, 3), (0.044, 4), (0.039, 5))
_SMALLEST_PX = 9
_LONGEST_BAR = 9
_LEADING = 1.34


class Box(NamedTuple):
    """A rectangle in pixels, from left and top to right and bottom."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Run:
    """Letters, or a bar in their place, standing on a line.

    Attributes:
        text: the letters; for a bar, as many of any kind.
        x: the left end, in pixels.
        y: the middle of the line, in pixels.
        size: of the font, in pixels.
        bar: the width of the bar that is shown instead; None for letters.
    """

    text: str
    x: float
    y: float
    size: int
    bar: float | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """The label of a sketch.

    Attributes:
        box: the panel; None where the image is too small for one.
        words: the prompt.
        note: the image's size in words; None where there is no panel.
        tag_box: the tag; None where the image is too small even for that.
        tag: its word.
    """

    box: Box | None
    words: tuple[Run, ...]
    note: Run | None
    tag_box: Box | None
    tag: Run | None


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    is_bar: bool

    def width(self, measure: Measure, size: int) -> float:
        if self.is_bar:
            return min(len(self.text), _LONGEST_BAR) * size * 0.55
        return measure(self.text, size)


def lay_out(prompt: str, label: str, width: int, height: int, measure: Measure) -> Panel:
    """The label for an image of this size, of which a small one has room for a word alone."""
    sheet = _Sheet(label, width, height, measure)
    if sheet.tag_width > width / 2:
        sheet = replace(sheet, label=label.partition(",")[0])
    words = [_word(text) for text in prompt.split()]
    if words and sheet.unit >= _SMALLEST_PX * 9:
        return sheet.panel(*sheet.fitted(words))
    fits = sheet.tag_width <= width and sheet.tag_size * 2 <= height
    left, top = (width - sheet.tag_width) / 2, height / 2 - sheet.tag_size
    return Panel(None, (), None, *(sheet.tag(left, top) if fits else (None, None)))


def _word(text: str) -> _Word:
    split = unicodedata.normalize("NFKD", text.translate(_WRITTEN_AS))
    bare = "".join(letter for letter in split if not unicodedata.combining(letter))
    known = all("!" <= letter <= "~" or letter in _SIGNS for letter in bare)
    return _Word(bare if known else text, not known)


@dataclass(frozen=True, slots=True)
class _Sheet:
    label: str
    width: int
    height: int
    measure: Measure

    @property
    def unit(self) -> int:
        return min(self.width, self.height)

    @property
    def tag_size(self) -> int:
        return max(_SMALLEST_PX, round(self.unit * 0.038))

    @property
    def tag_width(self) -> float:
        return self.measure(self.label, self.tag_size) + self.tag_size * 1.5

    def fitted(self, words: list[_Word]) -> tuple[int, list[list[_Word]]]:
        """The largest font size at which the words fit, and its lines; cut off if none does."""
        room = self.width * (0.6 if self.width > 1.2 * self.height else 0.72)
        size, lines = _SMALLEST_PX, [words]
        for share, most in _SIZES:
            size = max(_SMALLEST_PX, round(self.unit * share))
            lines = self._wrapped(words, size, room)
            if len(lines) <= min(most, self._most_lines(size)):
                return size, self._balanced(words, size, room, lines)
        last = min(_SIZES[-1][1], self._most_lines(size)) - 1
        return size, [*lines[:last], self._cut(lines[last], size, room)]

    def _most_lines(self, size: int) -> int:
        return max(1, int(self.height * 0.5 / (size * _LEADING)) - 1)

    def panel(self, size: int, lines: list[list[_Word]]) -> Panel:
        """The panel around the lines, in the middle of the lower half."""
        note = f"{self.width} x {self.height}"
        small, pad, leading = self.tag_size, size * 1.0, size * _LEADING
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
        below = Run(note, left + pad, bottom - pad * 0.75 - small * 0.5, small)
        return Panel(box, tuple(runs), below, *self.tag(left + pad, top - small))

    def tag(self, left: float, top: float) -> tuple[Box, Run]:
        """The tag with its upper left corner at a place."""
        size = self.tag_size
        box = Box(left, top, left + self.tag_width, top + size * 2)
        return box, Run(self.label, left + size * 0.75, top + size, size)

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
        kept, quoted_value = word.text, word
        while len(kept) > 1 and quoted_value.width(self.measure, size) > room:
            kept = kept[: len(kept) * 9 // 10]
            quoted_value = _Word(kept if word.is_bar else f"{kept}…", word.is_bar)
        return quoted_value

    def _cut(self, line: list[_Word], size: int, room: float) -> list[_Word]:
        kept = [*line, _Word("…", is_bar=False)]
        while len(kept) > 1 and self._length(kept, size) > room:
            del kept[-2]
        return kept

    def _runs(self, line: list[_Word], x: float, y: float, size: int) -> list[Run]:
        runs = []
        for word in line:
            width = word.width(self.measure, size)
            runs.append(Run(word.text, x, y, size, width if word.is_bar else None))
            x += width + self.measure(" ", size)
        return runs

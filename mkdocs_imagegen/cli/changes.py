"""The changes between the images of two states of a site; pure.

An image is another one if the bytes of its original are.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.originals.judge import Original
from mkdocs_imagegen.report import ReportRow

_ALIKE = 0.5
"""Share of common words from which two prompts are alike."""
_MAX_WORDS = 100
"""Number of words of a prompt that are compared."""


class Kind(enum.Enum):
    """Kind of a change; the values are those of the JSON output."""

    ADDED = "added"
    CHANGED = "changed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Shown:
    """An image at one location.

    Attributes:
        page: Source of the page now, below the docs folder.
        role: Number of the image in its directive: 0, or 1 for its dark-mode image.
        id: HTML id of the image; ``""`` without one.
        row: State of the image.
        original: Its original; None if the image is missing.
    """

    page: str
    role: int
    id: str
    row: ReportRow
    original: Original | None

    @property
    def image(self) -> str:
        """Value that is equal for equal images: of the bytes, or of the request if missing."""
        return self.original.record.sha256 if self.original else self.row.key


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one image, at all locations that it concerns.

    Attributes:
        before: Image of the revision; None without one.
        after: Image now, which may be missing; None if no page shows it any more.
        locations: Locations that show it; of a dropped image, those of the revision.
    """

    before: Shown | None
    after: Shown | None
    locations: tuple[str, ...]

    @property
    def kind(self) -> Kind:
        """Kind of the change."""
        if self.after is None:
            return Kind.DROPPED
        return Kind.ADDED if self.before is None else Kind.CHANGED

    @property
    def shown(self) -> Shown:
        """Image now, or the dropped one."""
        shown = self.after or self.before
        assert shown  # noqa: S101 - one of both is there
        return shown


def compare(
    before: Sequence[Shown], after: Sequence[Shown], known: Collection[str] = ()
) -> list[Change]:
    """Return the changes between the images of two states of a site.

    Two images of a page are compared with each other if they have the same cache key, else the same
    HTML id, else the same prompt, else prompts that are alike, else the same neighbors.

    Args:
        before: Images of one state.
        after: Images of the other state.
        known: Hashes of images of the first state, for images without a line in a page.
    """
    old, new = {each.image for each in before}, {each.image for each in after}
    found: dict[str, list[tuple[Shown | None, Shown]]] = {}
    dropped: dict[str, list[Shown]] = {}
    for one, other in _pairs(before, after):
        shown = one if one and one.original else None
        if other is None:
            if shown and shown.image not in new:
                dropped.setdefault(shown.image, []).append(shown)
        elif one and (shown or one.image == other.image):
            if one.image != other.image:
                found.setdefault(other.image, []).append((shown, other))
        elif other.image not in old and (other.row.location.line or other.image not in known):
            found.setdefault(other.image, []).append((None, other))
    changes = [change for several in found.values() for change in _changes_to(several)]
    order = {id(each): number for number, each in enumerate(after)}
    changes.sort(key=lambda each: order[id(each.after)])
    return changes + [Change(each[0], None, _locations(each)) for each in dropped.values()]


def _changes_to(pairs: Sequence[tuple[Shown | None, Shown]]) -> Iterator[Change]:
    """Yield the changes to one image: one for each image before it, or else one."""
    places: dict[str, list[tuple[Shown | None, Shown]]] = {}
    for before, after in sorted(pairs, key=lambda pair: pair[0] is None):
        name = before.image if before else next(iter(places), "")
        places.setdefault(name, []).append((before, after))
    for several in places.values():
        yield Change(*several[0], _locations(after for _, after in several))


def _locations(shown: Iterable[Shown]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(each.row.location) for each in shown))


def _pairs(
    before: Sequence[Shown], after: Sequence[Shown]
) -> Iterator[tuple[Shown | None, Shown | None]]:
    """Yield each image with the one of the other state at the same place of its page, if any."""
    places: dict[tuple[str, int], tuple[dict[str, Shown], dict[str, Shown]]] = {}
    for side, several in enumerate((before, after)):
        for each in several:
            place = places.setdefault((each.page, each.role), ({}, {}))
            place[side].setdefault(each.row.key, each)  # equal images of a page count once
    for old, new in places.values():
        yield from _pairs_of_page(list(old.values()), list(new.values()))


def _pairs_of_page(
    before: Sequence[Shown], after: Sequence[Shown]
) -> Iterator[tuple[Shown | None, Shown | None]]:
    found: dict[int, int] = {}
    taken: set[int] = set()
    for feature in _FEATURES:
        free: dict[str, deque[int]] = {}
        for number, each in enumerate(after):
            if number not in taken:
                free.setdefault(feature(each), deque()).append(number)
        for number, each in enumerate(before):
            if number not in found and feature(each) and free.get(feature(each)):
                found[number] = free[feature(each)].popleft()
                taken.add(found[number])
    for one, other in _similar(before, after, dict(found)):
        if one not in found and other not in taken:
            found[one] = other
            taken.add(other)
    yield from ((before[one], after[other]) for one, other in found.items())
    yield from ((each, None) for number, each in enumerate(before) if number not in found)
    yield from ((None, each) for number, each in enumerate(after) if number not in taken)


def _similar(
    before: Sequence[Shown], after: Sequence[Shown], found: Mapping[int, int]
) -> list[tuple[int, int]]:
    """Return the numbers of images between the same neighbors or alike, the most alike first."""
    behind: list[tuple[int, int, frozenset[str]]] = []  # with the paired image before it
    newest, partners = -1, {other: one for one, other in found.items()}
    for other, new in enumerate(after):
        if other in partners:
            newest = max(newest, partners[other])
        else:
            behind.append((other, newest, _words(new)))
    pairs, last = [], -1
    for one, old in enumerate(before):
        if one in found:
            last = one
            continue
        words = _words(old)
        for other, neighbor, others in behind:
            likeness = _likeness(words, others)
            if likeness >= _ALIKE or neighbor == last:
                pairs.append((-likeness, one, other))
    return [(one, other) for _, one, other in sorted(pairs)]


def _words(shown: Shown) -> frozenset[str]:
    return frozenset(shown.row.title.lower().split()[:_MAX_WORDS])


def _likeness(words: frozenset[str], others: frozenset[str]) -> float:
    """Return the share of the words that two prompts have in common."""
    common = len(words & others)
    return common / (len(words) + len(others) - common or 1)


_FEATURES: Sequence[Callable[[Shown], str]] = (
    lambda shown: shown.row.key,
    lambda shown: shown.id,
    lambda shown: shown.row.title,
)

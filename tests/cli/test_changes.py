"""The pairs of images of two states of a site."""

from __future__ import annotations

import hashlib
from collections.abc import ItemsView, Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from mkdocs_imagegen.cli import changes
from mkdocs_imagegen.cli.changes import Change, Kind, Shown, compare
from mkdocs_imagegen.errors import Location
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.originals.judge import Original
from mkdocs_imagegen.originals.record import ImageFacts, minimal_record
from mkdocs_imagegen.report import ReportRow, State
from mkdocs_imagegen.request import ImageRequest


def shown(
    prompt: str, line: int | None = 3, *, page: str = "a.md", image: str = "", name: str = ""
) -> Shown:
    """An image whose bytes belong to its prompt; ``-`` for a missing one."""
    request = ImageRequest("m", prompt, Size(64, 64))
    sha256 = hashlib.sha256((image or prompt).encode()).hexdigest()
    facts = ImageFacts("image/png", Size(64, 64), has_alpha=False)
    original = Original(minimal_record(request.key, request, sha256, 1, facts), Path())
    row = ReportRow(Location(page, line), State.READY, request.key, prompt, prompt)
    return Shown(page, 0, name, row, None if image == "-" else original)


def told(found: list[Change]) -> list[tuple[str, str, str]]:
    return [
        (
            each.kind.value,
            each.before.row.title if each.before else "",
            each.after.row.title if each.after else "",
        )
        for each in found
    ]


FERRY, CRANE, BUOY = shown("A ferry", 3), shown("A crane", 7), shown("A buoy", 11)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([FERRY, CRANE], [CRANE, FERRY], []),
        ([FERRY], [FERRY, shown("A ferry", page="b.md")], []),
        ([FERRY], [shown("A ferry", image="new")], [("changed", "A ferry", "A ferry")]),
        ([FERRY], [shown("A ferry", image="-")], [("changed", "A ferry", "A ferry")]),
        ([shown("A ferry", image="-")], [FERRY], [("added", "", "A ferry")]),
        ([shown("A ferry", image="-")], [shown("A ferry", image="-")], []),
        ([shown("A ferry", image="-")], [], []),
        ([FERRY], [], [("dropped", "A ferry", "")]),
        # The new image stands before the changed one.
        (
            [shown("A ferry in the rain")],
            [shown("A dune"), shown("A ferry in the fog")],
            [("added", "", "A dune"), ("changed", "A ferry in the rain", "A ferry in the fog")],
        ),
        # Every word is another one, between the same neighbors.
        ([FERRY, CRANE, BUOY], [FERRY, shown("Dunes"), BUOY], [("changed", "A crane", "Dunes")]),
        # On the other side of a neighbor, it is another image.
        (
            [FERRY, CRANE],
            [CRANE, shown("Dunes")],
            [("added", "", "Dunes"), ("dropped", "A ferry", "")],
        ),
        (
            [shown("A ferry", name="x"), CRANE],
            [shown("A crane in ink"), shown("Dunes", name="x")],
            [("changed", "A crane", "A crane in ink"), ("changed", "A ferry", "Dunes")],
        ),
    ],
)
def test_images_are_paired_by_page(before, after, expected) -> None:
    assert told(compare(before, after)) == expected


def test_each_prompt_is_read_once_and_paired_images_are_not_compared(monkeypatch) -> None:
    """On a page of many images, of which some changed."""
    words, likeness = Mock(wraps=changes._words), Mock(wraps=changes._likeness)
    monkeypatch.setattr(changes, "_words", words)
    monkeypatch.setattr(changes, "_likeness", likeness)
    kept = [shown(f"Ferry {number}") for number in range(50)]
    before = [*kept, *(shown(f"Crane {number}") for number in range(20))]
    after = [*kept, *(shown(f"Crane {number} at dusk") for number in range(20))]
    assert [each.kind for each in compare(before, after)] == [Kind.CHANGED] * 20
    assert (words.call_count, likeness.call_count) == (40, 400)


class Pairs(dict[int, int]):
    """Pairs that count how often all of them are read."""

    reads = 0

    def items(self) -> ItemsView[int, int]:
        self.reads += 1
        return super().items()

    def __iter__(self) -> Iterator[int]:
        self.reads += 1
        return super().__iter__()


def test_neighbors_are_read_once_for_all_images() -> None:
    kept = [shown(f"Ferry {number}") for number in range(20)]
    old, new = ([shown(f"{each} {number}") for number in range(20)] for each in ("A", "B"))
    pairs = Pairs((number, number) for number in range(20))
    similar = changes._similar([*kept, *old], [*kept, *new], pairs)
    assert {one for one, _ in similar} == {other for _, other in similar} == set(range(20, 40))
    assert pairs.reads == 1


def test_only_the_first_words_of_a_prompt_are_compared() -> None:
    many = " ".join(map(str, range(changes._MAX_WORDS)))
    assert len(changes._words(shown(f"{many} more"))) == changes._MAX_WORDS


def test_one_change_names_all_its_locations() -> None:
    pages = ("a.md", "b.md")
    before = [shown("A ferry", page=page) for page in pages]
    after = [shown("A red ferry", page=page) for page in (*pages, "c.md")]
    (change,) = compare(before, after)
    assert change.locations == ("a.md:3", "b.md:3", "c.md:3")
    assert told([change]) == [("changed", "A ferry", "A red ferry")]


def test_image_without_a_line_is_compared_by_its_record() -> None:
    macro = shown("A ferry", None)
    assert told(compare([], [macro])) == [("added", "", "A ferry")]
    assert compare([], [macro], {macro.image}) == []
    assert told(compare([], [FERRY], {FERRY.image})) == [("added", "", "A ferry")]


def test_dark_mode_image_is_not_compared_with_the_other() -> None:
    dark = replace(FERRY, role=1)
    assert told(compare([FERRY, dark], [CRANE, dark])) == [("changed", "A ferry", "A crane")]

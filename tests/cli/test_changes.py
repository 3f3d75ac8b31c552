"""The pairs of images of two states of a site."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from mkdocs_imagegen.cli.changes import Change, Shown, compare
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


def told(changes: list[Change]) -> list[tuple[str, str, str]]:
    return [
        (
            each.kind.value,
            each.before.row.title if each.before else "",
            each.after.row.title if each.after else "",
        )
        for each in changes
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

"""Tests of the locations that show an image."""

from __future__ import annotations

from mkdocs_imagegen.directives.directive import InvalidDirective, SourceExcerpt
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.pipeline.context import Page
from mkdocs_imagegen.pipeline.placements import Placements
from tests.pipeline.support import directive, page


def source_of(token):
    return SourceExcerpt("inline image", token, "imagegen:")


def test_placements_are_counted_by_page_in_order():
    placements = Placements(source_of)
    for uri, token in [("a.md", "x"), ("a.md", "y"), ("b.md", "x"), ("a.md", "x")]:
        placements.add(page(uri), token)
    assert [(each.page.uri, each.token, each.number, each.twins_before) for each in placements] == [
        ("a.md", "x", 1, 0),
        ("a.md", "y", 2, 0),
        ("a.md", "x", 3, 1),
        ("b.md", "x", 1, 0),
    ]


def test_image_in_the_head_alone_is_no_twin():
    placements = Placements(source_of)
    for on_page in (False, True, False, True):
        placements.add(page("a.md"), "x", on_page=on_page)
    assert [each.twins_before for each in placements] == [0, 0, 0, 1]


def test_page_that_is_read_again_replaces_its_placements():
    placements = Placements(source_of)
    placements.add(page("a.md"), "x")
    placements.add(page("b.md"), "x")
    placements.open_page(page("a.md"))
    placements.add(page("a.md"), "y")
    assert [(each.page.uri, each.token) for each in placements] == [("a.md", "y"), ("b.md", "x")]


def test_location_without_a_line_has_the_number_and_the_first_words():
    placements = Placements(source_of)
    placements.add(page("a.md"), "x")
    placements.add(page("a.md"), "y")
    first, second = placements
    invalid = InvalidDirective("", Size(3, 2), SourceExcerpt("inline image", "", "imagegen:hero"))
    assert str(placements.locate(first, invalid)) == 'docs/a.md, prompt 1 ("imagegen:hero")'
    located = placements.locate(second, directive("A balloon"))
    assert str(located) == 'docs/a.md, prompt 2 ("A balloon")'


def test_lines_are_those_of_the_right_page_and_read_once():
    reads = []

    def numbered(uri, lines):
        def read():
            reads.append(uri)
            return "\n" * lines + "![x](imagegen:)\n"

        return Page(f"docs/{uri}", uri, "", read)

    placements, found = Placements(source_of), directive(source=source_of("x"))
    for uri, lines in [("a.md", 1), ("b.md", 4)]:
        for _ in range(2):
            placements.add(numbered(uri, lines), "x")
    assert [placements.locate(each, found).line for each in placements] == [2, 2, 5, 5]
    assert reads == ["a.md", "b.md"]

"""Tests of the text files of a site that have tokens."""

from __future__ import annotations

import pytest

from mkdocs_imagegen.directives.marker import ADDRESS_START
from mkdocs_imagegen.pipeline.other_files import files_with_tokens, is_page, write_text

TOKEN = f"{ADDRESS_START}{'0' * 40}"


@pytest.mark.parametrize(
    ("name", "is_found"),
    [
        ("index.html", True),
        ("a/b/feed.XML", True),
        ("search/search_index.json", True),
        ("a.b.js", True),
        ("image.png", False),
        ("json", False),
        (".json", False),
        ("style.css", False),
    ],
)
def test_text_files_are_found_by_their_ending(tmp_path, name, is_found):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"x {TOKEN} y")
    assert [each for each, _ in files_with_tokens(tmp_path)] == ([path] if is_found else [])


def test_files_without_a_token_are_left_out(tmp_path):
    (tmp_path / "a.html").write_text("imagegen:")
    assert list(files_with_tokens(tmp_path / "missing")) == []
    assert list(files_with_tokens(tmp_path)) == []


def test_links_to_folders_are_not_followed(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/a.html").write_text(TOKEN)
    (tmp_path / "site/link").symlink_to(tmp_path / "other", target_is_directory=True)
    assert list(files_with_tokens(tmp_path / "site")) == []


def test_bytes_that_are_not_utf_8_stay(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xff\xfe " + TOKEN.encode() + b" \xe9")
    ((_, text),) = files_with_tokens(tmp_path)
    write_text(path, text.replace(TOKEN, "x"))
    assert path.read_bytes() == b"\xff\xfe x \xe9"


@pytest.mark.parametrize(("name", "is_html"), [("a.HTML", True), ("a.htm", True), ("a.md", False)])
def test_pages_are_html(tmp_path, name, is_html):
    assert is_page(tmp_path / name) is is_html

"""The style sheets that a site adds to its theme."""

from __future__ import annotations

from pathlib import Path

import pytest

from mkdocs_imagegen.hosts import theme


@pytest.mark.parametrize(
    "name", ["css/own.css", "/css/own.css", "css/own.css?v=2", "css/own.css#a"]
)
def test_style_sheet_is_read_by_its_address(tmp_path: Path, name: str) -> None:
    (tmp_path / "css").mkdir()
    (tmp_path / "css/own.css").write_text("p{}")
    assert list(theme.read_style_sheets(tmp_path, [name], None)) == ["p{}"]


@pytest.mark.parametrize(
    "name", ["https://a.org/a.css", "//a.org/a.css", "assets/_mkdocstrings.css"]
)
def test_style_sheet_of_a_server_or_a_harmless_plugin_is_left_out(
    tmp_path: Path, name: str
) -> None:
    assert list(theme.read_style_sheets(tmp_path, [name], None)) == []


@pytest.mark.parametrize("name", ["generated.css", "data:text/css,p{}", "\0", "", 3])
def test_style_sheet_that_cannot_be_read_has_unknown_rules(tmp_path: Path, name: object) -> None:
    assert list(theme.read_style_sheets(tmp_path, [name], None)) == ["@import"]


def test_folders_and_broken_links_of_a_theme_are_no_style_sheets(tmp_path: Path) -> None:
    (tmp_path / "folder.css").mkdir()
    (tmp_path / "main.html").write_text("<p>")
    (tmp_path / "lock.html").symlink_to("nowhere")
    assert list(theme.read_style_sheets(tmp_path, [], tmp_path)) == ["<p>"]

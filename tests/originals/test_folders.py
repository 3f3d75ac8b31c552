"""Notes about originals folders: which folders a site has used, and who uses a folder."""

from __future__ import annotations

import json
import shutil

import pytest

from mkdocs_imagegen.errors import StoreError
from mkdocs_imagegen.originals.folders import (
    create_folder,
    earlier_folders,
    earlier_journals,
    note_use,
    users_of,
)
from mkdocs_imagegen.settings import read_settings
from tests.originals.support import folder as make_folder
from tests.originals.support import refuse


def opened(root, **options):
    """Return the settings of a site in a folder, with an originals folder that exists."""
    root.mkdir(exist_ok=True)
    settings = read_settings(options, root=root)
    settings.originals_path.mkdir(parents=True, exist_ok=True)
    return settings


def notes(settings):
    return settings.cache_path / "folders.json"


def users(settings):
    return settings.work_path / "users.json"


def test_notes_are_relative_paths(tmp_path):
    settings = opened(tmp_path / "site", originals_dir="../pool")
    note_use(settings)
    note_use(settings)
    assert json.loads(notes(settings).read_bytes()) == ["../../../../pool"]
    assert json.loads(users(settings).read_bytes()) == ["../site/mkdocs.yml"]
    assert users_of(tmp_path / "pool") == [tmp_path / "site/mkdocs.yml"]
    assert (settings.work_path / ".gitignore").read_text() == "*\n"


def test_use_of_a_missing_folder_is_not_noted(tmp_path):
    settings = read_settings({}, root=tmp_path)
    note_use(settings)
    assert list(tmp_path.iterdir()) == []


def test_folder_is_found_after_the_option_has_changed(tmp_path):
    note_use(opened(tmp_path, originals_dir="a"))
    note_use(opened(tmp_path, originals_dir="b"))
    assert earlier_folders(opened(tmp_path, originals_dir="c")) == (tmp_path / "a", tmp_path / "b")
    assert earlier_folders(opened(tmp_path, originals_dir="a")) == (tmp_path / "b",)


def test_folder_is_found_in_a_moved_checkout(tmp_path):
    note_use(opened(tmp_path / "here", originals_dir="a"))
    shutil.move(tmp_path / "here", tmp_path / "there")
    moved = opened(tmp_path / "there", originals_dir="b")
    assert earlier_folders(moved) == (tmp_path / "there/a",)
    assert users_of(tmp_path / "there/a") == [tmp_path / "there/mkdocs.yml"]


def test_noted_folder_that_is_gone_is_left_out(tmp_path):
    note_use(opened(tmp_path, originals_dir="a"))
    (tmp_path / "a").rename(tmp_path / "elsewhere")
    assert earlier_folders(opened(tmp_path, originals_dir="b")) == ()


def test_default_folders_are_searched(tmp_path):
    known = ["imagegen-originals", "c/originals", ".cache/plugin/imagegen/originals"]
    for each in known:
        (tmp_path / each).mkdir(parents=True)
    found = earlier_folders(opened(tmp_path, originals_dir="o", cache_dir="c"))
    assert found == tuple(tmp_path / each for each in known)


def test_notes_of_the_default_cache_are_read_when_the_cache_is_elsewhere(tmp_path):
    note_use(opened(tmp_path, originals_dir="a"))
    assert earlier_folders(opened(tmp_path, originals_dir="b", cache_dir="c")) == (tmp_path / "a",)


def test_journals_in_the_cache_are_found(tmp_path):
    settings = opened(tmp_path)
    for name in ("journal", "journal-0123abcd", "derived"):
        (settings.cache_path / name).mkdir(parents=True)
    assert [path.name for path in earlier_journals(settings)] == ["journal", "journal-0123abcd"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\xff\xfe"),
        lambda path: path.write_bytes(b"5"),
        lambda path: path.write_bytes(b"[5]"),
        lambda path: path.write_bytes(b"null"),
        lambda path: path.write_bytes(b"[" * 100_000),
        lambda path: path.write_bytes(b'["a\\u0000b"]'),
        lambda path: path.write_bytes(b" " * 1_000_001),
        make_folder,
    ],
)
def test_unreadable_notes_are_ignored_and_unknown_users_are_an_error(tmp_path, spoil):
    """Or `prune` removes the images of sites that it does not know."""
    settings = opened(tmp_path, originals_dir="a")
    note_use(settings)
    for path in (notes(settings), users(settings)):
        spoil(path)
    assert earlier_folders(settings) == ()
    for _ in range(2):
        with pytest.raises(StoreError, match=r"users\.json cannot be read; delete it, then build"):
            users_of(settings.originals_path)
        note_use(settings)  # no error


def test_name_that_is_too_long_is_ignored(tmp_path):
    settings = opened(tmp_path, originals_dir="a")
    note_use(settings)
    notes(settings).write_text(json.dumps(["a" * 5000]))
    assert earlier_folders(settings) == ()


def test_notes_that_cannot_be_written_are_left_out(tmp_path, monkeypatch):
    settings = opened(tmp_path)
    monkeypatch.setattr("os.replace", refuse(30))
    note_use(settings)
    assert not notes(settings).exists()


def test_notes_of_a_newer_folder_keep_the_earlier_ones(tmp_path):
    """Several configurations share one folder."""
    for name in ("en", "de"):
        note_use(opened(tmp_path / name, originals_dir="../pool"))
    assert sorted(users_of(tmp_path / "pool")) == [
        tmp_path / "de/mkdocs.yml",
        tmp_path / "en/mkdocs.yml",
    ]


def test_folder_is_created_with_rules_for_git(tmp_path):
    folder = tmp_path / "o"
    assert create_folder(folder)
    assert create_folder(folder)  # until it has an original
    (folder / "ab").mkdir()
    (folder / "ab" / f"{'a' * 64}.attempts.json").touch()
    assert create_folder(folder)
    (folder / "ab" / f"{'a' * 64}.json").touch()
    assert not create_folder(folder)
    assert (folder / ".gitattributes").read_text() == "* -text\n"
    assert (folder / "work/.gitignore").read_text() == "*\n"


def test_attributes_of_the_user_stay(tmp_path):
    folder = tmp_path / "o"
    folder.mkdir()
    (folder / ".gitattributes").write_text("*.webp filter=lfs\n")
    create_folder(folder)
    assert (folder / ".gitattributes").read_text() == "*.webp filter=lfs\n"

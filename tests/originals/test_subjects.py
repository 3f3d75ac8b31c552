"""The index of records by subject, with real files."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mkdocs_imagegen.originals import subjects
from mkdocs_imagegen.originals.record import Record, serialize_record
from mkdocs_imagegen.originals.subjects import SubjectIndex
from tests.originals.support import key_of, record

LONG_AGO_S = time.time() - 1000


def write(folder: Path, name: str, *, age_s: float = 0.0, **more: object) -> Path:
    """Write a record, and make its subfolder look older."""
    written: Record = record(name, **more)
    path = folder / written.key[:2] / f"{written.key}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(serialize_record(written))
    os.utime(path.parent, (LONG_AGO_S - age_s,) * 2)
    return path


class Reads:
    """The records that were read, by the names of their files."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.paths: list[Path] = []
        read = subjects.read_record
        monkeypatch.setattr(subjects, "read_record", lambda path: read(self._noted(path)))

    def _noted(self, path: Path) -> Path:
        self.paths.append(path)
        return path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    return Reads(monkeypatch)


def find(folder: Path, subject: str = "subject", *, can_write: bool = True) -> list[str]:
    index = SubjectIndex([folder / "originals"], folder / "cache", can_write=can_write)
    return sorted(each.key for each in index.records(key_of(subject)))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "cache").mkdir()
    for number in range(20):
        write(tmp_path / "originals", f"other {number}", subject=key_of(f"other {number}"))
    write(tmp_path / "originals", "own")
    return tmp_path


def test_second_build_reads_only_the_records_of_the_subject(site: Path, reads: Reads) -> None:
    assert find(site) == [key_of("own")]
    assert len(reads.paths) == 22  # all, and the one that is found
    del reads.paths[:]
    assert find(site) == [key_of("own")]
    assert find(site, "an unknown one") == []
    assert [each.stem for each in reads.paths] == [key_of("own")]


def test_new_record_is_found_and_only_its_subfolder_is_read(site: Path, reads: Reads) -> None:
    find(site)
    del reads.paths[:]
    path = write(site / "originals", "new", age_s=10, key=f"{key_of('own')[:2]}{'0' * 62}")
    assert find(site) == sorted([key_of("own"), path.stem])
    assert len(reads.paths) == len(list(path.parent.iterdir())) + 2


def test_record_that_was_removed_is_not_found(site: Path) -> None:
    find(site)
    (site / "originals" / key_of("own")[:2] / f"{key_of('own')}.json").unlink()
    assert find(site) == []


def test_record_of_the_same_instant_is_found(site: Path) -> None:
    """A change just after the first look can leave the modification time of a folder as it was."""
    folder = site / "originals"
    path = write(folder, "first", subject=key_of("another"))
    now = (time.time(),) * 2
    os.utime(path.parent, now)
    find(site)
    beside = path.with_name(f"{path.stem[:2]}{'0' * 62}.json")
    beside.write_bytes(path.read_bytes().replace(path.stem.encode(), beside.stem.encode()))
    os.utime(path.parent, now)
    assert find(site, "another") == sorted([path.stem, beside.stem])


def test_record_that_becomes_readable_in_place_is_found(site: Path) -> None:
    path = site / "originals" / key_of("own")[:2] / f"{key_of('own')}.json"
    content = path.read_bytes()
    path.write_bytes(b"{")
    os.utime(path.parent, (LONG_AGO_S,) * 2)
    assert find(site) == []
    path.write_bytes(content)
    assert find(site) == [key_of("own")]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"a": 1}', b'{"a": ["x", {}]}', b'{"a": [1, 2]}', b"\xff", b"null"]
)
def test_damaged_index_is_made_again(site: Path, content: bytes) -> None:
    (site / "cache/subjects.json").write_bytes(content)
    assert find(site) == [key_of("own")]
    assert key_of("own").encode() in (site / "cache/subjects.json").read_bytes()


def test_index_that_names_a_wrong_subject_shows_no_wrong_image(site: Path) -> None:
    find(site)
    path = site / "cache/subjects.json"
    path.write_bytes(path.read_bytes().replace(key_of("other 1").encode(), key_of("x").encode()))
    assert find(site, "x") == []


def test_command_that_writes_nothing_uses_an_index_and_writes_none(site: Path) -> None:
    assert find(site, can_write=False) == [key_of("own")]
    assert list((site / "cache").iterdir()) == []

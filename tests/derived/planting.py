"""A healthy cache, ways to spoil it by hand, and a build that uses what is left."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mkdocs_imagegen.derived.store import DerivedStore

DAY_S = 86_400


def key_of(name: object) -> str:
    return hashlib.sha256(f"{name}".encode()).hexdigest()


def content_of(name: object, size: int = 3000) -> bytes:
    return (hashlib.sha256(f"content {name}".encode()).digest() * (size // 32 + 1))[:size]


def seal_of(key: str, content: bytes) -> str:
    return hashlib.sha256(key.encode() + content).hexdigest()


NAMES = tuple("abcd")
VICTIM = key_of("a")


@contextlib.contextmanager
def editing(folder: Path) -> Iterator[sqlite3.Connection]:
    """The database in the hands of somebody else; all of it in one file afterwards."""
    connection = sqlite3.connect(folder / "cache.db", isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA writable_schema = ON")
    try:
        yield connection
    finally:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()


def value_path(folder: Path, key: str = VICTIM) -> Path:
    with editing(folder) as database:
        query = "SELECT filename FROM Cache WHERE key = ?"
        ((name,),) = database.execute(query, (key,)).fetchall()
    return folder / name


def change_row(folder: Path, **columns: object) -> None:
    """Overwrite columns of the victim's row."""
    with editing(folder) as database:
        for name, value in columns.items():
            database.execute(f"UPDATE Cache SET {name} = ? WHERE key = ?", (value, VICTIM))  # noqa: S608


@dataclass
class Cache:
    """A cache's folder, what it said, and a folder beside it that it must not touch."""

    folder: Path
    outside: Path
    site: Path
    warnings: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def open(self, **options: object) -> DerivedStore:
        options = {"remark": self.remarks.append} | options
        return DerivedStore(self.folder, self.warnings.append, **options)

    def fill(self) -> None:
        store = self.open()
        for name in NAMES:
            store.write(key_of(name), content_of(name))
        store.close()

    def use(self) -> list[bytes | None]:
        """Builds that do all that can be done: what they read of what was kept before."""
        first = self._build()
        # Two days later and with no room at all, so that everything that can go goes.
        last = self.open(clock=lambda: time.time() + 2 * DAY_S, size_limit_bytes=0)
        last.read(key_of("new"))
        last.close()
        return first + self._build()

    def _build(self) -> list[bytes | None]:
        store = self.open()
        found = [store.read(key_of(name)) for name in NAMES]
        for name in NAMES:
            path = self.site / f"{name}.webp"
            path.unlink(missing_ok=True)
            found.append(path.read_bytes() if store.link(key_of(name), path) else None)
            assert not path.is_symlink()
        store.write(key_of("new"), content_of("new"))
        assert store.read(key_of("new")) in {None, content_of("new")}
        store.write(VICTIM, content_of("a"))
        assert store.read(VICTIM) in {None, content_of("a")}
        store.close()
        return found

    def expected(self) -> list[set[bytes | None]]:
        return [{content_of(name), None} for name in NAMES] * 4


def works_without(cache: Cache) -> None:
    """A build that can neither read nor keep anything, and does not mind."""
    store = cache.open()
    for name in NAMES:
        assert store.read(key_of(name)) is None
        assert not store.link(key_of(name), cache.site / name)
        store.write(key_of(name), content_of(name))
    store.close()


def snapshot(folder: Path) -> dict[str, object]:
    """Everything below a folder: what it is, how large, how it begins."""
    return {
        path.relative_to(folder).as_posix(): _look_at(path) for path in sorted(folder.rglob("*"))
    }


def portrait(folder: Path) -> object:
    """The same of a cache; of a readable database its tables, which are what counts."""
    files = snapshot(folder) | {
        f"names of {path.name}": path.lstat().st_nlink for path in folder.rglob("*.*")
    }
    database = folder / "cache.db"
    if database.is_file() and not database.is_symlink() and "cache.db-wal" not in files:
        with contextlib.suppress(sqlite3.Error):
            return files | {"cache.db": _tables(database)}
    return files


def _look_at(path: Path) -> tuple[Any, ...]:
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode):
        return (stat.S_IFMT(facts.st_mode),)
    with path.open("rb") as file:
        return facts.st_size, file.read(1_000_000)


def _tables(database: Path) -> list[object]:
    uri = f"{database.as_uri()}?immutable=1"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
        connection.text_factory = bytes
        names = ("sqlite_master", "Settings", "Cache")
        rows = [connection.execute(f"SELECT * FROM {name}").fetchall() for name in names]  # noqa: S608
    facts = database.lstat()
    return [*rows, facts.st_size, _look_at(database)[1][18:20]]

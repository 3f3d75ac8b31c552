"""A valid cache, ways to damage it by hand, and builds that use it."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mkdocs_imagegen.derived.store import DerivedStore
from mkdocs_imagegen.log import log

DAY_S = 86_400
SHORT_S = 0.2
"""Timeout of a test for a lock that is never released."""
HELD_S = 0.3
"""Duration of a lock that is released in time."""


def key_of(name: object) -> str:
    return hashlib.sha256(f"{name}".encode()).hexdigest()


def content_of(name: object, size: int = 3000) -> bytes:
    return (hashlib.sha256(f"content {name}".encode()).digest() * (size // 32 + 1))[:size]


def checksum_of(key: str, content: bytes) -> str:
    return hashlib.sha256(key.encode() + content).hexdigest()


NAMES = tuple("abcd")
VICTIM = key_of("a")


@contextlib.contextmanager
def editing(folder: Path) -> Iterator[sqlite3.Connection]:
    """Open the database like another program; afterwards it is one file."""
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
    """Overwrite columns of the row of the victim."""
    with editing(folder) as database:
        for name, value in columns.items():
            database.execute(f"UPDATE Cache SET {name} = ? WHERE key = ?", (value, VICTIM))  # noqa: S608


class Messages(logging.Handler):
    """Messages of the plugin by level, without its prefix."""

    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[str] = []
        self.infos: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        kept = self.warnings if record.levelno >= logging.WARNING else self.infos
        kept.append(record.getMessage().removeprefix("imagegen: "))


@contextlib.contextmanager
def logged() -> Iterator[Messages]:
    """Collect the messages of the plugin."""
    messages, level = Messages(), log.level
    log.addHandler(messages)
    log.setLevel(logging.INFO)
    try:
        yield messages
    finally:
        log.removeHandler(messages)
        log.setLevel(level)


@dataclass
class Cache:
    """A cache, the messages about it, and a folder next to it that it must not touch."""

    folder: Path
    outside: Path
    site: Path
    messages: Messages = field(default_factory=Messages)

    @property
    def warnings(self) -> list[str]:
        return self.messages.warnings

    @property
    def infos(self) -> list[str]:
        return self.messages.infos

    def open(self, **options: object) -> DerivedStore:
        return DerivedStore(self.folder, **options)

    def fill(self) -> None:
        store = self.open()
        for name in NAMES:
            store.write(key_of(name), content_of(name))
        store.close()

    def use(self) -> list[bytes | None]:
        """Use the cache in every way; return the values that two builds read."""
        first = self._build()
        # Two days later and with a limit of 0, so that every old value is deleted.
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
    """Run a build that can neither read nor keep a value."""
    store = cache.open()
    for name in NAMES:
        assert store.read(key_of(name)) is None
        assert not store.link(key_of(name), cache.site / name)
        store.write(key_of(name), content_of(name))
    store.close()


def snapshot(folder: Path) -> dict[str, object]:
    """Return type, size and content of everything in a folder."""
    return {
        path.relative_to(folder).as_posix(): _facts_of(path) for path in sorted(folder.rglob("*"))
    }


def portrait(folder: Path) -> object:
    """Return the snapshot of a cache, with the tables of a readable database."""
    files = snapshot(folder) | {
        f"names of {path.name}": path.lstat().st_nlink for path in folder.rglob("*.*")
    }
    database = folder / "cache.db"
    if database.is_file() and not database.is_symlink() and "cache.db-wal" not in files:
        with contextlib.suppress(sqlite3.Error):
            return files | {"cache.db": _tables(database)}
    return files


def _facts_of(path: Path) -> tuple[Any, ...]:
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
    return [*rows, facts.st_size, _facts_of(database)[1][18:20]]


def lock_alone(database: sqlite3.Connection) -> None:
    """Lock out readers too, like the last build that closes the database."""
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    lock_for_writing(database)


def lock_for_writing(database: sqlite3.Connection) -> None:
    database.execute("BEGIN EXCLUSIVE")
    database.execute("UPDATE Settings SET value = value")


@contextlib.contextmanager
def other_build(cache: Cache) -> Iterator[sqlite3.Connection]:
    """Open a connection of another build, closed at the end."""
    database = sqlite3.connect(
        cache.folder / "cache.db", isolation_level=None, check_same_thread=False
    )
    try:
        yield database
    finally:
        database.close()


@contextlib.contextmanager
def released_in_time(database: sqlite3.Connection) -> Iterator[None]:
    timer = threading.Timer(HELD_S, database.close)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def assert_untouched(cache: Cache) -> None:
    """Assert that the cache is in its place and that no warning was logged."""
    assert cache.warnings == []
    assert not list(cache.folder.parent.glob("derived.broken-*"))
    store = cache.open()
    assert store.read(key_of("a")) == content_of("a")
    store.close()

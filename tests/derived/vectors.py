"""Ways to plant an attack into a valid cache, by name.

The first ones make diskcache 5.6.3 run code, or read and delete files outside the cache.
"""

from __future__ import annotations

import os
import pickle
import shutil
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

from tests.derived.support import (
    VICTIM,
    Cache,
    change_row,
    checksum_of,
    content_of,
    editing,
    key_of,
    value_path,
)

Plant = Callable[[Cache], None]

SECRET = b"outside the cache"
VECTORS: dict[str, Plant] = {}


def planted(plant: Plant) -> Plant:
    VECTORS[plant.__name__.replace("_", " ")] = plant
    return plant


class Payload:
    """Object that creates a folder when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> object:
        return (os.mkdir, (str(self.marker),))


def payload(cache: Cache) -> bytes:
    return pickle.dumps(Payload(cache.outside.parent / "code-ran"))


@planted
def pickle_in_a_row(cache: Cache) -> None:
    change_row(cache.folder, mode=4, filename=None, value=payload(cache))


@planted
def pickle_in_a_value_file(cache: Cache) -> None:
    value_path(cache.folder).write_bytes(payload(cache))
    change_row(cache.folder, mode=4)


@planted
def pickle_in_a_value_file_with_its_checksum(cache: Cache) -> None:
    pickle_in_a_value_file(cache)
    change_row(cache.folder, tag=checksum_of(VICTIM, payload(cache)))


@planted
def pickle_as_a_key(cache: Cache) -> None:
    with editing(cache.folder) as database:
        database.execute(
            "INSERT INTO Cache (key, raw, access_time, mode, value) VALUES (?, 0, 1, 1, 1)",
            (payload(cache),),
        )


@planted
def text_in_a_row(cache: Cache) -> None:
    change_row(cache.folder, mode=1, filename=None, value="text")


@planted
def text_in_a_file(cache: Cache) -> None:
    change_row(cache.folder, mode=3)


def named(name: Callable[[Cache], object]) -> Plant:
    def plant(cache: Cache) -> None:
        change_row(cache.folder, filename=name(cache), tag=checksum_of(VICTIM, SECRET))

    return plant


def expired(plant: Plant) -> Plant:
    def plant_expired(cache: Cache) -> None:
        plant(cache)
        change_row(cache.folder, expire_time=1.0, access_time=1.0, store_time=1.0)

    return plant_expired


VECTORS["above"] = named(lambda _cache: "../outside/secret.txt")
VECTORS["absolute"] = named(lambda cache: str(cache.outside / "secret.txt"))
VECTORS["above from a folder"] = named(lambda _cache: "ab/../../outside/secret.txt")
VECTORS["above with our ending"] = named(lambda _cache: "../outside/" + "a" * 28 + ".val")
VECTORS["with a nul"] = named(
    lambda _cache: "ab/00/" + "a" * 28 + ".val\0../../../outside/secret.txt"
)
VECTORS["with a line end"] = named(lambda _cache: "ab/00/" + "a" * 28 + ".val\n")
VECTORS["with a backslash"] = named(lambda _cache: "ab\\00\\" + "a" * 28 + ".val")
VECTORS["as bytes"] = named(lambda _cache: b"../outside/secret.txt")
VECTORS["as a number"] = named(lambda _cache: 2**62)
VECTORS["of the database"] = named(lambda _cache: "cache.db")
VECTORS["of nothing"] = named(lambda _cache: "")


@planted
def above_through_a_folder_named_like_a_value(cache: Cache) -> None:
    inside = "ab/00/" + "a" * 28 + ".val"
    (cache.folder / inside).mkdir(parents=True)
    change_row(
        cache.folder,
        filename=f"{inside}/../../../../outside/secret.txt",
        tag=checksum_of(VICTIM, SECRET),
    )


@planted
def not_text(cache: Cache) -> None:
    with editing(cache.folder) as database:
        database.execute("UPDATE Cache SET filename = CAST(x'ff00fe' AS TEXT), access_time = 1")


def setting(name: str, value: Callable[[Cache], object]) -> Plant:
    def plant(cache: Cache) -> None:
        with editing(cache.folder) as database:
            row = (name, value(cache))
            database.execute("INSERT OR REPLACE INTO Settings VALUES (?, ?)", row)

    return plant


VECTORS["unknown disk setting"] = setting("disk_unknown", lambda _cache: 1)
VECTORS["directory setting"] = setting("_directory", lambda cache: str(cache.outside))
VECTORS["disk directory setting"] = setting("disk__directory", lambda cache: str(cache.outside))
VECTORS["method setting"] = setting("close", lambda _cache: 1)
VECTORS["pragma setting"] = setting("sqlite_writable_schema", lambda _cache: 1)
VECTORS["numbered setting"] = setting("size_limit", lambda _cache: 0)
VECTORS["journal setting"] = setting(
    "sqlite_journal_mode", lambda _cache: "delete; DROP TABLE Cache"
)
VECTORS["eviction setting"] = setting("eviction_policy", lambda _cache: "nonsense")
VECTORS["no text setting"] = setting("statistics", lambda _cache: b"\0")


def sql(*statements: str) -> Plant:
    def plant(cache: Cache) -> None:
        with editing(cache.folder) as database:
            for statement in statements:
                database.execute(statement.format(outside=cache.outside))

    return plant


_FAR = "UPDATE sqlite_master SET sql = replace(sql, '{}', '{}')"
VECTORS["trigger that spoils"] = sql(
    "CREATE TRIGGER extra AFTER UPDATE ON Cache BEGIN"
    " UPDATE Cache SET filename = '../outside/secret.txt'; END"
)
VECTORS["trigger rewritten"] = sql(
    _FAR.format('value = value + 1 WHERE key = "count"', "value = 9 WHERE key = ''_directory''")
)
VECTORS["trigger replaced"] = sql(
    "DROP TRIGGER Settings_count_insert",
    "CREATE TRIGGER Settings_count_insert AFTER INSERT ON Cache BEGIN"
    " INSERT OR REPLACE INTO Settings VALUES ('_directory', '{outside}'); END",
)
VECTORS["trigger missing"] = sql("DROP TRIGGER Settings_size_delete")
VECTORS["view in the table's place"] = sql(
    "ALTER TABLE Cache RENAME TO Real",
    "CREATE VIEW Cache AS SELECT rowid, key, raw, store_time, expire_time, access_time,"
    " access_count, tag, size, 4 AS mode, filename, value FROM Real",
)
VECTORS["view beside"] = sql("CREATE VIEW Looking AS SELECT load_extension('{outside}/secret.txt')")
VECTORS["virtual table"] = sql("CREATE VIRTUAL TABLE Words USING fts5(word)")
VECTORS["generated column"] = sql("ALTER TABLE Cache ADD COLUMN more AS (mode + 2)")
VECTORS["index over an expression"] = sql("CREATE INDEX extra ON Cache (abs(size))")
VECTORS["tag index"] = sql("CREATE INDEX Cache_tag_rowid ON Cache(tag, rowid)")
VECTORS["no settings"] = sql("DROP TABLE Settings")
VECTORS["other journal"] = sql("PRAGMA journal_mode = DELETE")
VECTORS["check with a function"] = sql(
    _FAR.format("value BLOB)", "value BLOB CHECK (load_extension(''{outside}/secret.txt'')))")
)


def row(**columns: object) -> Plant:
    return lambda cache: change_row(cache.folder, **columns)


VECTORS["huge size"] = row(size=2**63 - 1)
VECTORS["negative size"] = row(size=-(2**63))
VECTORS["size in words"] = row(size="many")
VECTORS["infinite size"] = row(size=float("inf"))
VECTORS["mode in words"] = row(mode="two")
VECTORS["time in words"] = row(access_time="never")
VECTORS["time without end"] = row(access_time=float("inf"))
VECTORS["no checksum"] = row(tag=None)
VECTORS["other checksum"] = row(tag="0" * 64)
VECTORS["bytes for a checksum"] = row(tag=bytes.fromhex(checksum_of(VICTIM, content_of("a"))))
VECTORS["value in the row as well"] = row(value=b"inline")


@planted
def sizes_that_overflow(cache: Cache) -> None:
    with editing(cache.folder) as database:
        database.execute("UPDATE Cache SET size = 9223372036854775807, access_time = 1")


@planted
def two_rows_of_one_key(cache: Cache) -> None:
    with editing(cache.folder) as database:
        (sql_text,) = database.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'Cache_key_raw'"
        ).fetchone()
        database.execute("DROP INDEX Cache_key_raw")
        database.execute(
            "INSERT INTO Cache (key, raw, mode, filename, tag)"
            " SELECT key, raw, mode, filename, tag FROM Cache"
        )
        plain = sql_text.replace("UNIQUE ", "")
        database.execute(plain)
        database.execute(
            "UPDATE sqlite_master SET sql = ? WHERE name = 'Cache_key_raw'", (sql_text,)
        )


@planted
def rows_swapped(cache: Cache) -> None:
    # The row of one key leads to the value of another key, with its checksum.
    with editing(cache.folder) as database:
        other = database.execute(
            "SELECT filename, tag FROM Cache WHERE key = ?", (key_of("b"),)
        ).fetchone()
    change_row(cache.folder, filename=other[0], tag=other[1])


def replaced_value(make: Callable[[Path, Cache], object]) -> Plant:
    def plant(cache: Cache) -> None:
        path = value_path(cache.folder)
        path.unlink()
        make(path, cache)
        change_row(cache.folder, tag=checksum_of(VICTIM, SECRET))

    return plant


VECTORS["value is a symlink"] = replaced_value(
    lambda path, cache: path.symlink_to(cache.outside / "secret.txt")
)
VECTORS["value is a pipe"] = replaced_value(lambda path, _cache: os.mkfifo(path))
VECTORS["value is a folder"] = replaced_value(lambda path, _cache: path.mkdir())
VECTORS["value is gone"] = replaced_value(lambda _path, _cache: None)
VECTORS["value is another file"] = replaced_value(
    lambda path, _cache: path.write_bytes(b"something else")
)


@planted
def value_is_a_hard_link(cache: Cache) -> None:
    path = value_path(cache.folder)
    path.unlink()
    path.hardlink_to(cache.outside / "secret.txt")


def folder_of_values_is_a_symlink(level: int) -> Plant:
    def plant(cache: Cache) -> None:
        path = value_path(cache.folder)
        moved = path.parents[level]
        target = cache.outside / "values"
        shutil.move(moved, target)
        next(target.rglob("*.val")).write_bytes(SECRET)
        moved.symlink_to(target)
        change_row(cache.folder, tag=checksum_of(VICTIM, SECRET), access_time=1.0)
        for value in target.rglob("*"):
            os.utime(value, (1, 1))

    return plant


def side_file(ending: str, make: Callable[[Path, Cache], object]) -> Plant:
    return lambda cache: make(cache.folder / f"cache.db{ending}", cache)


def _elsewhere(path: Path, cache: Cache) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(cache.outside / "secret.txt")


def _shared(path: Path, cache: Cache) -> None:
    path.unlink(missing_ok=True)
    path.hardlink_to(cache.outside / "secret.txt")


def _moved(path: Path, cache: Cache) -> None:
    path.rename(cache.outside / "their.db")
    path.symlink_to(cache.outside / "their.db")


def _pipe(path: Path, _cache: Cache) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def _folder(path: Path, _cache: Cache) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def _noise(path: Path, _cache: Cache) -> None:
    path.write_bytes(os.urandom(5000))


def _sparse(path: Path, _cache: Cache) -> None:
    with path.open("ab") as file:
        file.truncate(2**40)


def _short(path: Path, _cache: Cache) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _empty(path: Path, _cache: Cache) -> None:
    path.write_bytes(b"")


@planted
def super_journal(cache: Cache) -> None:
    # A rollback journal with a super-journal, which SQLite deletes after the rollback.
    database = (cache.folder / "cache.db").read_bytes()
    page_size = struct.unpack(">H", database[16:18])[0]
    nonce = 7
    page = database[:page_size]
    checksum = nonce + sum(page[at] for at in range(page_size - 200, 0, -200))
    magic = bytes.fromhex("d9d505f920a163d7")
    pages = len(database) // page_size
    head = magic + struct.pack(">5I", 1, nonce, pages, 512, page_size)
    record = struct.pack(">I", 1) + page + struct.pack(">I", checksum & 0xFFFFFFFF)
    name = str(cache.outside / "secret.txt").encode()
    tail = struct.pack(">I", 0x40000000 // page_size + 1) + name
    tail += struct.pack(">2I", len(name), sum(name)) + magic
    (cache.folder / "cache.db-journal").write_bytes(head.ljust(512, b"\0") + record + tail)


@planted
def log_that_rewrites_the_schema(cache: Cache) -> None:
    # The database is valid without its write-ahead log, which adds a trigger.
    spoiled = cache.outside.parent / "spoiled"
    shutil.copytree(cache.folder, spoiled)
    database = sqlite3.connect(spoiled / "cache.db", isolation_level=None)
    database.execute("PRAGMA wal_autocheckpoint = 0")
    database.execute(
        "CREATE TRIGGER extra AFTER UPDATE ON Cache BEGIN"
        " UPDATE Cache SET filename = '../outside/secret.txt'; END"
    )
    shutil.copy(spoiled / "cache.db-wal", cache.folder / "cache.db-wal")
    database.close()
    shutil.rmtree(spoiled)


@planted
def log_without_a_database(cache: Cache) -> None:
    log_that_rewrites_the_schema(cache)
    (cache.folder / "cache.db").unlink()


VECTORS |= {
    f"expired, {name}": expired(VECTORS[name])
    for name in ("pickle in a row", "above", "absolute", "above with our ending", "with a nul")
}
VECTORS |= {
    f"database {make.__name__}": side_file("", make)
    for make in (_elsewhere, _moved, _shared, _pipe, _folder, _noise, _sparse, _short, _empty)
}
VECTORS |= {
    f"{ending} {make.__name__}": side_file(ending, make)
    for ending in ("-wal", "-shm", "-journal")
    for make in (_elsewhere, _shared, _pipe, _folder, _noise)
}
VECTORS |= {
    f"folder of values is a symlink, {level}": folder_of_values_is_a_symlink(level)
    for level in (0, 1)
}

"""A cache from elsewhere runs no code, reads or deletes no other file, returns no wrong bytes.

Each vector is planted by hand into a valid cache, then builds use it. Other tests show that the
dangerous vectors work against stock diskcache or SQLite itself, so that no vector loses its effect
unnoticed.
"""

from __future__ import annotations

import contextlib
import sqlite3

import diskcache
import pytest

from tests.derived.support import NAMES, VICTIM, Cache, content_of, key_of, portrait, snapshot
from tests.derived.vectors import SECRET, VECTORS, super_journal


@pytest.mark.timeout(30, func_only=True)
@pytest.mark.parametrize("vector", VECTORS)
def test_planted_cache_does_no_harm_and_recovers(filled: Cache, vector: str) -> None:
    valid = portrait(filled.folder)
    VECTORS[vector](filled)
    assert portrait(filled.folder) != valid, "the vector changes the cache"
    outside = snapshot(filled.outside)

    found = filled.use()

    pairs = zip(found, filled.expected(), strict=True)
    assert [each for each, good in pairs if each not in good] == []
    assert snapshot(filled.outside) == outside
    assert not (filled.outside.parent / "code-ran").exists()
    warned = len(filled.warnings)
    filled.fill()
    if len(filled.warnings) > warned:  # the cache was quarantined with the values just written
        filled.fill()
    store = filled.open()
    assert [store.read(key_of(name)) for name in NAMES] == [content_of(name) for name in NAMES]
    store.close()
    assert len(filled.warnings) <= 1


@pytest.mark.parametrize(
    "vector",
    ["pickle in a row", "pickle in a value file", "pickle in a value file with its checksum"],
)
def test_stock_diskcache_runs_code_from_a_row(filled: Cache, vector: str) -> None:
    VECTORS[vector](filled)
    with diskcache.Cache(str(filled.folder)) as stock:
        stock.get(VICTIM)
    assert (filled.outside.parent / "code-ran").exists()


def test_stock_diskcache_runs_code_from_a_key(filled: Cache) -> None:
    VECTORS["pickle as a key"](filled)
    with diskcache.Cache(str(filled.folder)) as stock:
        list(stock)
    assert (filled.outside.parent / "code-ran").exists()


@pytest.mark.parametrize("vector", ["above", "absolute"])
def test_stock_diskcache_reads_a_file_outside(filled: Cache, vector: str) -> None:
    VECTORS[vector](filled)
    with diskcache.Cache(str(filled.folder)) as stock:
        assert stock.get(VICTIM) == SECRET


@pytest.mark.parametrize("vector", ["expired, above", "expired, absolute"])
def test_stock_diskcache_deletes_a_file_outside(filled: Cache, vector: str) -> None:
    VECTORS[vector](filled)
    with diskcache.Cache(str(filled.folder), cull_limit=10) as stock:
        stock.set("another", 1)
    assert not (filled.outside / "secret.txt").exists()


def test_stock_diskcache_obeys_a_directory_setting(filled: Cache) -> None:
    VECTORS["directory setting"](filled)
    with diskcache.Cache(str(filled.folder)) as stock:
        assert stock.directory == str(filled.outside)


def test_sqlite_deletes_a_file_that_a_journal_names(filled: Cache) -> None:
    super_journal(filled)
    with contextlib.closing(sqlite3.connect(filled.folder / "cache.db")) as database:
        database.execute("SELECT count(*) FROM Cache").fetchone()
    assert not (filled.outside / "secret.txt").exists()


def test_sqlite_reads_a_trigger_from_the_log(filled: Cache) -> None:
    VECTORS["log that rewrites the schema"](filled)
    with contextlib.closing(sqlite3.connect(filled.folder / "cache.db")) as database:
        names = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    assert "extra" in names

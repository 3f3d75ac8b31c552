"""A cache from elsewhere: no code runs, nothing outside is read or deleted, no wrong bytes.

Each vector is planted by hand into a healthy cache, then builds use it. That stock diskcache, or
SQLite itself, falls for the dangerous ones is shown as well, so that a vector which has lost its
sting is noticed.
"""

from __future__ import annotations

import contextlib
import sqlite3

import diskcache
import pytest

from tests.derived.planting import NAMES, VICTIM, Cache, content_of, key_of, portrait, snapshot
from tests.derived.vectors import SECRET, VECTORS, super_journal


@pytest.mark.timeout(30, func_only=True)
@pytest.mark.parametrize("vector", VECTORS)
def test_a_planted_cache_does_no_harm_and_recovers(filled: Cache, vector: str) -> None:
    healthy = portrait(filled.folder)
    VECTORS[vector](filled)
    assert portrait(filled.folder) != healthy, "nothing was planted"
    outside = snapshot(filled.outside)

    found = filled.use()

    pairs = zip(found, filled.expected(), strict=True)
    assert [each for each, good in pairs if each not in good] == []
    assert snapshot(filled.outside) == outside
    assert not (filled.outside.parent / "code-ran").exists()
    told = len(filled.warnings)
    filled.fill()
    if len(filled.warnings) > told:  # found only now, it went with what was written before
        filled.fill()
    store = filled.open()
    assert [store.read(key_of(name)) for name in NAMES] == [content_of(name) for name in NAMES]
    store.close()
    assert len(filled.warnings) <= 1


@pytest.mark.parametrize(
    "vector",
    ["pickle in a row", "pickle in a value file", "pickle in a value file with its seal"],
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


def test_stock_diskcache_moves_where_a_setting_says(filled: Cache) -> None:
    VECTORS["directory setting"](filled)
    with diskcache.Cache(str(filled.folder)) as stock:
        assert stock.directory == str(filled.outside)


def test_sqlite_deletes_what_a_journal_names(filled: Cache) -> None:
    super_journal(filled)
    with contextlib.closing(sqlite3.connect(filled.folder / "cache.db")) as database:
        database.execute("SELECT count(*) FROM Cache").fetchone()
    assert not (filled.outside / "secret.txt").exists()


def test_sqlite_sees_a_trigger_that_only_the_log_holds(filled: Cache) -> None:
    VECTORS["log that rewrites the schema"](filled)
    with contextlib.closing(sqlite3.connect(filled.folder / "cache.db")) as database:
        names = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    assert "extra" in names

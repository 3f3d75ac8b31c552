"""Random damage in 300 rounds causes no wrong bytes and no exception."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from tests.derived.support import NAMES, Cache, content_of, key_of

ROUNDS = 300
BATCH = 30
PAGE = 4096


def flip(file: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 3, 20))):
        file[chance.randrange(len(file))] ^= 1 << chance.randrange(8)


def overwrite(file: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(file))
    length = min(chance.choice((1, 8, 100, 4096)), len(file) - start)
    file[start : start + length] = chance.choice((bytes(length), chance.randbytes(length)))


def cut(file: bytearray, chance: random.Random) -> None:
    del file[chance.randrange(len(file)) :]


def swap(file: bytearray, chance: random.Random) -> None:
    size = chance.choice((64, 256, 4096))
    first, second = (chance.randrange(max(1, len(file) // size)) * size for _ in range(2))
    one, other = file[first : first + size], file[second : second + size]
    file[first : first + size], file[second : second + size] = other, one


def damage(folder: Path, chance: random.Random) -> None:
    values = sorted(folder.rglob("*.val"))
    path = folder / "cache.db" if chance.random() < 0.75 else chance.choice(values)
    content = bytearray(path.read_bytes())
    chance.choice((flip, flip, overwrite, cut, swap))(content, chance)
    path.unlink()
    path.write_bytes(content)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, ROUNDS, BATCH))
def test_random_damage_causes_misses_and_no_wrong_bytes(cache: Cache, template, start):
    hits = 0
    for seed in range(start, start + BATCH):
        shutil.rmtree(cache.folder, ignore_errors=True)
        shutil.copytree(template, cache.folder)
        damage(cache.folder, random.Random(seed))  # noqa: S311 - repeatable
        cache.warnings.clear()
        store = cache.open()
        for name in NAMES:
            found = store.read(key_of(name))
            assert found in {None, content_of(name)}, seed
            hits += found is not None
        for name in NAMES if seed % 3 == 0 else "":
            store.write(key_of(name), content_of(name))
            assert store.read(key_of(name)) in {None, content_of(name)}, seed
        store.close()
        assert len(cache.warnings) <= 1, seed
        for moved in cache.folder.parent.glob("derived.broken-*"):
            shutil.rmtree(moved)
    assert 0 < hits < BATCH * len(NAMES), "the damage affects some values, not all"


def test_damaged_index_never_leads_to_value_of_another_key(filled):
    # The check of the pages passes and the value is valid, but the checksum differs.
    database = filled.folder / "cache.db"
    content = database.read_bytes()
    mine, other = (key_of(name).encode() for name in "ab")
    places = [at for at in range(len(content)) if content.startswith((mine, other), at)]
    swapped = content.replace(mine, b"?" * 64).replace(other, mine).replace(b"?" * 64, other)
    pages = sorted({at // PAGE for at in places})
    assert len(pages) == 2, "the table and the index have a page each"
    found = []
    for page in pages:
        mixed = bytearray(content)
        mixed[page * PAGE : (page + 1) * PAGE] = swapped[page * PAGE : (page + 1) * PAGE]
        database.write_bytes(mixed)
        store = filled.open()
        found += [(name, store.read(key_of(name))) for name in "ab"]
        store.close()
    assert sorted(content is None for _, content in found) == [False, False, True, True]
    assert all(content in {None, content_of(name)} for name, content in found)
    assert filled.warnings == []


@pytest.mark.parametrize("ending", ["-wal", "-shm"])
def test_damaged_side_files_cause_no_wrong_bytes(cache, ending):
    store = cache.open()
    for name in NAMES:
        store.write(key_of(name), content_of(name))
    killed = cache.folder.parent / "killed"
    shutil.copytree(cache.folder, killed)
    store.close()
    chance = random.Random(ending)  # noqa: S311 - repeatable
    for _ in range(20):
        shutil.rmtree(cache.folder)
        shutil.copytree(killed, cache.folder)
        path = cache.folder / f"cache.db{ending}"
        content = bytearray(path.read_bytes())
        chance.choice((flip, overwrite, cut, swap))(content, chance)
        os.truncate(path, 0)
        path.write_bytes(content)
        after = cache.open()
        assert all(after.read(key_of(name)) in {None, content_of(name)} for name in NAMES)
        after.close()

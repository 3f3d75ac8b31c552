"""Several builds on one folder, each in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.derived.support import content_of, key_of
from tests.derived.worker import KEYS

ROOT = Path(__file__).parents[2]


def start(folder: Path, work: str) -> subprocess.Popen[str]:
    worker = Path(__file__).with_name("worker.py")
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(worker), str(folder), work],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    """Return the output of a process, which must end without an error."""
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert errors == ""
    return output


@contextlib.contextmanager
def started(folder: Path, *works: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Run several processes at once and kill them at the end."""
    processes = [start(folder, work) for work in works]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def run(folder: Path, *works: str) -> list[tuple[list[str], list[str]]]:
    """Return the defects and warnings of several processes that run at once."""
    with started(folder, *works) as processes:
        return [tuple(json.loads(finish(process))) for process in processes]


def test_builds_that_start_together_share_one_new_cache(cache):
    assert run(cache.folder, *["share"] * 4) == [([], [])] * 4
    store = cache.open()
    assert all(store.read(key_of(name)) == content_of(name) for name in range(KEYS))
    store.close()
    assert cache.warnings == []
    assert len(list(cache.folder.rglob("*.val"))) == KEYS
    assert [path.name for path in cache.folder.iterdir() if len(path.name) != 2] == ["cache.db"]
    assert not list(cache.folder.parent.glob("derived.broken-*"))


def test_builds_that_start_together_quarantine_a_broken_cache_once(filled):
    (filled.folder / "cache.db").write_bytes(b"no database")
    results = run(filled.folder, *["share"] * 3)
    assert [defects for defects, _ in results] == [[]] * 3
    assert len(list(filled.folder.parent.glob("derived.broken-*"))) == 1
    assert sum(len(warnings) for _, warnings in results) == 1


def test_build_works_while_another_evicts(cache):
    assert run(cache.folder, "use", "evict", "use") == [([], [])] * 3
    assert not list(cache.folder.parent.glob("derived.broken-*"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no signal kills here")
def test_killed_build_leaves_a_valid_cache(cache):
    chance = random.Random(1)  # noqa: S311 - repeatable
    for _ in range(4):
        with started(cache.folder, "write_for_ever") as (process,):
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line == "started\n", finish(process)
            time.sleep(chance.random() / 20)
        store = cache.open()
        found = [store.read(key_of(name)) for name in range(50)]
        assert all(each in {None, content_of(name, 20_000)} for name, each in enumerate(found))
        assert any(found)
        store.close()
    assert cache.warnings == []

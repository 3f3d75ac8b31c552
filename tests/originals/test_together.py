"""Builds at the same time, and builds that are killed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mkdocs_imagegen.originals.store import OriginalStore
from tests.originals.support import key_of, leftovers, record

CONTENTS = [bytes([each]) * 5000 for each in range(4)]


def test_threads_that_put_the_same_leave_one_whole(tmp_path, told):
    for number in range(40):
        name = f"{number}"
        barrier = threading.Barrier(len(CONTENTS))
        original = in_threads(
            lambda content, name=name, barrier=barrier: put_at_once(
                tmp_path, told, name, content, barrier
            )
        )
        left = OriginalStore(tmp_path / "o", tmp_path / "q", told).get(key_of(name))
        assert left.path.read_bytes() in CONTENTS
        assert all(each == left for each in original)
    assert not leftovers(tmp_path)
    assert not told
    assert not (tmp_path / "q").exists()


def put_at_once(tmp_path, told, name, content, barrier):
    store = OriginalStore(tmp_path / "o", tmp_path / "q", told)
    barrier.wait()
    return store.put(record(name, content), content)


def in_threads(work):
    with ThreadPoolExecutor(len(CONTENTS)) as pool:
        return list(pool.map(work, CONTENTS))


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from mkdocs_imagegen.originals.store import OriginalStore
from tests.originals.support import Told, key_of, record

folder, fill, count = Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
told = Told()
store = OriginalStore(folder / "o", folder / "q", told)
print("ready", flush=True)
sys.stdin.readline()
for number in range(count):
    content = bytes([fill]) * 50_000
    original = store.put(record(str(number), content), content)
    print(number, original.record.sha256, flush=True)
assert not told, told
"""


def writer(folder, fill, count):
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, root, str(folder), str(fill), str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def test_processes_that_put_the_same_leave_one_whole(tmp_path, told):
    writers = [writer(tmp_path, fill, 100) for fill in (1, 2)]
    for each in writers:
        each.stdin.write("go\n")
        each.stdin.flush()
    said = [each.communicate()[0].splitlines() for each in writers]
    assert [each.returncode for each in writers] == [0, 0]
    assert said[0] == said[1]
    store = OriginalStore(tmp_path / "o", tmp_path / "q", told)
    for number, line in enumerate(said[0]):
        original = store.get(key_of(str(number)))
        assert line == f"{number} {original.record.sha256}"
    assert not told
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("seconds", [0.01, 0.03, 0.07])
def test_what_was_said_to_be_kept_survives_a_kill(tmp_path, told, seconds):
    process = writer(tmp_path, 3, 100_000)
    process.stdin.write("go\n")
    process.stdin.flush()
    time.sleep(seconds)
    process.kill()
    said = process.communicate()[0].splitlines(keepends=True)
    store = OriginalStore(tmp_path / "o", tmp_path / "q", told)
    for line in said:
        if line.endswith("\n"):
            assert store.get(key_of(line.split()[0])).record.bytes == 50_000
    assert not told

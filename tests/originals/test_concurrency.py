"""Builds that store the same original at the same time, and builds that are killed."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.originals.support import key_of, leftovers, open_store, read_original, record

CONTENTS = [bytes([each]) * 5000 for each in range(4)]
ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from pathlib import Path
from tests.originals.support import key_of, open_store, record

folder, fill, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
store = open_store(folder / "o")
print("ready", flush=True)
sys.stdin.readline()
for number in range(count):
    content = bytes([fill]) * 50_000
    original = store.put(record(str(number), content), content)
    print(number, original.record.sha256, flush=True)
"""


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "o")


def test_threads_that_put_one_key_leave_one_intact_original(tmp_path, store, caplog):
    for number in range(40):
        stored = put_in_threads(tmp_path, f"{number}")
        left = read_original(store, key_of(f"{number}"))
        assert left.path.read_bytes() in CONTENTS
        assert all(each.record == left.record for each in stored)
    assert not leftovers(tmp_path)
    assert not caplog.messages
    assert not store.quarantine.exists()


def put_in_threads(folder, name):
    barrier = threading.Barrier(len(CONTENTS))

    def put(content):
        store = open_store(folder / "o")
        barrier.wait()
        return store.put(record(name, content), content)

    with ThreadPoolExecutor(len(CONTENTS)) as pool:
        return list(pool.map(put, CONTENTS))


@contextmanager
def writer(folder, fill, count):
    """Start a process that waits for a line, then stores originals and prints their hashes."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(fill), str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def start(process):
    process.stdin.write("go\n")
    process.stdin.flush()


def test_processes_that_put_one_key_leave_one_intact_original(tmp_path, store, caplog):
    with writer(tmp_path, 1, 100) as one, writer(tmp_path, 2, 100) as two:
        start(one)
        start(two)
        ended = [(*each.communicate(), each.returncode) for each in (one, two)]
    assert ended[0] == ended[1] == (ended[0][0], "", 0)
    for number, line in enumerate(ended[0][0].splitlines()):
        original = read_original(store, key_of(str(number)))
        assert line == f"{number} {original.record.sha256}"
    assert not caplog.messages
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("lines", [1, 5, 20])
def test_a_returned_original_survives_a_kill(tmp_path, store, caplog, lines):
    with writer(tmp_path, 3, 100_000) as process:
        start(process)
        printed = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        printed += process.stdout.readlines()
    for line in printed:
        if line.endswith("\n"):
            assert read_original(store, key_of(line.split()[0])).record.bytes == 50_000
    assert not caplog.messages

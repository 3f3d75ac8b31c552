"""One build in a process of its own: ``worker.py FOLDER WORK``; prints defects and warnings."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mkdocs_imagegen.derived.store import DerivedStore
from tests.derived.support import DAY_S, content_of, key_of, logged

SECONDS = 0.7
KEYS = 30


def share(folder: Path) -> list[str]:
    """Write and read the same keys as the other processes."""
    wrong = []
    store = DerivedStore(folder)
    for name in range(KEYS):
        store.write(key_of(name), content_of(name))
        if store.read(key_of(name)) != content_of(name):
            wrong.append(f"read {name}")
    store.close()
    return wrong


def use(folder: Path) -> list[str]:
    """Run builds that read, link and write, one after the other."""
    wrong = []
    site = folder.parent / "site"
    end, turn = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        store = DerivedStore(folder)
        for name in range(KEYS):
            key, content, path = key_of(name), content_of(name), site / f"{turn}-{name}"
            if store.read(key) not in {None, content}:
                wrong.append(f"read {name}")
            if store.link(key, path) and path.read_bytes() != content:
                wrong.append(f"link {name}")
            store.write(key, content)
        store.close()
        turn += 1
    return wrong


def evict(folder: Path) -> list[str]:
    """Run builds two days ahead with a limit of 0: each deletes every value."""
    start, evicted = time.monotonic(), 0
    while time.monotonic() < start + (SECONDS if evicted else 20 * SECONDS):
        store = DerivedStore(folder, size_limit_bytes=0, clock=lambda: time.time() + 2 * DAY_S)
        store.write(key_of("evictor"), b"x")
        before = len(list(folder.glob("??/??/*.val")))
        store.close()
        evicted += before > len(list(folder.glob("??/??/*.val")))
    return [] if evicted else ["no value was evicted"]


def write_for_ever(folder: Path) -> list[str]:
    """Write until killed; the first output follows a few writes."""
    store = DerivedStore(folder)
    number = 0
    while True:
        store.write(key_of(number % 50), content_of(number % 50, 20_000))
        number += 1
        if number == 5:
            sys.stdout.write("started\n")
            sys.stdout.flush()


WORK: dict[str, Callable[[Path], list[str]]] = {
    each.__name__: each for each in (share, use, evict, write_for_ever)
}

if __name__ == "__main__":
    with logged() as messages:
        defects = WORK[sys.argv[2]](Path(sys.argv[1]))
    sys.stdout.write(json.dumps([defects, messages.warnings]))

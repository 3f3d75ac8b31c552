"""Originals for tests, and helpers that inspect and damage their files."""

from __future__ import annotations

import hashlib
import os
from decimal import Decimal

from mkdocs_imagegen.originals.record import Record

CONTENT = b"RIFF\x00\x00\x00\x00WEBP" + bytes(range(256))


def key_of(name):
    return hashlib.sha256(name.encode()).hexdigest()


def record(name="a", content=CONTENT, **more):
    facts = {
        "key": key_of(name),
        "subject": key_of("subject"),
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "mime": "image/webp",
        "width": 3,
        "height": 2,
        "has_alpha": False,
        "model": "a/b",
        "answered_by": "a/b-2026",
        "prompt": "Ein roter Ballon 🎈",
        "take": 1,
        "cost_usd": Decimal("0.015"),
        "cost_is_estimate": False,
        "generation_id": "gen_1",
        "server": "https://example.org/v1",
        "created": "2026-11-23T17:00:00+00:00",
        "warnings": ("slow",),
    }
    return Record(**(facts | more))


def record_path(store, name="a"):
    return store.folder / key_of(name)[:2] / f"{key_of(name)}.json"


def everything_below(folder):
    """Return the content of every file, sorted."""
    return sorted(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def leftovers(folder):
    return [path for path in folder.rglob("*") if path.name.endswith(".tmp")]


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def folder(path):
    path.unlink()
    path.mkdir()
    (path / "inside").write_bytes(b"inside")


def refuse(number):
    def refused(*_arguments, **_more):
        raise OSError(number, os.strerror(number))

    return refused

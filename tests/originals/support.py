"""Originals for tests, and helpers that inspect and damage their files."""

from __future__ import annotations

import hashlib
import io
import os
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

from PIL import Image

from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.originals.judge import Original
from mkdocs_imagegen.originals.record import ImageFacts, Record
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.request import ImageRequest

CONTENT = b"RIFF\x00\x00\x00\x00WEBP" + bytes(range(256))
FACTS = ImageFacts("image/webp", Size(3, 2), has_alpha=False)
REQUEST = ImageRequest("a/b", "Ein roter Ballon 🎈", Size(30, 20))


def png(color="red", size=Size(30, 20)):
    output = io.BytesIO()
    Image.new("RGB", size, color).save(output, "PNG")
    return output.getvalue()


PNG = png()


def open_store(folder, **more):
    """Return a store that accepts all bytes as an image."""
    return OriginalStore(folder, lambda _: FACTS, **more)


def read_original(store, key):
    """Return an original whose image was read and verified, or None."""
    original = store.find(key)
    return original and store.read(original)[0]


def request_record(request=REQUEST, content=PNG, **more):
    """Return the record of a PNG that was generated for a request."""
    facts = {
        "key": request.key,
        "subject": request.subject_key,
        "mime": "image/png",
        "width": 30,
        "height": 20,
        "prompt": request.prompt,
        "quality": request.quality,
        "asked_size": str(request.size),
    }
    return record(content=content, **(facts | more))


def put(store, request=REQUEST, content=PNG, **more) -> Original:
    """Store the image of a request."""
    return store.put(request_record(request, content, **more), content)


def record_file(original) -> Path:
    """Return the file of the record of an original."""
    return original.folder / f"{original.record.key}.json"


def tree(folder):
    """Return each file with its content, by path; working files excepted."""
    paths = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    names = ((path.relative_to(folder).as_posix(), path.read_bytes()) for path in paths)
    return {name: content for name, content in names if not name.startswith("work/")}


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


def wanting(subject, model):
    """Return what the lookup by subject reads of a request with any subject key."""
    return SimpleNamespace(subject_keys=(subject,), model=model, quality="medium")


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

"""Originals as a real model would have left them."""

from __future__ import annotations

from dataclasses import replace

from mkdocs_imagegen.originals.record import parse_record
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.request import ImageRequest
from tests.support import Site

MODEL = "openai/gpt-image-1-mini"


def pretend_that_a_real_model_drew(site: Site) -> None:
    """Files each sketch in the store also as a real model's image of the usual quality."""
    store = OriginalStore(site.originals, site.folder / "quarantine")
    for path in sorted(site.originals.rglob("*.json")):
        record = parse_record(path.read_bytes(), path.stem)
        real = ImageRequest(MODEL, record.prompt, record.size, take=record.take)
        content = path.with_name(record.file_name).read_bytes()
        store.put(replace(record, key=real.key, subject=real.subject_key, model=MODEL), content)

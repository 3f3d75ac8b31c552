"""Originals as a real model would have left them."""

from __future__ import annotations

from dataclasses import replace

from mkdocs_imagegen.originals.record import from_json
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.request import ImageRequest
from tests.support import Site

MODEL = "openai/gpt-image-1-mini"


def pretend_that_a_real_model_drew(site: Site) -> None:
    """Files each sketch in the store also as a real model's picture of the usual quality."""
    store = OriginalStore(site.originals, site.folder / "quarantine", print)
    for record in sorted(site.originals.rglob("*.json")):
        original = from_json(record.read_bytes(), record.stem)
        real = ImageRequest(MODEL, original.prompt, original.size, take=original.take)
        content = record.with_name(original.file_name).read_bytes()
        store.put(replace(original, key=real.key, subject=real.subject_key, model=MODEL), content)

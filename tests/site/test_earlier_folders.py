"""Builds after the originals folder has changed: what was charged elsewhere is found."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.pipeline import lookup
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.spending.journal import Intent, Journal
from tests.bench import BODY
from tests.support import ORIGINALS, Built, Site

REQUEST = ImageRequest("openai/gpt-image-1-mini", "A red balloon", Size(1536, 1024))
INTENT = Intent(REQUEST, "https://x.example/v1", "png", None, "2026-11-23T17:00:00+00:00")


@pytest.fixture
def balloon(site: Site) -> Site:
    site.write("index.md", f"# A page\n\n```imagegen\n{REQUEST.prompt}\n```\n")
    site.options.update({"gateway": {"auth": "none"}, "report": "report.json"})
    return site


def offline(site: Site, **options: Any) -> Built:
    site.options.update({"generate": False, **options})
    return site.build()


def state(site: Site) -> str:
    (image,) = site.report()["pictures"]
    return str(image["state"])


def journal(site: Site, folder: str = ORIGINALS) -> Journal:
    return Journal(site.folder / folder / "work/journal")


def attempts(site: Site, folder: str = ORIGINALS) -> list[Any]:
    path = site.folder / folder / REQUEST.key[:2] / f"{REQUEST.key}.attempts.json"
    return json.loads(path.read_text()) if path.exists() else []


def test_killed_build_has_noted_its_folder(balloon: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = Emulator(require_key=False)
    with EmulatorServer(emulator) as server:
        balloon.options["gateway"] = {"url": server.url, "auth": "none"}
        balloon.options["originals_dir"] = "images"
        with monkeypatch.context() as patch:
            patch.setattr(lookup, "note_use", lambda _: None)  # as if it were killed before
            balloon.build()
        balloon.options["originals_dir"] = "others"
        balloon.build()
    assert emulator.bill.images == 1
    assert state(balloon) == "sketch"


def test_response_in_the_journal_of_an_earlier_folder_is_stored(balloon: Site) -> None:
    assert journal(balloon).save_response(INTENT, BODY)
    built = offline(balloon, originals_dir="others")
    assert state(balloon) == "ready"
    assert any("that an earlier build generated" in text for text in built.infos)
    assert len(list((balloon.folder / "others").glob(f"??/{REQUEST.key}.json"))) == 1
    assert journal(balloon).open_keys() == []


def test_request_in_the_journal_of_an_earlier_folder_is_listed(balloon: Site) -> None:
    journal(balloon).begin(INTENT)
    offline(balloon, originals_dir="others")
    assert [each["billing"] for each in attempts(balloon, "others")] == ["unknown"]
    assert journal(balloon).open_keys() == []


def test_request_without_response_is_listed_although_its_image_is_elsewhere(
    balloon: Site,
) -> None:
    journal(balloon, "others").save_response(INTENT, BODY)
    offline(balloon, originals_dir="others")
    journal(balloon).begin(replace(INTENT, begun="2026-11-22T17:00:00+00:00"))
    offline(balloon, originals_dir=ORIGINALS)
    assert state(balloon) == "ready"
    assert [each["billing"] for each in attempts(balloon)] == ["unknown"]


def test_end_of_a_request_removes_the_intent_before_the_response(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[str] = []
    written = Journal(tmp_path)
    written.begin(INTENT)
    written.save_response(INTENT, BODY)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda path, **_: removed.append(path.suffix))
        written.end(REQUEST.key)
    assert removed == [".intent", ".answer"]

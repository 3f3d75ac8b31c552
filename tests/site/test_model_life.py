"""Shutdown dates of models, the list of models, and fallback models."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from tests.support import Built, Site

SHUTDOWN = re.compile(
    r"openai/gpt-image-1-mini (will be|was) shut down on 2026-12-01; existing images stay in use"
)


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(require_key=False)


@pytest.fixture(autouse=True)
def _server(site: Site, emulator: Emulator) -> Iterator[None]:
    with EmulatorServer(emulator) as server:
        site.options["gateway"] = {"url": server.url, "auth": "none"}
        yield


def write(site: Site, *prompts: str) -> None:
    fences = [f"```imagegen\n{prompt}\n```" for prompt in prompts]
    site.write("index.md", "# Page\n\n" + "\n\n".join(fences))


def list_requests(emulator: Emulator) -> int:
    return sum(seen.path == "/v1/models" for seen in emulator.log)


def shutdown_warnings(built: Built) -> list[str]:
    return [text for text in built.warnings if "shut down on" in text]


def test_shutdown_of_model_is_reported_once_with_an_alternative(site: Site) -> None:
    write(site, "One", "Two")
    (warning,) = shutdown_warnings(site.build())
    assert SHUTDOWN.search(warning)
    assert "set `model` to another one: openai/gpt-image-2" in warning
    assert "$" in warning


def test_strict_build_passes_when_model_has_a_shutdown_date(site: Site) -> None:
    write(site, "One")
    built = site.build(strict=True)
    assert shutdown_warnings(built) == []
    assert any(SHUTDOWN.search(text) for text in built.infos)


def test_list_of_models_is_requested_once_a_day(site: Site, emulator: Emulator) -> None:
    write(site, "One", "Two")
    site.build()
    assert list_requests(emulator) == 1
    write(site, "Three")
    assert len(shutdown_warnings(site.build())) == 1
    assert list_requests(emulator) == 1


@pytest.mark.parametrize(
    ("age_s", "requests"),
    [(80_000, 1), (86_500, 2), (-1_000, 2)],
    ids=["younger than a day", "older than a day", "from the future"],
)
def test_list_of_models_is_requested_again_when_it_is_a_day_old(
    site: Site, emulator: Emulator, age_s: float, requests: int
) -> None:
    write(site, "One")
    site.build()
    offers = site.folder / ".cache/plugin/imagegen/offers.json"
    fields = json.loads(offers.read_text())
    offers.write_text(json.dumps(fields | {"asked": time.time() - age_s}))
    write(site, "Two")
    site.build()
    assert list_requests(emulator) == requests
    age_now_s = time.time() - json.loads(offers.read_text())["asked"]
    assert 0 <= age_now_s < 1_000 if requests == 2 else age_now_s >= age_s


def test_build_sends_no_request_when_all_images_exist(site: Site, emulator: Emulator) -> None:
    write(site, "One")
    site.build()
    before = len(emulator.log)
    assert shutdown_warnings(site.build()) == []
    assert len(emulator.log) == before


def test_model_without_shutdown_date_is_not_reported(site: Site) -> None:
    site.options["model"] = "openai/gpt-image-2"
    write(site, "One")
    assert shutdown_warnings(site.build(strict=True)) == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"asked": "x"}', '{"asked": 1e99}'])
def test_list_of_models_is_requested_again_when_its_file_is_invalid(
    site: Site, emulator: Emulator, content: str
) -> None:
    offers = site.folder / ".cache/plugin/imagegen/offers.json"
    offers.parent.mkdir(parents=True)
    offers.write_text(content)
    write(site, "One")
    assert len(shutdown_warnings(site.build())) == 1
    assert list_requests(emulator) == 1


def test_fallback_models_are_sent_with_provider_options(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies: list[dict[str, Any]] = []
    handle = Emulator.handle

    def recording(self: Emulator, method: str, path: str, headers: Any, body: bytes) -> Any:
        bodies.extend([json.loads(body)] if body else [])
        return handle(self, method, path, headers, body)

    monkeypatch.setattr(Emulator, "handle", recording)
    site.options["gateway"] |= {
        "send_provider_options": True,
        "provider_options": {"gateway": {"order": ["azure"]}},
    }
    site.options["fallback_models"] = ["openai/gpt-image-2", "openai/gpt-image-1.5"]
    write(site, "One")
    site.build()
    assert bodies[0]["providerOptions"]["gateway"] == {
        "order": ["azure"],
        "models": ["openai/gpt-image-2", "openai/gpt-image-1.5"],
    }

"""What a build says of models that end, and which model drew."""

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


def asked(emulator: Emulator) -> int:
    return sum(seen.path == "/v1/models" for seen in emulator.log)


def endings(built: Built) -> list[str]:
    return [text for text in built.warnings if "shut down on" in text]


def test_a_model_that_ends_is_told_once_with_what_may_follow_it(site: Site) -> None:
    write(site, "One", "Two")
    (warning,) = endings(site.build())
    assert SHUTDOWN.search(warning)
    assert "set `model` to another one: openai/gpt-image-2" in warning
    assert "$" in warning


def test_a_strict_build_is_not_ended_by_it(site: Site) -> None:
    write(site, "One")
    built = site.build(strict=True)
    assert endings(built) == []
    assert any(SHUTDOWN.search(text) for text in built.infos)


def test_the_list_of_models_is_asked_for_once_a_day(site: Site, emulator: Emulator) -> None:
    write(site, "One", "Two")
    site.build()
    assert asked(emulator) == 1
    write(site, "Three")
    assert len(endings(site.build())) == 1
    assert asked(emulator) == 1


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
    original = site.folder / ".cache/plugin/imagegen/offers.json"
    fields = json.loads(original.read_text())
    original.write_text(json.dumps(fields | {"asked": time.time() - age_s}))
    write(site, "Two")
    site.build()
    assert asked(emulator) == requests
    age_now_s = time.time() - json.loads(original.read_text())["asked"]
    assert 0 <= age_now_s < 1_000 if requests == 2 else age_now_s >= age_s


def test_a_build_that_makes_nothing_asks_nothing(site: Site, emulator: Emulator) -> None:
    write(site, "One")
    site.build()
    before = len(emulator.log)
    assert endings(site.build()) == []
    assert len(emulator.log) == before


def test_a_model_that_stays_is_not_told_of(site: Site) -> None:
    site.options["model"] = "openai/gpt-image-2"
    write(site, "One")
    assert endings(site.build(strict=True)) == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"asked": "x"}', '{"asked": 1e99}'])
def test_a_list_that_was_spoiled_is_asked_for_again(
    site: Site, emulator: Emulator, content: str
) -> None:
    original = site.folder / ".cache/plugin/imagegen/offers.json"
    original.parent.mkdir(parents=True)
    original.write_text(content)
    write(site, "One")
    assert len(endings(site.build())) == 1
    assert asked(emulator) == 1


def test_fallback_models_travel_with_the_gateways_own_options(
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

"""A model that is shut down: what is sent, said and charged before and after."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mkdocs_imagegen.emulator.faults import SHUTDOWN_FAULTS
from mkdocs_imagegen.emulator.models import MODELS
from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.log import log
from mkdocs_imagegen.spending import model_choice
from tests.paid import PaidEmulator, PaidSite, fence, paid_gateway
from tests.serving import serving
from tests.support import Built, Site
from tests.waiting import wait_until

MINI, FLARE = "openai/gpt-image-1-mini", "openai/gpt-image-2.5-flare"
NEAR, AFTER = date(2026, 11, 20), date(2026, 12, 2)
SHUTDOWN = re.compile(f"{MINI} will be shut down on 2026-12-01; {FLARE} will replace it")


@pytest.fixture(autouse=True)
def _near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_choice, "today", lambda: NEAR)


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
    assert warning.count("$") == 2


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


@pytest.mark.slow
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


@pytest.fixture
def shut_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., PaidSite]]:
    """Open a site with the default model at a server that has shut it down."""
    monkeypatch.setattr(model_choice, "today", lambda: AFTER)
    monkeypatch.setenv("IMAGES_KEY", "a-word")
    with contextlib.ExitStack() as stack:

        def open_site(count: int = 8, **options: Any) -> PaidSite:
            facts = {"today": AFTER, "require_key": True} | options
            emulator = stack.enter_context(paid_gateway(monkeypatch, **facts))
            site = PaidSite(tmp_path / "paid_site", emulator)
            del site.options["model"]
            site.options["gateway"] = {"url": emulator.url, "key_env": "IMAGES_KEY"}
            site.write_prompts(*(f"Prompt {number}" for number in range(count)))
            return site

        yield open_site


def models_of(site: PaidSite) -> list[str]:
    return [each.model or "" for each in site.emulator.log if each.method == "POST"]


def lines_of(built: Built) -> list[str]:
    """Lines of our messages, the summary included."""
    texts = [each.getMessage() for each in built.records if each.name == log.name]
    return [line for text in texts for line in text.splitlines()]


@pytest.mark.parametrize("strict", [False, True])
def test_images_are_generated_by_the_first_replacement(
    shut_down: Callable[..., PaidSite], strict: bool
) -> None:
    site = shut_down()
    plan = json.loads(site.command("plan", "--json").stdout)
    built = site.build(strict=strict)
    assert models_of(site) == [FLARE] * 8
    assert built.warnings == [] if strict else len(built.warnings) == 1
    (said,) = (line for line in lines_of(built) if "replaces it" in line)
    assert said.count("$") == 2
    assert f"to choose it yourself, set `model: {FLARE}`" in said
    assert len(lines_of(built)) <= 3
    assert FLARE in built.summary
    bill = site.emulator.bill.usd
    assert plan["makes"] == 8
    assert abs(Decimal(plan["usd"]) - bill) <= bill * Decimal("0.05")
    assert {image["drawn_by"] for image in site.report()["pictures"]} == {FLARE}
    assert site.requests_of_build() == 0


def test_plan_names_the_replacement(shut_down: Callable[..., PaidSite]) -> None:
    site = shut_down()
    check = site.command("check")
    assert check.stderr.count(f"{FLARE} replaces it") == 1
    assert site.command("generate", "--dry-run").stderr.count(f"{FLARE} replaces it") == 1
    result = site.command("plan")
    assert f"{FLARE} replaces it" in result.stderr
    assert "a build generates 8 images (about $0.082)" in result.stdout


def test_plan_announces_a_shutdown_also_if_no_image_is_missing(paid_site: PaidSite) -> None:
    del paid_site.options["model"]
    paid_site.write_prompts("A balloon")
    paid_site.build()
    assert SHUTDOWN.search(paid_site.command("plan").stderr)


def test_command_generates_with_the_replacement(shut_down: Callable[..., PaidSite]) -> None:
    site = shut_down()
    result = site.command("generate")
    assert (result.exit_code, models_of(site)) == (0, [FLARE] * 8)
    assert result.stderr.count("replaces it") == 1


def test_server_generates_with_the_replacement(shut_down: Callable[..., PaidSite]) -> None:
    site = shut_down(2)
    site.options.update({"serve": "generate", "serve_delay": 0})
    with serving(site):
        wait_until(lambda: site.emulator.requests == 2)
    assert models_of(site) == [FLARE] * 2


def test_draft_of_a_model_shut_down_is_generated_by_its_replacement(
    shut_down: Callable[..., PaidSite],
) -> None:
    site = shut_down(1)
    site.options.update({"serve": "generate", "serve_delay": 0, "draft": {"model": MINI}})
    site.write_prompts("One", model="openai/gpt-image-2")
    with serving(site):
        wait_until(lambda: site.emulator.requests == 1)
    assert models_of(site) == [FLARE]


@pytest.mark.parametrize("pages", [("a.md", "b.md"), ("b.md", "a.md")])
def test_image_that_names_its_model_does_not_decide_for_an_equal_one(
    shut_down: Callable[..., PaidSite], pages: tuple[str, str]
) -> None:
    site = shut_down(0)
    for page, options in zip(pages, ({}, {"model": MINI}), strict=True):
        site.write(page, f"# Page\n\n{fence('One', **options)}")
    built = site.build()
    assert models_of(site) == [FLARE]
    assert "<img" in built.page(pages[0].replace(".md", "/index.html"))
    assert site.requests_of_build() == 0
    assert site.states == ["ready"] * 2


def test_only_dearer_models_get_no_request(shut_down: Callable[..., PaidSite]) -> None:
    left = {f"openai/gpt-image-2.{each}-sunburst" for each in (5, 6)}
    site = shut_down(40, shut_down=MODELS.keys() - left)
    built = site.build()
    assert site.emulator.requests == 0
    (warning,) = built.warnings
    assert f"{MINI} was shut down on 2026-12-01" in warning
    assert warning.count("$") == 3
    assert "set `model: openai/gpt-image-2.5-sunburst`" in warning
    assert len("".join(lines_of(built))) < 1500


_SHAPES = [
    pytest.param(fault, marks=[pytest.mark.slow] if number % 3 else [])
    for number, fault in enumerate(SHUTDOWN_FAULTS)
]


@pytest.mark.parametrize("fault", _SHAPES)
def test_every_answer_about_a_shutdown_is_understood(
    shut_down: Callable[..., PaidSite], fault: str
) -> None:
    options = {"shutdown_fault": fault, "lists_shut_down": True}
    site = shut_down(5, **options)
    site.options.update({"concurrency": 3, "fallback_models": []})
    built = site.build()
    assert 1 <= site.emulator.requests <= 3
    assert site.emulator.bill.images == 0
    (warning,) = built.warnings
    assert "was shut down" in warning
    assert f"{FLARE} ($" in warning
    assert len("\n".join(lines_of(built))) < 1500
    assert site.requests_of_build() == 0
    site.options["fallback_models"] = "auto"
    assert site.requests_of_build() == 5
    assert models_of(site)[-5:] == [FLARE] * 5


def test_following_the_advice_makes_nothing_stale(shut_down: Callable[..., PaidSite]) -> None:
    site = shut_down()
    site.build()
    assert site.requests_of_build(model=FLARE) == 0
    assert "8 reused" in site.built.summary
    assert "stale" not in site.built.summary
    assert site.command("generate", "--upgrade").exit_code == 0
    assert site.emulator.requests == 8


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"model": "openai/gpt-image-2"},
        {"quality": "high"},
        {"gateway": {"provider_options": {"openai": {"complexity": "low"}}}},
    ],
)
def test_images_made_before_the_shutdown_stay(
    shut_down: Callable[..., PaidSite], options: dict[str, Any]
) -> None:
    site = shut_down(3, today=date(2026, 11, 1))
    site.build()
    assert models_of(site) == [MINI] * 3
    with EmulatorServer(PaidEmulator(today=AFTER)) as server:
        site.options["gateway"]["url"] = server.url
        for name, value in options.items():
            old = site.options.get(name)
            site.options[name] = old | value if isinstance(old, dict) else value
        assert site.build(strict=True).summary.startswith("imagegen: 3 images: 3 reused")
        assert not server.emulator.log

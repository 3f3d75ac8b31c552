"""`mkdocs serve`: never loops, never waits, and spends only where it is told to."""

from __future__ import annotations

import base64
import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from tests.serving import Server, serving
from tests.support import Site
from tests.waiting import MAX_WAIT_S

FENCE = "```imagegen\nA red balloon\n```\n"
KEY = {"TEST_KEY": "a-key"}


class Latency:
    """A gateway's pause that a test can watch and end."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.asked = threading.Event()
        self.over = threading.Event()

    def __call__(self, _: float) -> None:
        self.asked.set()
        self.over.wait(self.seconds)


@contextmanager
def generating(site: Site, emulator: Emulator, **options: object) -> Iterator[Server]:
    """A server that has its images made by an emulator on a socket."""
    site.options.update({"serve": "generate", "serve_delay": 0.5} | options)
    with EmulatorServer(emulator) as gateway:
        site.options["gateway"] = {"url": gateway.url, "key_env": "TEST_KEY"}
        with serving(site, environ=KEY) as server:
            yield server


def fence(prompt: str) -> str:
    return f"```imagegen\n{prompt}\n```\n"


def stored(site: Site) -> list[dict[str, object]]:
    return [json.loads(path.read_text()) for path in site.originals.rglob("*.json")]


@pytest.mark.parametrize("arguments", [(), ("--clean",)])
def test_serving_spends_nothing_and_rests(
    site: Site, gateway_url: str, emulator: Emulator, arguments: tuple[str, ...]
) -> None:
    site.options["gateway"] = {"url": gateway_url, "key_env": "TEST_KEY"}
    site.write("index.md", f"# Page\n\n{FENCE}")
    with serving(site, *arguments, environ=KEY) as server:
        assert "`mkdocs serve` does not generate images" in server.placeholder_text()
        assert "A red balloon" in server.placeholder_text()
        time.sleep(1)
        assert server.builds() == 1
        site.write("index.md", f"# Page\n\nChanged\n\n{FENCE}")
        server.wait_for_builds(2)
        time.sleep(1.5)
        assert server.builds() == 2
        assert list(emulator.log) == []
        assert "Traceback" not in server.output


def test_a_prompt_that_has_rested_is_made_and_shown_by_itself(site: Site) -> None:
    latency = Latency(2 * MAX_WAIT_S)
    emulator = Emulator(latency_s=1, pause=latency)
    site.write("index.md", f"# Page\n\n{fence('A red balloon')}")
    with generating(site, emulator, serve_delay=6) as server:
        assert "This image will be generated soon" in server.placeholder_text()
        assert "at the earliest 6 s after" in server.placeholder_text()
        assert 'width="1536" height="1024"' in server.get(server.image_files()[0])
        assert not latency.asked.is_set()
        assert latency.asked.wait(MAX_WAIT_S)
        site.write("other.md", "# Another page\n")
        server.wait_for_text("This image is being generated")
        assert server.builds() == 2
        latency.over.set()
        server.wait_for_image()
        builds = server.builds()
        time.sleep(4)
        assert server.builds() == builds == 3
        assert server.end() == 0
        assert "generated in" in server.output
        assert "generated 1 image while serving ($0.0" in server.output
    assert emulator.bill.images == 1 == len(stored(site))


@pytest.mark.slow
def test_many_quick_edits_of_a_prompt_make_one_call(site: Site) -> None:
    emulator = Emulator()
    site.write("index.md", f"# Page\n\n{fence('A balloon')}")
    with generating(site, emulator, serve_delay=8) as server:
        for number in range(10):
            site.write("index.md", f"# Page\n\n{fence(f'A balloon, take {number}')}")
            time.sleep(0.7)
        server.wait_for_image()
        assert server.builds() > 3
    assert [each.prompt for each in emulator.log if each.prompt] == ["A balloon, take 9"]


@pytest.mark.parametrize("is_deleted", [True, False])
def test_what_is_deleted_while_it_waits_costs_nothing(site: Site, is_deleted: bool) -> None:
    emulator = Emulator()
    site.write("index.md", "# Home\n")
    path = site.write("page.md", f"# Page\n\n{FENCE}")
    with generating(site, emulator, serve_delay=6) as server:
        if is_deleted:
            path.unlink()
        else:
            site.write("page.md", "# Page without\n")
        server.wait_for_builds(2)
        time.sleep(8)
        assert server.builds() == 2
    assert list(emulator.log) == []


def test_a_whole_serve_stays_within_the_budget(site: Site) -> None:
    emulator = Emulator()
    site.write("index.md", f"# Page\n\n{fence('A')}")
    with generating(site, emulator, budget={"images": 1}) as server:
        server.wait_for_image()
        site.write("index.md", f"# Page\n\n{fence('A')}\n{fence('B')}")
        server.wait_for_text("This image is over budget")
        assert "exceeds the budget of 1 images per run" in server.placeholder_text()
        assert emulator.bill.images == 1
        site.options["budget"] = {"images": 2}
        site.save()
        server.wait_for_image()
    assert emulator.bill.images == 2


@pytest.mark.parametrize(
    ("fault", "title"),
    [
        ("moderation-blocked", "This prompt was refused"),
        ("server-error", "This image could not be generated"),
        ("authentication", "This image could not be generated"),
    ],
)
def test_a_failure_is_shown_and_told_and_ends_nothing(site: Site, fault: str, title: str) -> None:
    emulator = Emulator(plan=[fault])
    site.write("index.md", f"# Page\n\n{FENCE}")
    with generating(site, emulator, on_missing="error") as server:
        server.wait_for_text(title)
        time.sleep(2)
        assert server.builds() == 2
        assert 'image prompt "A red balloon": ' in server.output
        site.write("index.md", f"# Page\n\nChanged\n\n{FENCE}")
        server.wait_for_builds(3)
        time.sleep(1)
        assert title in server.placeholder_text()
        assert server.process.poll() is None
        assert "Traceback" not in server.output
    assert len([each for each in emulator.log if each.prompt]) == 1


def token(**claims: object) -> str:
    parts = ({"alg": "RS256"}, claims)
    coded = (base64.urlsafe_b64encode(json.dumps(each).encode()).decode() for each in parts)
    return ".".join([*(each.rstrip("=") for each in coded), "signature"])


@pytest.mark.parametrize(
    ("gateway", "environ", "why"),
    [
        (
            {"url": "http://127.0.0.1:9/v1", "key_env": "TEST_KEY"},
            {},
            "TEST_KEY is not set; set it",
        ),
        ({}, {}, "AI_GATEWAY_API_KEY is not set"),
        (
            {},
            {"VERCEL_OIDC_TOKEN": token(exp=4_000_000_000)},
            "Only Vercel&#x27;s OIDC token is set",
        ),
        ({}, {"AI_GATEWAY_API_KEY": "a-key", "OFFLINE": "1"}, "OFFLINE is set"),
    ],
)
def test_who_may_not_spend_is_told_why(
    site: Site, gateway: dict[str, str], environ: dict[str, str], why: str
) -> None:
    site.options.update(serve="generate", serve_delay=0, gateway=gateway, on_missing="error")
    site.write("index.md", f"# Page\n\n{FENCE}")
    with serving(site, environ=environ) as server:
        time.sleep(1)
        assert why in server.placeholder_text()
        assert server.output.count("serve: generate is set, but no images are generated: ") == 1
        assert server.builds() == 1
        assert server.end() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_the_server_keeps_what_is_paid_for(site: Site, number: int) -> None:
    latency = Latency(3)
    emulator = Emulator(latency_s=1, pause=latency)
    site.write("index.md", f"# Page\n\n{FENCE}")
    with generating(site, emulator) as server:
        assert latency.asked.wait(MAX_WAIT_S)
        code = server.end(number)
        assert code == (0 if number == signal.SIGINT else 128 + number)
        assert "press Ctrl-C again to stop now" in server.output
        assert "Traceback" not in server.output
    assert emulator.bill.images == 1 == len(stored(site))


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_the_server_at_once(site: Site, second: int) -> None:
    latency = Latency(2 * MAX_WAIT_S)
    site.write("index.md", f"# Page\n\n{FENCE}")
    with generating(site, Emulator(latency_s=1, pause=latency)) as server:
        assert latency.asked.wait(MAX_WAIT_S)
        server.process.send_signal(signal.SIGINT)
        server.wait_until(lambda: "press Ctrl-C again" in server.output)
        assert server.end(second) == 130  # the gateway has sent no response
        latency.over.set()
    assert "Traceback" not in server.output
    assert stored(site) == []
    assert len(list((site.folder / ".cache/plugin/imagegen/journal").glob("*.intent"))) == 1


@pytest.mark.parametrize("options", [{"serve": "sketch"}, {"gateway": {"url": "sketch:"}}])
def test_sketches_cost_nothing_and_no_save_waits_for_them(
    site: Site, options: dict[str, object]
) -> None:
    site.options.pop("gateway")
    site.options.update(options)
    site.write("index.md", f"# Page\n\n{FENCE}")
    with serving(site) as server:
        server.wait_for_image()
        assert server.builds() == 2
        site.write("index.md", f"# Page\n\n{fence('A blue balloon')}")
        server.wait_for_builds(3)
        server.wait_for_image()
        time.sleep(2)
        assert server.builds() == 4
        assert "while serving (" not in server.output
    assert [each["model"] for each in stored(site)] == ["imagegen/sketch"] * 2


def test_a_draft_is_shown_while_serving_and_never_built(site: Site) -> None:
    emulator = Emulator()
    site.options["report"] = "report.json"
    site.write("index.md", f"# Page\n\n{FENCE}")
    with EmulatorServer(emulator) as gateway:
        site.options.update(serve="generate", serve_delay=0.3, draft={"quality": "low"})
        site.options["gateway"] = {"url": gateway.url, "key_env": "TEST_KEY"}
        with serving(site, environ=KEY) as server:
            server.wait_for_image()
            assert [each["state"] for each in site.report()["pictures"]] == ["draft"]
        price = emulator.bill.usd
        done = site.run("build", environ=KEY)
    assert done.returncode == 0, done.stderr
    assert [each["state"] for each in site.report()["pictures"]] == ["made"]
    assert emulator.bill.images == 2
    assert emulator.bill.usd > 2 * price
    assert len({each["key"] for each in stored(site)}) == 2


def test_every_language_gets_its_image(site: Site) -> None:
    pytest.importorskip("mkdocs_static_i18n")
    languages = [
        {"locale": "en", "name": "English", "default": True, "build": True},
        {"locale": "fr", "name": "Français", "build": True},
    ]
    site.config["plugins"] = [
        {"i18n": {"docs_structure": "suffix", "languages": languages}},
        *site.config["plugins"],
    ]
    emulator = Emulator()
    site.write("index.md", f"# Page\n\n{fence('A balloon')}")
    site.write("index.fr.md", f"# Page\n\n{fence('Un ballon')}")
    with generating(site, emulator, serve_delay=1) as server:
        server.wait_for_image()
        server.wait_for_image("fr/")
        builds = server.builds()
        time.sleep(3)
        assert server.builds() == builds
    assert sorted(each.prompt for each in emulator.log if each.prompt) == ["A balloon", "Un ballon"]


def test_changed_settings_count_without_a_new_start(site: Site) -> None:
    emulator = Emulator()
    site.write("index.md", f"# Page\n\n{FENCE}")
    with generating(site, emulator, serve="placeholder") as server:
        assert "`mkdocs serve` does not generate images" in server.placeholder_text()
        site.options["serve"] = "generate"
        site.save()
        server.wait_for_image()
        site.options["model"] = "openai/gpt-image-1.5"
        site.save()
        site.write("index.md", f"# Page\n\n{fence('A blue balloon')}")
        server.wait_until(lambda: emulator.bill.images == 2)
        server.wait_for_image()
    asked = [each.model for each in emulator.log if each.prompt]
    assert asked == ["openai/gpt-image-1-mini", "openai/gpt-image-1.5"]


def test_dirty_server_builds_only_after_a_save(site: Site) -> None:
    """MkDocs builds no page whose source is unchanged, so a rebuild would show no image."""
    emulator = Emulator()
    site.write("index.md", f"# Page\n\n{FENCE}")
    site.options.update(serve="generate", serve_delay=0.3)
    with EmulatorServer(emulator) as gateway:
        site.options["gateway"] = {"url": gateway.url, "key_env": "TEST_KEY"}
        with serving(site, "--dirty", environ=KEY) as server:
            server.wait_until(lambda: "generated in" in server.output)
            time.sleep(2)
            assert server.builds() == 1
            site.write("index.md", f"# Page\n\nChanged\n\n{FENCE}")
            server.wait_for_image()
            time.sleep(2)
            assert server.builds() == 2
    assert emulator.bill.images == 1


def test_a_mistake_while_serving_shows_in_full_and_the_server_lives(site: Site) -> None:
    site.write("index.md", "# Page\n")
    with serving(site) as server:
        site.write("index.md", "# Page\n\n![A dog](imagegen:){ widht=3 }\n")
        server.wait_for_builds(2)
        assert server.process.poll() is None
        assert "did you mean" in server.output

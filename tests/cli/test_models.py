"""`models` and `credits`: what the server says of itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.errors import InvalidResponseError
from mkdocs_imagegen.gateway.offers import Health, endpoints_path, read_credits, read_health
from tests.support import Site

KEY = "canary-4f1c9e-credential"


@pytest.fixture
def keyed(site: Site, gateway_url: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site whose server wants a key for what costs money; there is one."""
    monkeypatch.setenv("TEST_KEY", KEY)
    site.options["gateway"] = {"url": gateway_url, "key_env": "TEST_KEY"}
    return site


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(require_key=True)


def test_models_are_listed_without_a_key(keyed: Site, run, monkeypatch, emulator) -> None:
    monkeypatch.delenv("TEST_KEY")
    told = run("models", "--json").json["models"]
    by_model = {each["model"]: each for each in told}
    mini = by_model["openai/gpt-image-1-mini"]
    assert (mini["in_use"], mini["usd"]) == (True, "0.015")
    assert [each["model"] for each in told if each["in_use"]] == ["openai/gpt-image-1-mini"]
    assert "uptime_percent" not in mini
    assert [seen.path for seen in emulator.log] == ["/v1/models"]
    assert keyed.docs.exists()


def test_prices_are_for_the_size_and_quality_in_use(keyed: Site, run) -> None:
    keyed.options["size"], keyed.options["quality"] = "1024x1024", "low"
    told = run("models", "--json").json["models"]
    assert {each["model"]: each["usd"] for each in told}["openai/gpt-image-1-mini"] == "0.005"


def test_lines_mark_the_one_in_use(keyed: Site, run) -> None:
    keyed.options["model"] = "openai/gpt-image-2"
    lines = run("models").lines
    assert [line.split()[1] for line in lines if line.startswith("*")] == ["openai/gpt-image-2"]


def test_a_model_that_is_gone_is_told(keyed: Site, run) -> None:
    keyed.options["model"] = "openai/gpt-image-1"
    last = run("models").lines[-1]
    assert last == "openai/gpt-image-1, which mkdocs.yml sets, is not among them"


def test_health_is_one_call_for_each_model(keyed: Site, run, emulator: Emulator) -> None:
    told = run("models", "--health", "--json").json["models"]
    assert {each["uptime_percent"] for each in told} == {100}
    assert {each["providers"] for each in told} == {1}
    assert len(emulator.log) == 1 + len(told)
    assert "100 %" in run("models", "--health").lines[0]
    assert keyed.docs.exists()


def test_sketches_have_their_market_without_a_socket(site: Site, run) -> None:
    site.write("index.md", "# Page\n")
    told = run("models", "--json").json["models"]
    assert [each["model"] for each in told if each["in_use"]] == ["imagegen/sketch"]


@pytest.mark.parametrize("command", ["models", "credits"])
def test_a_server_that_is_not_there_ends_with_2(
    site: Site, run, command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    site.options["gateway"] = {"url": "http://127.0.0.1:9/v1", "key_env": "TEST_KEY"}
    done = run(command, code=2)
    assert "no connection to the server" in done.told
    assert KEY not in done.told + done.said


def test_credits_need_the_key(keyed: Site, run, monkeypatch, emulator: Emulator) -> None:
    assert run("credits").lines == ["$100.00 left"]
    assert run("credits", "--json").json == {"balance_usd": "100", "used_usd": "0"}
    monkeypatch.delenv("TEST_KEY")
    assert "TEST_KEY is not set" in run("credits", code=2).told
    assert len(emulator.log) == 2
    assert keyed.docs.exists()


def test_a_key_that_is_not_accepted_is_told(keyed: Site, run) -> None:
    keyed.options["gateway"]["auth"] = "none"
    assert "the API key is not accepted" in run("credits", code=2).told


@dataclass
class Endpoint:
    """One provider of a model, as a server tells of it."""

    status: object = 0
    uptime_last_1d: object = 99.5
    latency_last_1h: object = field(default_factory=lambda: {"p50": 900, "p95": 4000})


def endpoints(*listed: object) -> bytes:
    every = [vars(each) if isinstance(each, Endpoint) else each for each in listed]
    return json.dumps({"data": {"endpoints": every}}).encode()


@pytest.mark.parametrize(
    ("body", "health"),
    [
        (endpoints(Endpoint()), Health(99.5, 900, 1)),
        (endpoints(Endpoint(), Endpoint(0, 98, {"p50": 700})), Health(99.5, 700, 2)),
        (endpoints(Endpoint(), Endpoint(-5, 100, {"p50": 1})), Health(99.5, 900, 1)),
        (endpoints(Endpoint(0, None, None)), Health(None, None, 1)),
        (endpoints(Endpoint(0, "99", {"p50": True})), Health(None, None, 1)),
        (endpoints(3, None, [], {}), Health(None, None, 1)),
        (b'{"data": {"endpoints": 3}}', Health(None, None, 0)),
        (b'{"data": []}', Health(None, None, 0)),
        (b"[]", Health(None, None, 0)),
        (b"no JSON", Health(None, None, 0)),
    ],
)
def test_health_is_read_from_whatever_a_server_tells(body: bytes, health: Health) -> None:
    assert read_health(body) == health


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"balance": "much"}', b'{"balance": null}'])
def test_credits_that_are_not_told_are_an_error(body: bytes) -> None:
    with pytest.raises(InvalidResponseError):
        read_credits(body)


def test_a_models_name_stays_inside_its_path() -> None:
    assert endpoints_path("a/b?c#d") == "models/a/b%3Fc%23d/endpoints"

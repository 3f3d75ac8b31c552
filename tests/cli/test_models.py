"""The command `models`."""

from __future__ import annotations

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from tests.support import Site

KEY = "canary-4f1c9e-credential"


@pytest.fixture
def keyed(site: Site, gateway_url: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site whose gateway charges an API key."""
    monkeypatch.setenv("TEST_KEY", KEY)
    site.options["gateway"] = {"url": gateway_url, "key_env": "TEST_KEY"}
    return site


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(require_key=True)


@pytest.mark.usefixtures("keyed")
def test_models_are_listed_without_an_api_key(run, monkeypatch, emulator: Emulator) -> None:
    monkeypatch.delenv("TEST_KEY")
    models = run("models", "--json").json["models"]
    mini = next(each for each in models if each["model"] == "openai/gpt-image-1-mini")
    assert list(mini) == ["model", "usd", "price", "ends", "in_use"]
    assert (mini["in_use"], mini["usd"]) == (True, "0.015")
    assert [each["model"] for each in models if each["in_use"]] == ["openai/gpt-image-1-mini"]
    assert [request.path for request in emulator.log] == ["/v1/models"]


def test_models_of_the_emulator_are_said_to_be_simulated(site: Site, run) -> None:
    site.options["gateway"] = {"url": "sketch:"}
    assert run("models").stderr.startswith("simulated: the site draws sketches; ")


def test_prices_are_for_the_configured_size_and_quality(keyed: Site, run) -> None:
    keyed.options["size"], keyed.options["quality"] = "1024x1024", "low"
    models = run("models", "--json").json["models"]
    assert {each["model"]: each["usd"] for each in models}["openai/gpt-image-1-mini"] == "0.005"


def test_configured_model_is_marked(keyed: Site, run) -> None:
    keyed.options["model"] = "openai/gpt-image-2"
    lines = run("models").lines
    assert [line.split()[1] for line in lines if line.startswith("*")] == ["openai/gpt-image-2"]


def test_configured_model_that_is_not_listed_is_named(keyed: Site, run) -> None:
    keyed.options["model"] = "openai/gpt-image-1"
    assert run("models").lines[-1] == (
        "openai/gpt-image-1, the configured model, is not listed; the server may accept it anyway"
    )


@pytest.mark.usefixtures("keyed")
def test_health_takes_one_request_per_model(run, emulator: Emulator) -> None:
    models = run("models", "--health", "--json").json["models"]
    assert {each["uptime_percent"] for each in models} == {100}
    assert {each["providers"] for each in models} == {1}
    assert len(emulator.log) == 1 + len(models)
    assert "100 %" in run("models", "--health").lines[0]


def test_embedded_emulator_lists_its_model(site: Site, run) -> None:
    site.write("index.md", "# Page\n")
    models = run("models", "--json").json["models"]
    assert [each["model"] for each in models if each["in_use"]] == ["imagegen/sketch"]


@pytest.mark.parametrize("name", ["models", "credits"])
def test_unreachable_gateway_is_an_error(
    site: Site, run, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    site.options["gateway"] = {"url": "http://127.0.0.1:9/v1", "key_env": "TEST_KEY"}
    done = run(name, code=2)
    assert "connection" in done.error[0]
    assert KEY not in done.stderr + done.stdout

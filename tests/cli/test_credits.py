"""The command `credits`."""

from __future__ import annotations

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from tests.support import Site


@pytest.fixture
def keyed(site: Site, gateway_url: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site whose gateway charges an API key."""
    monkeypatch.setenv("TEST_KEY", "canary-4f1c9e-credential")
    site.options["gateway"] = {"url": gateway_url, "key_env": "TEST_KEY"}
    return site


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(require_key=True)


@pytest.mark.usefixtures("keyed")
def test_credits_show_the_balance(run) -> None:
    assert run("credits").lines == ["$100.00 left, $0.00 used"]
    assert run("credits", "--json").json == {"balance_usd": "100", "used_usd": "0"}


def test_balance_of_the_emulator_is_said_to_be_simulated(site: Site, run) -> None:
    site.options["gateway"] = {"url": "sketch:"}
    assert run("credits").stderr.startswith("simulated: the site draws sketches; ")


@pytest.mark.usefixtures("keyed")
def test_credits_without_an_api_key_make_no_request(run, monkeypatch, emulator: Emulator) -> None:
    monkeypatch.delenv("TEST_KEY")
    assert "TEST_KEY" in "".join(run("credits", code=2).error)
    assert list(emulator.log) == []


def test_rejected_api_key_is_an_error(keyed: Site, run) -> None:
    keyed.options["gateway"]["auth"] = "none"
    assert "key" in run("credits", code=2).error[0]

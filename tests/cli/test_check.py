"""The command `check`."""

from __future__ import annotations

import socket

import pytest

from tests.cli.support import fence, store_as_real_model
from tests.support import Site


@pytest.fixture
def three(emulated: Site) -> Site:
    emulated.write("index.md", f"# Page\n\n{fence('A ferry')}{fence('A crane', quality='high')}")
    emulated.write("guide/one.md", f"# One\n\n{fence('A ferry')}")
    return emulated


def test_check_passes_when_every_image_exists(three: Site, run) -> None:
    three.build()
    sketches = "2 of 2 images drawn as sketches"
    assert run("check").lines == [sketches, "no images are missing"]
    assert run("check", "--json").json == {"ok": True, "lacking": [], "sketches": 2}


def test_check_does_not_mention_sketches_without_any(three: Site, run) -> None:
    three.build()
    store_as_real_model(three)
    three.write("index.md", f"# Page\n\n{fence('A ferry')}")
    assert run("check").lines == ["no images are missing"]


@pytest.mark.usefixtures("three")
def test_check_lists_missing_images(run) -> None:
    lines = run("check", code=1).lines
    assert lines[0] == 'docs/index.md:3  missing  $0.015  "A ferry"'
    assert lines[3] == ("2 of 2 images are missing or invalid")
    done = run("check", "--json", code=1).json
    assert not done["ok"]
    assert [each["line"] for each in done["lacking"]] == [3, 7, 3]


def test_check_fails_when_a_directive_is_invalid(emulated: Site, run) -> None:
    emulated.write("index.md", f"# Page\n\n{fence('A ferry', sise='1x1')}")
    assert run("check", code=1).lines[-1] == "1 of 1 image is missing or invalid"


@pytest.mark.usefixtures("three")
def test_check_opens_no_connection(run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    run("check", code=1)
    run("plan")

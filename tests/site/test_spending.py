"""Permission to generate: API key, OIDC token, offline builds and `mkdocs serve`."""

from __future__ import annotations

import base64
import json
import time

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.sketches.drawing import draw
from tests.emulator.support import draw_request
from tests.support import Site

FENCE = "```imagegen\nA red balloon\n```\n"
CANARY = "canary-4f1c9e-credential"


@pytest.fixture
def keyed(site: Site, gateway_url: str) -> Site:
    """Return a site whose server requires an API key, as the gateway does."""
    site.options["gateway"] = {"url": gateway_url, "key_env": "TEST_KEY"}
    site.write("index.md", f"# Page\n\n{FENCE}")
    return site


def test_missing_image_is_reported_with_location_when_key_is_not_set(
    keyed: Site, emulator: Emulator
) -> None:
    built = keyed.build()
    (warning,) = built.warnings
    assert warning == (
        "imagegen: docs/index.md:3: the image is missing: TEST_KEY is not set; set it, "
        'use sketches with `gateway: {url: "sketch:"}`, or set `on_missing: placeholder`'
    )
    assert "missing-" in built.page("index.html")
    assert list(emulator.log) == []


def test_strict_build_fails_when_key_is_not_set(keyed: Site) -> None:
    assert keyed.run("build").returncode == 0
    assert keyed.run("build", "--strict").returncode == 1


def test_missing_image_is_silent_or_an_error_when_on_missing_says_so(keyed: Site) -> None:
    keyed.options["on_missing"] = "placeholder"
    assert keyed.build(strict=True).warnings == []
    keyed.options["on_missing"] = "error"
    done = keyed.run("build", "--strict", "-q")
    assert done.returncode == 1
    assert "docs/index.md:3: the image is missing" in done.stderr
    assert "Traceback" not in done.stderr


def test_image_is_generated_when_key_is_set(
    keyed: Site, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", CANARY)
    assert "1 sketch drawn" in keyed.build(strict=True).summary
    assert emulator.bill.images == 1


def test_gateway_credentials_are_not_sent_to_another_server(
    keyed: Site, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AI_GATEWAY_API_KEY", CANARY)
    monkeypatch.setenv("VERCEL_OIDC_TOKEN", CANARY)
    keyed.options["generate"] = True
    keyed.build()
    keyed.options["gateway"]["auth"] = "none"
    del keyed.options["gateway"]["key_env"]
    keyed.build()
    assert {seen.credential for seen in emulator.log} == {"none"}


@pytest.mark.parametrize(
    ("environ", "options"),
    [({"OFFLINE": "true"}, {}), ({}, {"generate": False}), ({"OFFLINE": "1"}, {"generate": True})],
)
def test_build_sends_no_request_when_offline_or_generate_is_false(
    keyed: Site,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    options: dict[str, bool],
) -> None:
    for name, value in (environ | {"TEST_KEY": CANARY}).items():
        monkeypatch.setenv(name, value)
    keyed.options.update(options)
    assert "1 missing" in keyed.build().summary
    assert list(emulator.log) == []


@pytest.mark.parametrize("command", ["serve"])
def test_serve_sends_no_request_and_logs_no_warning_by_default(
    keyed: Site, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("TEST_KEY", CANARY)
    keyed.options["on_missing"] = "error"
    built = keyed.build(command=command)
    assert built.warnings == []
    assert "1 missing" in built.summary
    assert list(emulator.log) == []


def oidc_token(expires: float) -> str:
    parts = ({"alg": "none"}, {"exp": int(expires)}, {})
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )


def test_oidc_token_is_not_used_when_generate_is_auto(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every build on Vercel has a token. The warning proves that no request is sent."""
    monkeypatch.setenv("VERCEL_OIDC_TOKEN", oidc_token(time.time() + 3600))
    del site.options["gateway"]
    site.write("index.md", FENCE)
    (warning,) = site.build().warnings
    assert "only Vercel's OIDC token is set; set `generate: true`" in warning


def test_warning_names_renewal_command_when_oidc_token_is_expired(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERCEL_OIDC_TOKEN", oidc_token(time.time() - 60))
    site.options["generate"] = True
    del site.options["gateway"]
    site.write("index.md", FENCE)
    (warning,) = site.build().warnings
    assert "vercel env pull" in warning


def test_sketch_of_emulator_server_is_not_reused_when_gateway_is_set(
    keyed: Site, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The originals come from an emulator on a socket; then the URL of the gateway is set."""
    monkeypatch.setenv("TEST_KEY", CANARY)
    site = keyed
    assert "1 sketch drawn" in site.build(strict=True).summary
    assert site.build(strict=True).summary.startswith("imagegen: 1 image: 1 sketch reused")
    assert emulator.bill.images == 1
    del site.options["gateway"]
    built = site.build()
    assert "1 image: 1 missing" in built.summary
    assert built.images() == {}


def test_sketches_in_ci_log_no_warning_about_lost_images(
    keyed: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sketches are free, so generating them again costs nothing."""
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("TEST_KEY", CANARY)
    assert keyed.build(strict=True).warnings == []


def test_sketch_of_unsupported_size_is_reported_once_per_location(site: Site) -> None:
    odd = '![A mug](imagegen:){ size="400x200" take=2 }'
    site.write("index.md", f"# Page\n\n![A mug](imagegen:){{ size=400x200 }}\n\n{odd}\n")
    site.write("more.md", "# More\n\n![A cup](imagegen:){ size=400x300 }\n")
    site.write("plain.md", "# Plain\n\n![A jug](imagegen:){ size=1024x1024 }\n")
    for _ in ("drawn", "reused"):
        built = site.build(strict=True)
        messages = [text for text in built.infos if "a sketch is shown, but" in text]
        assert sorted(text.partition(" (")[0] for text in messages) == [
            f"imagegen: {location}: image prompt: a sketch is shown, but "
            f'openai/gpt-image-1-mini does not support size "{size}"'
            for location, size in (("docs/index.md:3", "400x200"), ("docs/more.md:3", "400x300"))
        ]
    site.options["model"] = "somebody/else"
    assert not any("a sketch is shown, but" in text for text in site.build().infos)


def test_sketch_of_unsupported_quality_is_reported_with_close_match(site: Site) -> None:
    site.write("index.md", "# Page\n\n![A mug](imagegen:){ quality=hihg }\n")
    (message,) = (text for text in site.build(strict=True).infos if "a sketch is shown" in text)
    assert message.endswith('did you mean "high"?')


def test_each_take_draws_another_sketch(site: Site) -> None:
    takes = "".join(f"![A mug](imagegen:){{ take={take} }}\n" for take in (1, 2, 3))
    site.write("index.md", f"# Page\n\n{takes}")
    site.build(strict=True)
    drawn = {path.read_bytes() for path in site.originals.rglob("*.webp")}
    assert len(drawn) == 3
    assert draw(draw_request("A mug", 1536, 1024, output_format="webp"), seed="0") in drawn

"""Messages of a build in which many images are missing for one cause."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from tests.manual.pages import DOCS
from tests.paid import MODEL, PaidSite
from tests.support import Built, Site

pytestmark = pytest.mark.slow  # builds of 200 images

PAGES, ON_EACH = 50, 4
IMAGES = PAGES * ON_EACH
MAX_LINES, MAX_CHARS = 3, 1_500
AT = "(docs/page00.md:3, docs/page00.md:7, docs/page00.md:11, 197 more)"
KEY = {"AI_GATEWAY_API_KEY": "a-key"}
CLOSED = "http://127.0.0.1:9/v1"
WAYS = 'use sketches with `gateway: {url: "sketch:"}`, or set `on_missing: placeholder`'
TOKEN = ".".join(
    base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
    for part in ({"alg": "RS256"}, {"exp": 4_000_000_000}, {})
)


def write_pages(site: Site) -> None:
    for page in range(PAGES):
        blocks = (f"```imagegen\nPrompt {page}, {number}\n```\n\n" for number in range(ON_EACH))
        site.write(f"page{page:02}.md", "# Page\n\n" + "".join(blocks))


def own_lines(built: Built) -> list[str]:
    texts = (each.getMessage() for each in built.records)
    return [line for text in texts if text.startswith("imagegen: ") for line in text.splitlines()]


@pytest.fixture
def many(site: Site) -> Site:
    """A site with 200 images of a model without a shutdown date."""
    site.options["model"] = MODEL
    write_pages(site)
    return site


@pytest.fixture
def rejecting(many: Site) -> Iterator[Site]:
    """A site whose server rejects the API key."""
    with EmulatorServer(Emulator(plan=["authentication"] * IMAGES)) as server:
        many.options["gateway"] = {"url": server.url, "key_env": "TEST_KEY"}
        yield many


CAUSES: dict[str, tuple[dict[str, object], dict[str, str], str, str]] = {
    "no key": ({"gateway": {}}, {}, "AI_GATEWAY_API_KEY is not set", f"set it, {WAYS}"),
    "key of another server": (
        {"gateway": {"url": CLOSED}},
        KEY,
        "gateway.key_env is not set (AI_GATEWAY_API_KEY is for Vercel's AI Gateway only)",
        "add `key_env: NAME` (a variable with its API key) or `auth: none` under `gateway:`, "
        + WAYS,
    ),
    "generate is false": (
        {"gateway": {}, "generate": False},
        KEY,
        "generate is false",
        "set `generate: auto` or `on_missing: placeholder`",
    ),
    "offline": (
        {"gateway": {}},
        KEY | {"OFFLINE": "1"},
        "OFFLINE is set",
        "unset it and build again",
    ),
    "no consent to use the token": (
        {"gateway": {}},
        {"VERCEL_OIDC_TOKEN": TOKEN},
        "only Vercel's OIDC token is set",
        "set `generate: true` to spend with it, or set AI_GATEWAY_API_KEY",
    ),
    "no budget": (
        {"gateway": {"url": CLOSED, "auth": "none"}, "budget": {"images": 0}},
        {},
        "no budget left for another image (0 of 0 images per run)",
        "build again, or raise `budget.images`",
    ),
    "no connection": (
        {"gateway": {"url": CLOSED, "auth": "none"}},
        {},
        "no connection to the server (ConnectError: All connection attempts failed)",
        "check the network, gateway.url and the proxy variables of the environment",
    ),
}
"""Options, environment, problem and next step."""


@pytest.mark.parametrize("cause", CAUSES)
def test_one_cause_is_one_warning(many: Site, monkeypatch: pytest.MonkeyPatch, cause: str) -> None:
    options, environ, problem, hint = CAUSES[cause]
    many.options.update({"max_wait": 0} | options)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    built = many.build()
    assert built.warnings == [f"imagegen: 200 images are missing: {problem} {AT}; {hint}"]
    lines = own_lines(built)
    assert (len(lines), lines[-1]) == (2, built.summary)
    assert built.summary.startswith("imagegen: 200 images: 200 ")
    assert len("\n".join(lines)) <= MAX_CHARS


@pytest.mark.parametrize("cause", CAUSES)
def test_manual_has_the_message(cause: str) -> None:
    page = (DOCS / "troubleshooting/index.md").read_text()
    _, _, problem, hint = CAUSES[cause]
    assert problem.partition(" (")[0] in page
    assert hint in page


def test_rejected_key_is_one_warning(rejecting: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", "a-key")
    built = rejecting.build()
    (warning,) = built.warnings
    assert warning.startswith(
        "imagegen: 200 images are missing: the API key is not accepted (status 401): "
        f'"The API key is invalid or revoked." {AT}; check the value of TEST_KEY ['
    )
    assert built.summary == "imagegen: 200 images: 200 failed"
    assert len(own_lines(built)) == 2


def test_images_above_the_budget_are_one_warning_next_to_generated_ones(
    paid_site: PaidSite,
) -> None:
    write_pages(paid_site)
    paid_site.options["budget"] = {"images": 3}
    built = paid_site.build()
    assert [text.partition(" (")[0] for text in built.warnings] == [
        "imagegen: 197 images are missing: no budget left for another image"
    ]
    assert len(own_lines(built)) == MAX_LINES
    assert paid_site.emulator.requests == 3


def test_failing_server_is_one_warning(many: Site) -> None:
    with EmulatorServer(Emulator(plan=["server-error"] * IMAGES, require_key=False)) as server:
        many.options["gateway"] = {"url": server.url, "auth": "none"}
        built = many.build()
    (warning,) = built.warnings
    assert warning.startswith("imagegen: 200 images are missing: the run was stopped: 5 requests")
    assert len(own_lines(built)) == 2


def test_missing_images_are_one_warning_of_a_strict_build(many: Site) -> None:
    many.options["gateway"] = {}
    done = many.run("build", "--strict")
    assert done.returncode == 1
    assert "Aborted with 1 warnings in strict mode!" in done.stdout + done.stderr


def test_build_that_must_not_miss_images_ends_with_one_line_for_each_cause(many: Site) -> None:
    many.options.update({"gateway": {}, "on_missing": "error"})
    many.write("page50.md", "# Page\n\n```imagegen\nsize: 1x1\n---\nA cup\n```\n")
    lines = [line for line in many.run("build", "-q").stderr.splitlines() if "images" in line]
    assert lines == [
        f"  200 images are missing: AI_GATEWAY_API_KEY is not set {AT}; set it, {WAYS}"
    ]


def test_folder_is_named_only_when_an_image_is_stored_in_it(paid_site: PaidSite) -> None:
    def is_named() -> bool:
        infos = paid_site.build().infos
        return any(
            "the generated images are stored in imagegen-originals" in text for text in infos
        )

    paid_site.write_prompts("A cup")
    paid_site.emulator.fault = "insufficient-funds"
    assert not is_named()
    paid_site.emulator.fault = "ok"
    assert is_named()
    paid_site.write_prompts("A cup", take=2)
    assert not is_named()


def test_cause_is_told_once_for_all_languages_of_a_run(site: Site) -> None:
    site.options["gateway"] = {}
    site.write("index.md", "# Page\n\n```imagegen\nA cup\n```\n")
    site.write("index.de.md", "# Seite\n\n```imagegen\nEine Tasse\n```\n")
    languages = [
        {"locale": "en", "default": True, "name": "English"},
        {"locale": "de", "name": "Deutsch"},
    ]
    site.config["plugins"].append({"i18n": {"docs_structure": "suffix", "languages": languages}})
    assert len(site.build().warnings) == 1


def test_folder_is_not_named_for_sketches_of_a_server(site: Site) -> None:
    site.write("index.md", "# Page\n\n![A cup](imagegen:)\n")
    with EmulatorServer(Emulator(require_key=False)) as server:
        site.options["gateway"] = {"url": server.url, "auth": "none"}
        built = site.build()
    assert "1 sketch drawn" in built.summary
    assert not any("are stored in" in text for text in built.infos)

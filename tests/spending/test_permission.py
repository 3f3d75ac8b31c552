"""The permission to generate, by table."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from mkdocs_imagegen.settings import read_settings
from mkdocs_imagegen.spending.permission import Circumstances, Permission, permission_for

KEY = "api key"
OIDC = "oidc token"
SKETCH = {"url": "sketch:"}
LOCAL = {"url": "http://localhost:1/v1"}
LOCAL_OPEN = LOCAL | {"auth": "none"}
LOCAL_KEY = LOCAL | {"key_env": "MY_KEY"}
WAYS = 'use sketches with `gateway: {url: "sketch:"}`, or set `on_missing: placeholder`'
NO_KEY = f"%s is not set; set it, {WAYS}"
CONSENT = (
    "only Vercel's OIDC token is set; "
    "set `generate: true` to spend with it, or set AI_GATEWAY_API_KEY"
)
NO_KEY_ENV = (
    "gateway.key_env is not set (AI_GATEWAY_API_KEY is for Vercel's AI Gateway only); "
    "add `key_env: NAME` (a variable with its API key) or `auth: none` under `gateway:`, " + WAYS
)
OFF = "generate is false; set `generate: auto` or `on_missing: placeholder`"


def asked(written, credential="", problem="", *, serving=False, offline=False):
    settings = read_settings(written, Path())
    return permission_for(settings, Circumstances(credential, problem, serving, offline))


@pytest.mark.parametrize(
    ("written", "credential", "refusal"),
    [
        ({}, KEY, ""),
        ({}, "", NO_KEY % "AI_GATEWAY_API_KEY"),
        ({}, OIDC, CONSENT),
        ({"generate": "true"}, KEY, ""),
        ({"generate": "true"}, OIDC, ""),
        ({"generate": "true"}, "", NO_KEY % "AI_GATEWAY_API_KEY"),
        ({"generate": "false"}, KEY, OFF),
        ({"generate": False}, OIDC, OFF),
        ({"gateway": SKETCH}, "", ""),
        ({"gateway": SKETCH, "generate": "false"}, "", OFF),
        ({"gateway": LOCAL_OPEN}, "", ""),
        (
            {"gateway": LOCAL},
            "",
            NO_KEY_ENV,
        ),
        ({"gateway": LOCAL_KEY}, "", NO_KEY % "MY_KEY"),
        ({"gateway": LOCAL_KEY}, KEY, ""),
    ],
)
def test_build_generates_with_consent_only(written, credential, refusal):
    assert asked(written, credential).refusal == refusal


@pytest.mark.parametrize(
    ("written", "refusal"),
    [
        (
            {},
            "`mkdocs serve` does not generate images; run `mkdocs build`, or set `serve: generate`",
        ),
        (
            {"generate": "true"},
            "`mkdocs serve` does not generate images; run `mkdocs build`, or set `serve: generate`",
        ),
        ({"gateway": SKETCH}, ""),
    ],
)
def test_serve_generates_nothing_by_default(written, refusal):
    assert asked(written, KEY, serving=True).refusal == refusal


@pytest.mark.parametrize(
    ("written", "refusal"),
    [
        ({}, "OFFLINE is set; unset it and build again"),
        ({"generate": "true"}, "OFFLINE is set; unset it and build again"),
        ({"gateway": LOCAL_OPEN}, "OFFLINE is set; unset it and build again"),
        ({"gateway": SKETCH}, ""),
        ({"generate": "false"}, OFF),
    ],
)
def test_offline_build_generates_only_sketches(written, refusal):
    assert asked(written, KEY, offline=True).refusal == refusal


def test_problem_of_credential_is_the_refusal():
    assert asked({}, problem="the token expired; renew it").refusal == "the token expired; renew it"


@pytest.mark.parametrize(
    ("credential", "problem", "serving", "offline", "gateway"),
    [
        *product(
            ["", KEY, OIDC],
            ["", "bad"],
            [True, False],
            [True, False],
            [{}, SKETCH, LOCAL, LOCAL_OPEN],
        )
    ],
)
def test_disabled_plugin_never_generates(credential, problem, serving, offline, gateway):
    for off in ({"enabled": False}, {"generate": "false"}):
        given = asked(
            {"gateway": gateway, **off}, credential, problem, serving=serving, offline=offline
        )
        assert not given.is_granted
        assert given.refusal


@pytest.mark.parametrize(
    ("serving", "offline", "generate"),
    [*product([True, False], [True, False], ["auto", "true", "false"])],
)
def test_only_online_build_generates_with_api_key(serving, offline, generate):
    given = asked({"generate": generate}, KEY, serving=serving, offline=offline)
    assert given.is_granted is (not serving and not offline and generate != "false")


def test_permission_is_granted_without_refusal():
    assert Permission().is_granted
    assert not Permission("because").is_granted

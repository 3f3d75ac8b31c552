"""Who may spend, by table."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from mkdocs_imagegen.settings import read_settings
from mkdocs_imagegen.spending.permission import Circumstances, Permission, may_generate

KEY = "api key"
OIDC = "oidc token"
SKETCH = {"url": "sketch:"}
LOCAL = {"url": "http://localhost:1/v1"}
LOCAL_OPEN = LOCAL | {"auth": "none"}
LOCAL_KEY = LOCAL | {"key_env": "MY_KEY"}
NO_KEY = "there is no key; set AI_GATEWAY_API_KEY, or build where it is set"
CONSENT = "say `generate: true` to spend with Vercel's OIDC token, or set AI_GATEWAY_API_KEY"


def asked(written, credential="", problem="", *, serving=False, offline=False):
    settings = read_settings(written, Path())
    return may_generate(settings, Circumstances(credential, problem, serving, offline))


@pytest.mark.parametrize(
    ("written", "credential", "refusal"),
    [
        ({}, KEY, ""),
        ({}, "", NO_KEY),
        ({}, OIDC, CONSENT),
        ({"generate": "true"}, KEY, ""),
        ({"generate": "true"}, OIDC, ""),
        ({"generate": "true"}, "", NO_KEY),
        ({"generate": "false"}, KEY, "generate is false"),
        ({"generate": False}, OIDC, "generate is false"),
        ({"gateway": SKETCH}, "", ""),
        ({"gateway": SKETCH, "generate": "false"}, "", "generate is false"),
        ({"gateway": LOCAL_OPEN}, "", ""),
        ({"gateway": LOCAL}, "", "gateway.key_env names no variable; or say `auth: none`"),
        ({"gateway": LOCAL_KEY}, "", "there is no key; set MY_KEY, or build where it is set"),
        ({"gateway": LOCAL_KEY}, KEY, ""),
    ],
)
def test_a_build_spends_by_consent(written, credential, refusal):
    assert asked(written, credential).refusal == refusal


@pytest.mark.parametrize(
    ("written", "refusal"),
    [
        ({}, "serving makes none; `mkdocs build` does, and `serve: generate`"),
        ({"generate": "true"}, "serving makes none; `mkdocs build` does, and `serve: generate`"),
        ({"gateway": SKETCH}, ""),
    ],
)
def test_serving_spends_nothing(written, refusal):
    assert asked(written, KEY, serving=True).refusal == refusal


@pytest.mark.parametrize(
    ("written", "refusal"),
    [
        ({}, "OFFLINE is set; build once without it"),
        ({"generate": "true"}, "OFFLINE is set; build once without it"),
        ({"gateway": LOCAL_OPEN}, "OFFLINE is set; build once without it"),
        ({"gateway": SKETCH}, ""),
        ({"generate": "false"}, "generate is false"),
    ],
)
def test_offline_opens_no_socket(written, refusal):
    assert asked(written, KEY, offline=True).refusal == refusal


def test_a_credential_with_a_problem_is_told():
    assert asked({}, problem="the token ran out; renew it").refusal == "the token ran out; renew it"


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
def test_a_plugin_that_is_off_never_spends(credential, problem, serving, offline, gateway):
    for off in ({"enabled": False}, {"generate": "false"}):
        given = asked(
            {"gateway": gateway, **off}, credential, problem, serving=serving, offline=offline
        )
        assert not given.granted
        assert given.refusal


@pytest.mark.parametrize(
    ("serving", "offline", "generate"),
    [*product([True, False], [True, False], ["auto", "true", "false"])],
)
def test_money_is_spent_by_a_build_on_line_alone(serving, offline, generate):
    given = asked({"generate": generate}, KEY, serving=serving, offline=offline)
    assert given.granted is (not serving and not offline and generate != "false")


def test_a_permission_is_one_or_says_why_not():
    assert Permission().granted
    assert not Permission("because").granted
